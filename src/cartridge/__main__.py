"""The door: `cartridge` and `python -m cartridge`.

`--version` is answered before anything is imported; everything else is `surfaces.cli`.
"""

import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from cartridge import __version__

        sys.stdout.write(f"cartridge {__version__}\n")
        return
    try:
        from cartridge.surfaces.cli.app import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # before `run` could say anything
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
