"""`python -m tests.simulation SEED` replays a seed and tells its history; `FIRST-LAST` runs many.

A seed that breaks a promise is shrunk first, to the fewest people, events and faults that still break it.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run
from tests.simulation.shrink import shrink


def main() -> int:
    """Replay one seed, or run many; return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", help="a seed, or FIRST-LAST")
    parser.add_argument("--bug", choices=sorted(MUTANTS), help="put a deliberate bug in")
    parser.add_argument("--whole", action="store_true", help="do not shrink a seed that breaks a promise")
    parser.add_argument("--logs", action="store_true", help="tell what the bot logged, too")
    told = parser.parse_args()
    if told.bug:
        bug = MUTANTS[told.bug]
        if bug.kind:  # it breaks no promise by itself: it makes somebody else late
            found = bug.is_found(int(told.seeds))
            print(f"Beside a lasting fault ({bug.kind}) everybody else is {'late' if found else 'on time'}.")
            return 1 if found else 0
        with bug.put_in():
            return _run(told)
    return _run(told)


def _run(told: argparse.Namespace) -> int:
    first, _, last = told.seeds.partition("-")
    return _many(int(first), int(last)) if last else _one(int(first), whole=told.whole, logs=told.logs)


def _one(seed: int, *, whole: bool, logs: bool) -> int:
    report = run(seed)
    broken = bool(report.verdict.wrong)
    if broken and not whole:
        shrunk = shrink(seed)
        print(shrunk.summary())
        report = shrunk.after
    print(report.story(logs=logs))
    return 1 if broken else 0


def _many(first: int, last: int) -> int:
    began, bad, counts = time.perf_counter(), 0, dict[str, int]()
    for seed in range(first, last + 1):
        verdict = run(seed).verdict
        for name, number in verdict.counts.items():
            counts[name] = counts.get(name, 0) + number
        if verdict.wrong:
            bad += 1
            print(f"seed {seed}: {verdict.wrong[0]}", flush=True)
    number = last - first + 1
    print(f"{number} seeds, {bad} bad, {number / (time.perf_counter() - began):.1f} seeds/s", counts)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
