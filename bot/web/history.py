"""The last hour in minutes, for people without a Prometheus: made of the counters, forgotten with the process."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from bot.telemetry.metrics import PREFIX

MINUTES = 60
MINUTE = 60.0

Buckets = Mapping[float, float]
"""Upper bound of a bucket → how many values were at most that."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters at one moment."""

    turns: Buckets
    completions: Buckets
    questions: float
    limited: float
    failed: float


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened in a minute. Times in seconds, None where nothing ended: half were quicker, 95 of 100 were.

    `turn`: from question to answer. `completion`: the API's own part of that. `limited` and `failed`: calls that were
    answered 429, or 5xx or not at all.
    """

    turn: tuple[float, float] | None
    completion: tuple[float, float] | None
    questions: float
    limited: float
    failed: float


class History:
    """The minutes of one process. `clock` is monotonic, in seconds."""

    def __init__(self, registry: CollectorRegistry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._before = _counts(registry)
        self._at = clock()
        self._minutes: deque[Minute] = deque(maxlen=MINUTES)

    @property
    def minutes(self) -> Sequence[Minute]:
        """The minutes that are over, oldest first."""
        return tuple(self._minutes)

    def sample(self) -> None:
        """To be called a few times a minute: ends a minute when it is over."""
        if self._clock() - self._at < MINUTE:
            return
        now = _counts(self._registry)
        self._minutes.append(between(self._before, now))
        self._before, self._at = now, self._clock()


def between(before: Counters, now: Counters) -> Minute:
    """Tell what happened between two moments."""
    return Minute(
        turn=_quantiles(before.turns, now.turns),
        completion=_quantiles(before.completions, now.completions),
        questions=now.questions - before.questions,
        limited=now.limited - before.limited,
        failed=now.failed - before.failed,
    )


def _quantiles(before: Buckets, now: Buckets) -> tuple[float, float] | None:
    grown = {bound: count - before.get(bound, 0.0) for bound, count in sorted(now.items())}
    if not grown or not grown[max(grown)]:
        return None
    return quantile(grown, 0.5), quantile(grown, 0.95)


def quantile(buckets: Buckets, share: float) -> float:
    """Estimate from a histogram below which value a share of all is; within a bucket they are taken to be even.

    >>> quantile({1.0: 0, 2.0: 10, math.inf: 10}, 0.5), quantile({1.0: 0, math.inf: 4}, 0.5)
    (1.5, 1.0)
    """
    wanted = share * buckets[math.inf]
    low, below = 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted and count > below:
            return low if math.isinf(bound) else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


def _counts(registry: CollectorRegistry) -> Counters:
    turns: dict[float, float] = {}
    completions: dict[float, float] = {}
    sums = {"questions": 0.0, "limited": 0.0, "failed": 0.0}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name == f"{PREFIX}turn_seconds_bucket":
                bound = float(sample.labels["le"])
                turns[bound] = turns.get(bound, 0.0) + sample.value
            elif sample.name == f"{PREFIX}async_completion_seconds_bucket":
                completions[float(sample.labels["le"])] = sample.value
            elif sample.name == f"{PREFIX}turns_total":
                sums["questions"] += sample.value
            elif sample.name == f"{PREFIX}api_requests_total":
                status = sample.labels["status"]
                sums["limited"] += sample.value * (status == "429")
                sums["failed"] += sample.value * (status.startswith("5") or status in ("timeout", "connection"))
    return Counters(turns, completions, **sums)
