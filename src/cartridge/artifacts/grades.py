"""How far each resource is pinned, as a ladder: `config`, `inputs`, `build`, `data`.

`verify` hashes every byte it grades and says what does not match. Never mends, fetches or builds anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum, unique

from msgspec import Struct

from cartridge.artifacts import install, making
from cartridge.artifacts.channel import Job, Unserved
from cartridge.artifacts.channels import path
from cartridge.artifacts.pins import Lock
from cartridge.artifacts.receipt import Receipt
from cartridge.artifacts.sources import Sources
from cartridge.artifacts.tree import sri_from_hex
from cartridge.model.artifact import Artifact


@unique
class Grade(StrEnum):
    """What is the same on every machine; each rung includes the ones before."""

    CONFIG = "config"  # what is asked for, such as a range of versions
    INPUTS = "inputs"  # every byte that comes in
    BUILD = "build"  # every byte that results
    DATA = "data"  # the state it starts from as well


ORDER = tuple(Grade)


class Graded(Struct, frozen=True):
    """How far one resource is pinned.

    Attributes:
        resource: `artifact/lnd`, `input/templates/process/lnd.conf.j2`.
        grade: its rung.
        detail: why, as a sentence without a full stop.
        wrong: what does not match, or "".
    """

    resource: str
    grade: Grade
    detail: str
    wrong: str = ""


def verify(artifacts: Mapping[str, Artifact], lock: Lock, sources: Sources) -> tuple[Graded, ...]:
    """Grade every artifact as `ensure` would give it on this machine now; hashes all bytes in the store.

    Raises:
        InputError: `lock-drift`.
    """
    return tuple(_artifact(name, one, lock, sources) for name, one in sorted(artifacts.items()))


def verify_inputs(inputs: Mapping[str, str], lock: Lock) -> tuple[Graded, ...]:
    """Grade cartridges and templates, given their SHA-256 (hex) by project-relative path."""
    graded = []
    for name, digest in sorted(inputs.items()):
        pinned, resource = lock.inputs.get(name), f"input/{name}"
        if pinned is None:
            graded.append(Graded(resource, Grade.CONFIG, "the lock does not pin it", "it is not in the lock"))
        elif pinned != sri_from_hex(digest):
            graded.append(Graded(resource, Grade.CONFIG, "the lock pins other bytes", f"it is not {pinned}"))
        else:
            graded.append(Graded(resource, Grade.INPUTS, "its bytes are pinned"))
    return tuple(graded)


def lowest(grades: Iterable[Grade]) -> Grade:
    """Return the lowest rung, which is that of the whole; `data` for nothing at all."""
    return min(grades, key=ORDER.index, default=Grade.DATA)


def _artifact(name: str, declaration: Artifact, lock: Lock, sources: Sources) -> Graded:
    resource = f"artifact/{name}"
    if any(channel.channel == "path" for channel in declaration.channels):
        try:
            found = path.find(name, declaration, sources)
        except Unserved:
            pass
        else:
            return Graded(resource, Grade.CONFIG, f"version {found.version} from PATH, `{found.root}`")
    pinned = tuple(install.jobs(name, declaration, sources.platform, lock, sources))
    for job in pinned:
        receipt = sources.store.receipt(making.key(job))
        if receipt is not None:
            return _kept(resource, job, receipt)
    if pinned:
        return Graded(resource, Grade.INPUTS, f"pinned through {pinned[0].pin.channel}, not in the store yet")
    return Graded(resource, Grade.CONFIG, f"the lock pins nothing for {sources.platform}")


def _kept(resource: str, job: Job, receipt: Receipt) -> Graded:
    made = receipt.made
    what = f"version {made.version} from {receipt.channel}"
    if not job.sources.store.has_digest(receipt):
        wrong = f"the store's copy is not {receipt.digest}; the next `cartridge up` makes it again"
        return Graded(resource, Grade.CONFIG, what, wrong)
    if not made.is_exact:
        return Graded(resource, Grade.CONFIG, f"{what}: {made.note}")
    if made.toolchain:
        return _built(resource, job, receipt, f"{what} by {made.toolchain}")
    if receipt.channel == "nix":
        return Graded(resource, Grade.INPUTS, f"{what}: nixpkgs is pinned, what nix builds of it is not")
    return Graded(resource, Grade.BUILD, f"{what}: unpacked from pinned files")


def _built(resource: str, job: Job, receipt: Receipt, what: str) -> Graded:
    wanted = job.pin.built.get(receipt.made.toolchain)
    if wanted is None:
        return Graded(resource, Grade.INPUTS, f"{what}: the lock knows no result of that toolchain")
    if wanted != receipt.digest:
        return Graded(resource, Grade.INPUTS, what, f"built {receipt.digest}, and the lock says {wanted}")
    return Graded(resource, Grade.BUILD, f"{what}: the result is the pinned one")
