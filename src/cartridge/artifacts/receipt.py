"""What the store knows about one artifact it holds: where it came from, what it is, how to tell damage.

A receipt is one JSON file, written whole by rename; it never holds an absolute path, so a store can be moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field, json

from cartridge.artifacts.installed import Installed
from cartridge.artifacts.tree import Stamps


class Made(Struct, frozen=True, forbid_unknown_fields=True):
    """What a channel put into the folder it was given.

    Attributes:
        version: as the program itself says, or as pinned.
        toolchain: what built it, such as `go1.26.8`; "" where nothing was built.
        binaries: by name, the path inside the folder that runs it here.
        image: the path inside the folder of a whole root file system, `.` for the folder itself, None for none.
        image_binaries: by name, the absolute path inside that root.
        is_exact: whether every byte that came in was the pinned one.
        note: what people should know, such as a signed successor that was taken.
    """

    version: str
    binaries: Mapping[str, str]
    toolchain: str = ""
    image: str | None = None
    image_binaries: Mapping[str, str] = field(default_factory=dict)
    is_exact: bool = True
    note: str = ""


class Receipt(Struct, frozen=True, forbid_unknown_fields=True):
    """One artifact in the store.

    Attributes:
        key: what was asked for: artifact, platform, channel and pin, as a hash.
        artifact: its name.
        platform: what it runs on.
        channel: where it came from.
        digest: SRI of its tree.
        entry: its folder's name below `entries/`.
        when: ISO 8601 in UTC.
        made: what the channel said about it.
        files: stamps, for the cheap look.
    """

    key: str
    artifact: str
    platform: str
    channel: str
    digest: str
    entry: str
    when: str
    made: Made
    files: Stamps

    def encode(self) -> bytes:
        """Return the receipt as JSON."""
        return json.format(json.encode(self), indent=1) + b"\n"

    @classmethod
    def decode(cls, raw: bytes) -> Receipt:
        """Return the receipt written as `raw`.

        Raises:
            ValueError: it is no receipt of this version.
        """
        return json.decode(raw, type=cls)

    def installed(self, entries: Path) -> Installed:
        """Return it as the rest of the program wants it; `entries` is the store's folder of entries."""
        root = entries / self.entry
        return Installed(
            artifact=self.artifact,
            version=self.made.version,
            channel=self.channel,
            digest=self.digest,
            root=root,
            binaries={name: root / path for name, path in self.made.binaries.items()},
            image_root=None if self.made.image is None else root / self.made.image,
            image_binaries=dict(self.made.image_binaries),
        )
