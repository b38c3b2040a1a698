"""What happened per minute, lately: a short memory of the counters, for people without a Prometheus."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry

EVERY = 15.0
"""Seconds between two samples."""

Totals = Mapping[str, float]


def totals(registry: CollectorRegistry, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """Add up samples: `wanted` maps a name of ours to {"": sample name, label: its value, …}; `5*` is a prefix."""
    found = dict.fromkeys(wanted, 0.0)
    for family in registry.collect():
        for sample in family.samples:
            for name, want in wanted.items():
                if sample.name == want[""] and all(
                    _fits(sample.labels.get(label, ""), value) for label, value in want.items() if label
                ):
                    found[name] += sample.value
    return found


def _fits(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


class Rates:
    """Keeps samples of totals for `minutes`; `clock` is monotonic, in seconds."""

    def __init__(
        self, read: Callable[[], Totals], *, minutes: float = 5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._seconds = minutes * 60
        self._samples: deque[tuple[float, Totals]] = deque()

    def sample(self) -> None:
        """Remember the totals of this moment."""
        now = self._clock()
        self._samples.append((now, self._read()))
        while len(self._samples) > 2 and self._samples[1][0] <= now - self._seconds:
            self._samples.popleft()

    def per_minute(self) -> dict[str, float] | None:
        """The rates since the oldest sample; None while less than one interval was seen."""
        if not self._samples:
            return None
        since, before = self._samples[0]
        seconds = self._clock() - since
        if seconds < EVERY:
            return None
        return {name: (value - before.get(name, 0.0)) * 60 / seconds for name, value in self._read().items()}
