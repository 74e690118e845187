"""The door: `cartridge` and `python -m cartridge`.

`--version` is answered before anything is imported; everything else is `surfaces.cli`. A run that is over does not wait
for what its threads were still at, nor for its modules to be taken apart: every act can be repeated, an answer from a
dead daemon may never come, and taking apart the large libraries costs a tenth of a second.
"""

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from cartridge import __version__

        sys.stdout.write(f"cartridge {__version__}\n")
        return
    gc.set_threshold(50_000)  # a run makes many objects and few circles: looking for them took a twentieth of its time
    try:
        from cartridge.surfaces.cli.app import run
        from cartridge.workspace.settings import shun_plugins

        shun_plugins()
        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # before `run` could say anything
        status = 130
    _end(status)


def _end(status: int) -> None:
    """End the process now."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads it any more
            continue
    os._exit(status)


if __name__ == "__main__":
    main()
