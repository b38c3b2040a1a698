"""A failing seed is made small: the fewest people, events and faults with which it still breaks the same promise.

This is delta debugging over the unusual decisions of a run (see `luck`): leave out a half of them, a quarter, …, one;
keep what still fails. Hypothesis shrinks too, but streams of random bytes, not decisions that have names to be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.process import Parts
from tests.simulation.run import Report, run

MOST_RUNS = 2000
"""Runs spent at most on one seed."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A failing run before and after, and how many runs that took."""

    before: Report
    after: Report
    runs: int

    def summary(self) -> str:
        """Say in a few lines how much smaller it became, and what had to stay."""
        lines = [f"Seed {self.before.seed} breaks a promise. Shrunk in {self.runs} runs:"]
        lines += [f"  {what}: {number} → {self.after.crowd[what]}" for what, number in self.before.crowd.items()]
        lines += ["What has to come together:"]
        lines += [f"  {name}: {value}" for name, value in self.after.luck.unusual.items()]
        return "\n".join([*lines, ""])


def shrink(seed: int, parts: Parts | None = None, *, fixed: Mapping[str, Any] | None = None) -> Shrunk:
    """Shrink a seed that fails. Raises ValueError for one that does not."""
    before = after = run(seed, parts, fixed=fixed)
    if not before.verdict.wrong:
        raise ValueError(f"Seed {seed} breaks no promise.")
    kept, runs = list(before.luck.unusual), 1
    size = max(1, len(kept) // 2)
    while kept and runs < MOST_RUNS:
        smaller, begin = False, 0
        while begin < len(kept) and runs < MOST_RUNS:
            left = kept[:begin] + kept[begin + size :]
            report, runs = run(seed, parts, kept=frozenset(left), fixed=fixed), runs + 1
            if report.kinds & before.kinds:
                # A decision that did not come up any more is gone too.
                kept, after, smaller = [name for name in left if name in report.luck.unusual], report, True
            else:
                begin += size
        if size == 1 and not smaller:
            break
        size = max(1, size // 2)
    return Shrunk(before, after, runs)
