"""The registry of leases: one JSON file a stack, written by rename before its first resource is made.

Both targets use it; `gc` and `ps` read it to find stacks of every project of this user. It never decides that
something must die: guardians and `gc` do, and a resource carries its lease itself as well.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, json

from cartridge.deploy.engine import Lease
from cartridge.deploy.replacing import write_whole
from cartridge.errors import MissingError
from cartridge.workspace.settings import Settings


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A lease with what it is for.

    Attributes:
        lease: whose, and how long.
        target: `process` or `docker`.
        folder: the stack's folder of state, absolute.
    """

    lease: Lease
    target: str
    folder: str


class Leases:
    """The leases in one folder (made 0700), which all projects of a user share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, stack: str) -> Path:
        """Return where the stack's lease is, or would be."""
        return self._folder / f"{stack}.json"

    def write(self, entry: Entry) -> Path:
        """Put the entry there, in place of an older one, and return its path."""
        path = self.path(entry.lease.stack)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.encode(entry))
        return path

    def read(self, stack: str) -> Entry | None:
        """Return the stack's entry, or None where there is none.

        Raises:
            MissingError: `lease-unreadable`.
        """
        try:
            return json.decode(self.path(stack).read_bytes(), type=Entry)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise MissingError(
                f"the lease `{self.path(stack)}` cannot be read: {error}",
                code="lease-unreadable",
                resolution="`cartridge gc` removes it; then `cartridge up` again",
            ) from error

    def remove(self, stack: str) -> bool:
        """Delete the stack's entry; return whether there was one."""
        try:
            self.path(stack).unlink()
        except FileNotFoundError:
            return False
        return True

    def entries(self) -> Iterator[Entry]:
        """Yield every entry that can be read, by stack id."""
        for path in sorted(self._folder.glob("[!.]*.json")):
            try:
                yield json.decode(path.read_bytes(), type=Entry)
            except (OSError, ValueError):
                continue  # gone meanwhile, or listed by `unreadable`

    def unreadable(self) -> Iterator[Path]:
        """Yield every file of the registry that is no lease."""
        for path in sorted(self._folder.glob("[!.]*.json")):
            try:
                json.decode(path.read_bytes(), type=Entry)
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                yield path


def registry(settings: Settings) -> Leases:
    """Return the registry of this user."""
    return Leases(settings.state_home / "leases")


def expiry(now: datetime.datetime, ttl: int | None) -> str:
    """Return the `expires` of a lease that is taken at `now` for `ttl` milliseconds; None is for ever."""
    return "" if ttl is None else (now + datetime.timedelta(milliseconds=ttl)).isoformat(timespec="milliseconds")


def seconds(lease: Lease) -> float:
    """Return the lease's end in seconds since 1970; 0 for never."""
    return datetime.datetime.fromisoformat(lease.expires).timestamp() if lease.expires else 0.0


def is_expired(lease: Lease, now: datetime.datetime) -> bool:
    """Tell whether the lease has run out at `now` (with a zone)."""
    return is_past(lease.expires, now)


def is_past(expires: str, now: datetime.datetime) -> bool:
    """Tell whether `expires` (ISO 8601, "" for never) is over at `now` (with a zone)."""
    return bool(expires) and datetime.datetime.fromisoformat(expires) <= now
