"""What runs inside the guardian loads the standard library, its own modules and nothing that is slow to load."""

from __future__ import annotations

import sys
from pathlib import Path

from cartridge import spawn

SOURCE = Path(__file__).parents[4] / "src"
LIST = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import cartridge.targets.process.launch
print(*sorted(set(sys.modules) - before))
"""
OWN = {"child", "clients", "freezing", "guardian", "launch", "marks", "ports", "watcher", "wire"}


def test_the_guardian_imports_the_standard_library_and_its_own_modules() -> None:
    done = spawn.run([sys.executable, "-I", "-S", "-c", LIST, str(SOURCE)], environment={}, check=True)
    loaded = set(done.stdout.split())

    ours = {name.removeprefix("cartridge.targets.process.") for name in loaded if name.startswith("cartridge")}
    assert ours - OWN == {"cartridge", "cartridge.targets", "cartridge.targets.process"}
    assert {name.partition(".")[0].lstrip("_") for name in loaded} - {"cartridge"} <= sys.stdlib_module_names | {
        name.lstrip("_") for name in sys.stdlib_module_names
    }
    assert not loaded & {"asyncio", "subprocess", "dataclasses", "inspect", "shutil", "typing", "logging", "pathlib"}
