"""`python -m tests.simulation.find_bugs [NAME …]`: the first seed that finds each deliberate bug, for the record."""

from __future__ import annotations

import argparse
import sys
import time

from tests.proofs import record
from tests.simulation.mutants import MUTANTS

WITHIN = 1000
"""Seeds, from 1 on, within which a deliberate bug must be found."""


def first_seed(name: str, within: int = WITHIN) -> int | None:
    """Return the first seed that finds a bug, None when none does."""
    return next((seed for seed in range(1, within + 1) if MUTANTS[name].is_found(seed)), None)


def main() -> int:
    """Look for each, print it, and add what was found to the record; return 0 when all were."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.find_bugs", description=__doc__)
    parser.add_argument("names", nargs="*", help="of deliberate bugs; all when none is given")
    names = parser.parse_args().names or list(MUTANTS)
    began = time.perf_counter()
    found = {}
    for name in names:
        found[name] = first_seed(name)
        print(f"{name}: {found[name] or 'not found'}", flush=True)
    record.add("deliberate bugs", found=found, seconds=round(time.perf_counter() - began))
    return 1 if None in found.values() else 0


if __name__ == "__main__":
    sys.exit(main())
