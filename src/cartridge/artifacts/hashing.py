"""The SRI of an archive's bytes: through `nix-prefetch-url` where nix is installed, computed here otherwise.

Both give the same result (a test holds that); a nix that is there but does not work counts as not installed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cartridge import spawn
from cartridge.artifacts import tree
from cartridge.errors import CartridgeError

_PATIENCE = 120.0


def archive_sri(path: Path, search: str | None = None) -> str:
    """Return the SRI of a file; `search` is the PATH on which nix is looked up."""
    return prefetched_sri(path.absolute().as_uri(), search) or tree.sri(tree.file_digest(path))


def prefetched_sri(url: str, search: str | None = None, *, unpack: bool = False) -> str:
    """Return the SRI that `nix-prefetch-url` gives for a URL, or "" where nix is not there or does not work.

    Args:
        url: `file://`, `http://` or `https://`; the bytes also go into nix's own store.
        search: the PATH on which nix is looked up.
        unpack: hash the unpacked archive, as `fetchTarball` wants it, instead of its bytes.
    """
    prefetch, to_hex = shutil.which("nix-prefetch-url", path=search), shutil.which("nix-hash", path=search)
    if prefetch is None or to_hex is None:
        return ""
    try:
        options = ["--unpack"] if unpack else []
        said = spawn.run([prefetch, "--type", "sha256", *options, url], timeout=_PATIENCE, check=True).stdout.split()
        converted = spawn.run([to_hex, "--type", "sha256", "--to-base16", said[-1]], timeout=_PATIENCE, check=True)
        return tree.sri_from_hex(converted.stdout.strip())
    except (CartridgeError, IndexError, ValueError):
        return ""
