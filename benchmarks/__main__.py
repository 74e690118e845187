"""`python -m benchmarks [CASE...]`: run the cases and write RESULTS.md beside this file."""

from __future__ import annotations

import argparse
import importlib
import sys

from benchmarks import results
from benchmarks.place import made

CASES = ("commands", "guardian", "lightning", "networks", "scale", "snapshots", "fixture", "docker")


def main() -> int:
    """Run what was asked for and say how many promises hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    chosen = parser.parse_args().cases or CASES
    if unknown := set(chosen) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    with made() as place:
        for case in chosen:
            print(f"measuring {case} …", file=sys.stderr, flush=True)
            report = importlib.import_module(f"benchmarks.{case}").run(place)
            print(results.text(report), flush=True)
            results.write({case: report})
    return 0


if __name__ == "__main__":
    sys.exit(main())
