"""When to ask the API again: few polls, little lag.

The API has no callback and its documented latency is 5-60 s; a fixed interval costs either polls or lag. We
wait in proportion to the age of the request, so the lag stays a fraction of the answer's own time, and we do not
ask at all before the time in which, lately, hardly any answer was ready.
"""

from __future__ import annotations

from collections import deque

SHORTEST = 0.25
LONGEST = 2.5
"""Seconds between two polls of one request. The API's own samples poll every 2-3 s."""

SHARE = 0.25
"""Longest lag, as a share of the age of the request: a question answered in 8 s is polled about a dozen times."""

LONGEST_REST = 30.0
"""Seconds without a poll at most, however long answers took lately."""

PER_SECOND = 300.0
"""Polls per second over all requests; beyond it, all requests are polled less often."""


class PollSchedule:
    """When each request is polled; it learns how long answers take. Times in seconds.

    `in_flight`: how many requests are being polled now.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self._lately: deque[float] = deque(maxlen=64)
        self._floor = 0.0

    def completed(self, seconds: float) -> None:
        """Note how long after its submit an answer was seen ready."""
        if seconds <= self._floor * 1.05:
            seconds /= 2  # ready before we first looked, nobody knows how long before
        self._lately.append(seconds)
        if len(self._lately) >= 8:
            # The tenth percentile, less what our own schedule adds to it.
            self._floor = sorted(self._lately)[len(self._lately) // 10] * 0.95

    def delay(self, age: float) -> float:
        """Return how long to wait, `age` seconds after the submit, before the next poll.

        >>> schedule = PollSchedule(); schedule.delay(0.0), schedule.delay(8.0), schedule.delay(60.0)
        (0.25, 2.0, 2.5)
        """
        if age < self._floor:
            return max(min(self._floor - age, LONGEST_REST), self.in_flight / PER_SECOND)
        # Past the floor the answer is near, so the lag may be smaller still.
        share, shortest = (SHARE / 2, SHORTEST / 2) if self._floor else (SHARE, SHORTEST)
        wait = min(LONGEST, max(shortest, age * share))
        return max(wait, self.in_flight / PER_SECOND)
