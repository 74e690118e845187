"""What a command costs before it does anything: `--version`, `ps`, `check`, beside a bare interpreter."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Claim, Report, Samples, interleave, wall
from benchmarks.place import Place

ROUNDS = 15
SIZES = (100, 1_000, 10_000)
PER_FILE = 100


def run(place: Place) -> Report:
    """Measure start-up times and the checker's growth."""
    report = Report("Commands")
    place.cartridge("up")
    try:
        found = interleave(
            {
                "python3 -c pass": lambda: wall([sys.executable, "-c", "pass"]),
                "cartridge --version": lambda: wall([place.program, "--version"]),
                "cartridge ps": lambda: wall([place.program, "ps"], cwd=place.project),
            },
            ROUNDS,
        )
    finally:
        place.cartridge("down", "--yes")
    bare = found["python3 -c pass"]
    report.claims.append(Claim("`cartridge --version`", found["cartridge --version"], 3.0, bare))
    report.claims.append(Claim("`cartridge ps`", found["cartridge ps"], 12.0, bare))
    checks = {size: Samples(f"{size}", tuple(_check(place, size) for _ in range(3))) for size in SIZES}
    report.claims.append(Claim("`cartridge check`, 1,000 components, CPU", checks[1_000], 1.0))
    growth = (checks[10_000].median - checks[1_000].median) / (checks[1_000].median - checks[100].median) / 10
    report.claims.append(
        Claim("the same, growth 100→10,000 against a line", Samples("growth", (growth,)), 1.2, unit="")
    )
    report.notes += [f"`cartridge check` of {size:,} components: {checks[size]} s of CPU" for size in SIZES]
    return report


def _check(place: Place, size: int) -> float:
    """Return the CPU seconds (user and system) of checking a project of `size` components."""
    folder = place.folder / f"check-{size}"
    if not folder.exists():
        _write(folder, size)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([place.program, "check"], cwd=folder, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def _write(folder: Path, size: int) -> None:
    used = []
    for number in range(size // PER_FILE):
        name = f"many-{number}"
        used.append(f"  - cartridge: {name}@1\n")
        path = folder / "cartridges" / name / "cartridge.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(_cartridge(name), encoding="utf-8")
    (folder / "stacks").mkdir()
    (folder / "stacks" / "many.yaml").write_text(
        "apiVersion: cartridge/v1\nkind: Stack\nmetadata: {name: many}\nuse:\n" + "".join(used), encoding="utf-8"
    )


def _cartridge(name: str) -> str:
    head = (
        f"apiVersion: cartridge/v1\nkind: Cartridge\nmetadata: {{name: {name}, version: 1.0.0}}\n"
        f"artifacts:\n  {name}: {{binaries: [sleep], channels: [{{channel: path}}]}}\ncomponents:\n"
    )
    parts = []
    for index in range(PER_FILE):
        after = f"{name}-c{index - 1}" if index else ""
        parts.append(
            f"  {name}-c{index}:\n    artifact: {name}\n"
            f"    command: [\"{{{{ program('{name}-c{index}', 'sleep') }}}}\", \"60\"]\n"
            f"    ports: {{main: {{container: 80}}}}\n    depends_on: [{after}]\n    ready: {{probe: tcp, port: main}}\n"
        )
    return head + "".join(parts)
