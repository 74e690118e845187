"""Pulumi's files of one stack: where they are, making a new stack's by hand, and mending what a kill left.

```
<stack folder>/pulumi/Pulumi.yaml, Pulumi.<stack>.yaml   the project and the stack's salt
<stack folder>/pulumi/state/.pulumi/…                    Pulumi's own: state, history, locks
<stack folder>/pulumi/home                               its logs
<state folder>/pulumi.key, pulumi.salt                   one passphrase a project, random, 0600, and its salt
```

Writing the first state by hand saves a whole CLI process (`stack init`); it is the oldest part of Pulumi's layout,
and where a CLI does not take it, `pulumi stack init` is run instead.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from cartridge.deploy.pulumi.graph import PROJECT, resource

_SALT = re.compile(r"^encryptionsalt: \S+$", re.MULTILINE)


class Lock(Struct, frozen=True):
    """A lock of Pulumi's: its file, who holds it, and since when (seconds since 1970)."""

    path: Path
    pid: int
    host: str
    since: float


class Backend:
    """The files of one stack.

    Args:
        stack: the stack's id.
        folder: its folder of state; the key is kept beside it.
    """

    def __init__(self, stack: str, folder: Path) -> None:
        self.stack = stack
        self.work = folder / "pulumi"
        self._key, self._salt = folder.parent / "pulumi.key", folder.parent / "pulumi.salt"
        self._root = self.work / "state" / ".pulumi"
        self._config = self.work / f"Pulumi.{stack}.yaml"
        self.plain_config = folder.parent / self._config.name
        """What plain Pulumi writes for itself: the project's Pulumi.yaml sends it beside the stacks' folders."""

    @property
    def state_file(self) -> Path:
        """The file that holds the stack's resources."""
        return self._root / "stacks" / PROJECT / f"{self.stack}.json"

    def prepare(self) -> None:
        """Make whatever is not there yet; the key comes into being once for all stacks of the project."""
        self.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(self._key, secrets.token_hex(32) + "\n")
        _write_once(self.work / "Pulumi.yaml", f"name: {PROJECT}\nruntime: cartridge\n")
        if self._salt.exists():
            _write_once(self._config, self._salt.read_text(encoding="utf-8"))
        _write_once(self._root / "meta.yaml", "version: 1\n")
        blank = {"version": 3, "checkpoint": {"stack": f"organization/{PROJECT}/{self.stack}"}}
        _write_once(self.state_file, json.dumps(blank))

    def keep_salt(self) -> None:
        """Let the project's later stacks have this one's salt: making another costs a key derivation more."""
        if not self._salt.exists() and self._config.exists():
            found = _SALT.search(self._config.read_text(encoding="utf-8"))
            if found:
                _write_once(self._salt, found[0] + "\n")

    def environment(self) -> dict[str, str]:
        """Return the variables by which any Pulumi CLI works on this stack's state."""
        return {
            "PULUMI_BACKEND_URL": f"file://{self.work.absolute()}/state?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._key.absolute()),
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
            "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "1",
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def write_environment(self) -> None:
        """Write the variables as a file for a shell: `set -a; . <stack folder>/pulumi/env`."""
        lines = [f"{name}='{value}'" for name, value in sorted(self.environment().items())]
        path = self.work / "env"
        path.write_text("\n".join((*lines, f"PULUMI_STACK='{self.stack}'", "")), encoding="utf-8")

    def keep_program(self, path: Path) -> None:
        """Remember the CLI that works on the state."""
        (self.work / "program").write_text(str(path), encoding="utf-8")

    def program(self) -> Path | None:
        """Return the CLI that worked on the state last, if it is still there; to look it up would take the lock."""
        try:
            path = Path((self.work / "program").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return path if os.access(path, os.X_OK) else None

    def exists(self) -> bool:
        """Tell whether Pulumi may know of anything."""
        return self.state_file.exists()

    def known(self) -> frozenset[str]:
        """Return the URNs of our resources that are made, as far as Pulumi knows."""
        resources = self._latest().get("resources")
        found = {str(one["urn"]) for one in resources} if isinstance(resources, list) else set()
        return frozenset(urn for urn in found if resource(urn))

    def has_pending(self) -> bool:
        """Tell whether an earlier process died in the middle of an operation."""
        return bool(self._latest().get("pending_operations"))

    def locks(self) -> Iterator[Lock]:
        """Yield every lock on the stack; unreadable ones count as held by nobody (pid 0)."""
        for path in sorted((self._root / "locks").glob(f"*/{PROJECT}/{self.stack}/*.json")):
            try:
                body = json.loads(path.read_bytes())
                yield Lock(path, int(body["pid"]), str(body["hostname"]), _seconds(str(body["timestamp"])))
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError):
                yield Lock(path, 0, "", 0.0)

    def _latest(self) -> Mapping[str, object]:
        try:
            body = json.loads(self.state_file.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            # torn by a power cut: what was made is found by its labels, and the state is begun again
            self.state_file.unlink(missing_ok=True)
            return {}
        checkpoint = body.get("checkpoint") if isinstance(body, dict) else None
        latest = checkpoint.get("latest") if isinstance(checkpoint, dict) else None
        return latest if isinstance(latest, dict) else {}


def _write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 unless it is there; two writers at once agree on one text."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def _seconds(stamp: str) -> float:
    import datetime

    found = re.match(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$", stamp)
    if found is None:
        raise ValueError(stamp)
    whole, fraction, zone = found.groups()
    return datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00")).timestamp() + float(fraction or 0)
