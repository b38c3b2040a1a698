"""`python -m tests.simulation.find_bugs [NAME …]`: a seed that finds each deliberate bug, for the record.

The seed that the record has is tried first; then all from 1 on.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.proofs import record
from tests.proofs.page import known_seeds
from tests.simulation.mutants import MUTANTS

WITHIN = 1000
"""Seeds, from 1 on, within which a deliberate bug must be found."""


def find(name: str, known: int | None = None) -> int | None:
    """Return a seed that finds a bug: the one that did before, else the first of 1 to WITHIN; None when none does."""
    seeds = ([] if known is None else [known]) + list(range(1, WITHIN + 1))
    return next((seed for seed in seeds if MUTANTS[name].is_found(seed)), None)


def main() -> int:
    """Look for each, print it, and add what was found to the record; return 0 when all were."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.find_bugs", description=__doc__)
    parser.add_argument("names", nargs="*", help="of deliberate bugs; all when none is given")
    names = parser.parse_args().names or list(MUTANTS)
    began, known = time.perf_counter(), known_seeds(record.read())
    found = {}
    for name in names:
        found[name] = find(name, known.get(name))
        print(f"{name}: {found[name] or 'not found'}", flush=True)
    record.add("deliberate bugs", found=found, seconds=round(time.perf_counter() - began))
    return 1 if None in found.values() else 0


if __name__ == "__main__":
    sys.exit(main())
