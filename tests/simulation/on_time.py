"""Whether everybody else is on time while one lane, channel, key or person goes wrong for good.

Liveness, apart from safety: no weather but the lasting fault, and each question of the others waits as long as in the
same seed without it. `python -m tests.simulation.on_time SEEDS` prints the worst waits and
adds them to the record.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from tests.proofs import record
from tests.simulation.judge import collect
from tests.simulation.lasting import KINDS, WHAT, Kind
from tests.simulation.run import run

ALLOWED = 4.0
"""Seconds by which a question of somebody else may wait longer: who waits for an answer beside a dead channel is polled
at other times, for less was learnt of the API, and two polls of such a wait lie some three seconds apart. What is
measured: see docs/proofs.md."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from question to whole answer, of everybody whom the fault does not hit, by question."""

    without: dict[str, float]
    beside: dict[str, float]

    @property
    def later(self) -> float:
        """By how many seconds a question waited longer, at most."""
        return max((self.beside[name] - self.without[name] for name in self.beside.keys() & self.without), default=0.0)


def compare(kind: Kind, seed: int) -> Waits:
    """Run a seed without and with a lasting fault. Raises AssertionError when a promise is broken in either."""
    return Waits(_waits("", kind, seed), _waits(kind, kind, seed))


def worst(kind: Kind, seeds: Iterable[int]) -> dict[str, float]:
    """Compare many seeds: how many questions of others, their worst waits, the most that one waited longer."""
    found = [compare(kind, seed) for seed in seeds]
    return {
        "questions": sum(len(one.beside) for one in found),
        "worst wait without": round(max(wait for one in found for wait in one.without.values()), 2),
        "worst wait beside": round(max(wait for one in found for wait in one.beside.values()), 2),
        "later at most": round(max(one.later for one in found), 2),
    }


def _waits(kind: Kind, asked_of: Kind, seed: int) -> dict[str, float]:
    report = run(
        seed,
        fixed={
            "fair weather": True,
            "api calls take different times": False,
            "channel calls take different times": False,
            "longest answer": 6.0,
            "channels": ("lookup", "blind"),
            "places": 4,
            "questions at most": 6,
            "Eve is there": asked_of != "channel",
            "lasting fault": kind,
            "open turns": 10000,
            "never answered chance": 0.0,
            "bad answer chance": 0.0,
            "minds change": False,
        },
    )
    assert not report.verdict.wrong, (seed, kind, report.verdict.wrong)
    waits = {}
    for one in collect(report.world):
        if report.world.lasting.would_hit(asked_of, one.ask.channel.name, one.ask.user):
            continue
        if one.ask.place.conversation.conversation_id in one.ask.channel.ever_closed:
            continue
        answered_at = max((part.post.at for part in one.parts), default=math.inf)
        if any(end.at < answered_at for end in one.ask.ends):
            continue
        assert one.parts, (seed, kind, one.name)
        waits[one.name] = answered_at - one.ask.at
    return waits


def main() -> int:
    """Print a line for each kind of lasting fault, and add it to the record."""
    number = int(sys.argv[1])
    for kind in KINDS:
        figures = worst(kind, range(1, number + 1))
        print(kind, figures, flush=True)
        record.add("lasting fault", kind=kind, what=WHAT[kind], seeds=number, **figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
