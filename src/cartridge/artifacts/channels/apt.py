"""Debian's archive through an apt with a state of its own: no root, nothing of the host's packages is touched.

apt verifies the archive's signature with the host's Debian keyring and answers two questions: where the archive is,
and which files a package and all it depends on consist of. Never downloads a package, never installs one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from cartridge import spawn
from cartridge.artifacts.channel import Unserved
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.tree import sri_from_hex
from cartridge.errors import CartridgeError
from cartridge.spawn import Finished

ARCHITECTURES: Mapping[str, str] = {"linux-x86_64": "amd64", "linux-aarch64": "arm64"}
"""Debian's name for each platform it can serve."""

_KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
"""Where Debian's package of keys puts them, on Debian and on its derivatives."""
_LINE = re.compile(r"^'(?P<url>[^']+)' \S+ \d+ SHA256:(?P<sha256>[0-9a-f]{64})$")
_CONFIGURATION = """\
Dir "{root}";
Dir::State "state";
Dir::State::status "{root}/status";
Dir::Cache "cache";
Dir::Etc "etc";
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::ForceHash "SHA256";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Debug::NoLocking "true";
"""


class Closure(Struct, frozen=True):
    """A package and all it depends on: the archive's address, and SRI of each file by its path there."""

    archive: str
    packages: Mapping[str, str]


def archive_address(sources: Sources) -> str:
    """Return the address of the Debian archive this machine uses, with a slash at the end.

    Raises:
        Unserved: this machine has no apt, or its apt knows no Debian archive.
    """
    _need("apt-get", sources)
    done = _ask(["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages"])
    known = [line.split("|", 1) for line in done.stdout.splitlines() if "|" in line]
    named = sorted({where.rstrip("/") + "/" for label, where in known if label == "Debian"})
    for where in named or _unread_archives():
        return where
    raise Unserved("apt on this machine knows no Debian archive")


def _unread_archives() -> list[str]:
    """Return the archives apt is set up for where it has read no index yet, so that nothing tells their labels."""
    listed = _ask(["apt-get", "update", "--print-uris"]).stdout.splitlines()
    found = {line[1:].partition("dists/")[0] for line in listed if "/dists/" in line}
    return sorted(where for where in found if "security" not in where and where.endswith("/debian/"))


def resolve(package: str, suite: str, platform: str, sources: Sources, scratch: Path) -> Closure:
    """Return the files of `package` and of all it depends on, as the signed index of `suite` has them now.

    Raises:
        Unserved: no apt, no network, a bad signature, no such package.
    """
    if platform not in ARCHITECTURES:
        raise Unserved(f"Debian has nothing for {platform}", is_by_nature=True)
    if sources.offline:
        raise Unserved(f"needs the network for Debian {suite}, and this run is offline")
    address = archive_address(sources)
    apt = _private(address, suite, ARCHITECTURES[platform], scratch)
    updated = _ask([*apt, "update", "-q"])
    if updated.status or "\nE:" in updated.stderr or "\nW: Failed to fetch" in "\n" + updated.stderr:
        raise Unserved(f"the index of Debian {suite} cannot be had: {_complaint(updated)}")
    listed = _ask([*apt, "install", "--print-uris", "-y", "-qq", package])
    if listed.status:
        raise Unserved(f"Debian {suite} cannot give `{package}`: {_complaint(listed)}")
    found = [match for line in listed.stdout.splitlines() if (match := _LINE.match(line))]
    packages = {unquote(match["url"].removeprefix(address)): sri_from_hex(match["sha256"]) for match in found}
    if not packages:
        raise Unserved(f"Debian {suite} names no file for `{package}`")
    return Closure(address, packages)


def _private(address: str, suite: str, architecture: str, scratch: Path) -> list[str]:
    root = scratch / "apt"
    for folder in ("etc/preferences.d", "etc/apt.conf.d", "state/lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "status").write_text("")
    (root / "etc/sources.list").write_text(f"deb {address} {suite} main\n")
    _trust(root / "etc/trusted.gpg.d")
    configuration = root / "apt.conf"
    configuration.write_text(_CONFIGURATION.format(root=root, architecture=architecture) + _transport())
    return ["env", f"APT_CONFIG={configuration}", "LC_ALL=C.UTF-8", "apt-get"]


def _trust(folder: Path) -> None:
    """Link the keys this machine's apt trusts, and Debian's own where its package of keys is installed."""
    folder.mkdir(exist_ok=True)
    said = _ask(["apt-config", "shell", "parts", "Dir::Etc::TrustedParts/d"]).stdout
    trusted = Path(said.strip().removeprefix("parts='").removesuffix("'") or "/nowhere")
    keys = [*sorted(trusted.glob("*.asc")), *sorted(trusted.glob("*.gpg")), *map(Path, _KEYRINGS)]
    for key in keys:
        if key.is_file() and not (folder / f"{key.stem}.gpg").exists():
            suffix = key.suffix if key.suffix == ".asc" else ".gpg"
            (folder / f"{key.stem}{suffix}").symlink_to(key)


def _transport() -> str:
    """Return the host's own settings of how to reach archives: proxies, certificates, time-outs."""
    said = _ask(["apt-config", "dump", "Acquire"]).stdout.splitlines()
    return "".join(f"{line}\n" for line in said if re.match(r'Acquire::(https?|ftp)::.* ".+";$', line))


def _need(program: str, sources: Sources) -> None:
    if shutil.which(program, path=sources.search) is None:
        raise Unserved(f"`{program}` is not installed")


def _ask(argv: list[str]) -> Finished:
    try:
        return spawn.run(argv, timeout=300.0)
    except CartridgeError as error:
        raise Unserved(error.brief) from error


def _complaint(done: Finished) -> str:
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "W:"))]
    return (lines or ["apt-get said nothing"])[0].removeprefix("E: ").removeprefix("W: ")
