"""What nodes and chain have in common: a program that runs somewhere, with a log and a command line of its own."""

from __future__ import annotations

from collections.abc import Mapping

from cartridge.errors import ApplyError, MissingError
from cartridge.operations.access import drivers
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.surfaces.pytest_plugin.values import plainly
from cartridge.targets.driver import Driver, Ran

CLIS: Mapping[str, str] = {
    "lnd": "lncli",
    "clightning": "lightning-cli",
    "eclair": "eclair-cli",
    "bitcoind": "bitcoin-cli",
    "btcd": "btcctl",
}
"""The command line that comes with each kind of component."""
_ENDED = 5
"""Lines of what a failed command said that go into the error."""


class Running:
    """A component of a test's network.

    Args:
        context: of the fork.
        name: the component's.
    """

    def __init__(self, context: Context, name: str) -> None:
        self.context, self.name = context, name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    @plainly
    def identity(self) -> str:
        """Its process id, or its container's id; "" where it does not run."""
        return self._driver().conditions()[self.name].identity

    @plainly
    def exec(self, *argv: str, stdin: bytes = b"") -> Ran:
        """Run a program where the component runs, and return its status, stdout and stderr, whatever they are."""
        return self._driver().run(self.name, argv, stdin=stdin)

    @plainly
    def cli(self, *arguments: str) -> str:
        """Run the command line that comes with the daemon, such as lncli, and return what it prints.

        Raises:
            ApplyError: `program-failed`, with what it said.
            MissingError: `program-missing`, its implementation has none.
        """
        kind = chosen(self.context).components[self.name].kind
        if kind not in CLIS:
            raise MissingError(
                f"`{self.name}` runs {kind}, which has no command line",
                code="program-missing",
                resolution="use the methods of the node, or `exec`",
            )
        ran = self._driver().run(self.name, [CLIS[kind], *arguments])
        if ran.status:
            said = (ran.stderr or ran.stdout).decode("utf-8", "replace").strip().splitlines()[-_ENDED:]
            raise ApplyError(
                f"`{CLIS[kind]}` ended with status {ran.status}", code="program-failed", details=tuple(said)
            )
        return ran.stdout.decode("utf-8", "replace")

    @plainly
    def logs(self, tail: int | None = None) -> str:
        """Return what the daemon said, or its last `tail` lines."""
        lines = self._driver().logs(self.name, tail=tail)
        return "".join(f"{line.decode('utf-8', 'replace')}\n" for line in lines)

    def _driver(self) -> Driver:
        return drivers.driver(self.context, chosen(self.context))
