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
    from cartridge.surfaces.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
