"""`python -m tests.simulation SEED` replays a seed and tells its history; `FIRST-LAST` runs many."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.run import run


def main() -> int:
    """Replay one seed, or run many; return 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seeds", help="a seed, or FIRST-LAST")
    told = parser.parse_args()
    first, _, last = told.seeds.partition("-")
    if not last:
        report = run(int(first))
        print(report.story())
        print(*report.verdict.wrong or ["Every promise was kept."], sep="\n")
        return 1 if report.verdict.wrong else 0
    began, bad, counts = time.perf_counter(), 0, dict[str, int]()
    for seed in range(int(first), int(last) + 1):
        verdict = run(seed).verdict
        for name, number in verdict.counts.items():
            counts[name] = counts.get(name, 0) + number
        if verdict.wrong:
            bad += 1
            print(f"seed {seed}: {verdict.wrong[0]}")
    number = int(last) - int(first) + 1
    print(f"{number} seeds, {bad} bad, {number / (time.perf_counter() - began):.1f} seeds/s", counts)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
