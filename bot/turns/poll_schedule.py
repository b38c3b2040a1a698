"""When to ask the API again: the fewest polls for the least lag, from how long answers of a site take.

The API has no callback, and says of an answer only whether it is ready. So each answer tells that it became ready
between two polls. A histogram over the logarithm of time remembers that, and forgets it slowly, for sites change. The
schedule is the best for that histogram: the ages at which to poll so that the mean lag plus the price of the polls is
least, found backwards from the end (dynamic programming). What has never been seen is not impossible: some weight stays
on every age.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

PRICE: Final = 0.2
"""Seconds of lag that one poll is worth. Answers that take 5-60 s are then polled six times and seen 1.4 s late."""
LEAST_PRICE: Final = 0.1
SHARE: Final = 1 / 30
"""The price is this share of the median where that is less: who waits 4 s feels half a second more."""

AT_ONCE: Final = 0.25
"""Seconds after the submit of the first poll as long as nothing is known of the site: many answers are quick."""

STEADY: Final = 30.0
SLOWEST_BEAT: Final = 2.5
"""From an age of STEADY seconds on, a request is polled every SLOWEST_BEAT seconds at most."""
QUICKEST_BEAT: Final = 0.1
LONGEST_REST: Final = 15.0
"""Seconds between two polls beyond the ages that the schedule covers."""

_FIRST, _LAST, _RATIO = 0.1, 900.0, 1.03
_EDGES: Final = (0.0, *(_FIRST * _RATIO**i for i in range(math.ceil(math.log(_LAST / _FIRST, _RATIO)) + 1)))
_BINS: Final = len(_EDGES) - 1
_MIDDLES: Final = tuple((_EDGES[i] + _EDGES[i + 1]) / 2 for i in range(_BINS))

_UNSEEN_WEIGHT: Final = 1.5
_KEPT: Final = 0.994
"""What an observation counts for after the next one: one of 115 answers ago counts half."""
_BLUR: Final = 0.3
"""An answer that came at 10 s says that one may come at 7 s or 13 s."""

_EXPECTED: Final = 0.65
"""The share of an observation that goes where answers were seen before."""


def _unseen() -> tuple[float, ...]:
    """The weight of each bin before anything was seen: ready at once, or any time, equal by the logarithm."""
    quick = [AT_ONCE / 2 < edge <= AT_ONCE for edge in _EDGES[1:]]
    later = [AT_ONCE < edge <= 600.0 for edge in _EDGES[1:]]
    half = _UNSEEN_WEIGHT / 2
    return tuple(half * q / sum(quick) + half * late / sum(later) for q, late in zip(quick, later, strict=True))


_UNSEEN: Final = _unseen()


class CompletionTimes:
    """How long answers of one site take, as far as polls can tell. Times in seconds since the submit."""

    def __init__(self, weights: Sequence[float] = ()) -> None:
        self._seen = list(weights) if len(weights) == _BINS else [0.0] * _BINS
        self._grown = 1.0

    def saw(self, after: float, until: float) -> None:
        """Learn of one answer: it was not ready at `after` (0.0 for never polled before), and ready at `until`."""
        after, until = max(after, until / 4) * (1 - _BLUR), max(until, _FIRST) * (1 + _BLUR)
        first = max(1, bisect_right(_EDGES, after) - 1)
        last = min(_BINS, max(first + 1, bisect_left(_EDGES, until)))
        overlaps = [max(0.0, math.log(min(until, _EDGES[i + 1]) / max(after, _EDGES[i]))) for i in range(first, last)]
        likely = [
            (self._seen[i] / self._grown + _UNSEEN[i]) * o for i, o in zip(range(first, last), overlaps, strict=True)
        ]
        # More where such answers were seen before, which sharpens what is known; the rest anywhere between the two
        # polls, which finds out what has changed.
        span, known = sum(overlaps) or 1.0, sum(likely) or 1.0
        self._grown /= _KEPT
        for i, (overlap, weight) in enumerate(zip(overlaps, likely, strict=True), first):
            self._seen[i] += self._grown * (_EXPECTED * weight / known + (1 - _EXPECTED) * overlap / span)
        if self._grown > 1e6:
            self._seen, self._grown = self.weights(), 1.0

    def weights(self) -> list[float]:
        """Return what is known, for `CompletionTimes(weights)` after a restart; JSON takes it."""
        return [round(weight / self._grown, 4) for weight in self._seen]

    def schedule(self) -> tuple[float, ...]:
        """Return the best ages to poll at, in order.

        >>> [round(age, 1) for age in CompletionTimes().schedule()][:8]
        [0.2, 1.3, 3.2, 5.9, 9.2, 13.1, 17.6, 22.3]
        """
        weights = [seen / self._grown + unseen for seen, unseen in zip(self._seen, _UNSEEN, strict=True)]
        total = sum(weights)
        return _best_ages([weight / total for weight in weights], self._price())

    def _price(self) -> float:
        grown = list(accumulate(self._seen))
        if grown[-1] <= 0.0:
            return PRICE
        median = _EDGES[1 + bisect_left(grown, grown[-1] / 2)]
        return min(PRICE, max(LEAST_PRICE, SHARE * median))


def _best_ages(chances: Sequence[float], price: float) -> tuple[float, ...]:
    """Find the ages with the least sum of mean lag and price of the mean number of polls.

    `chances[i]`: that an answer becomes ready in bin i. A poll at edge i is followed by the one at edge j for which the
    polls, the lag of what becomes ready in between, and the best that follows cost least.
    """
    cost, following = [0.0] * (_BINS + 1), [_BINS] * (_BINS + 1)
    open_still = 0.0
    for i in range(_BINS - 1, -1, -1):
        open_still += chances[i]
        cost[i] = math.inf
        ready, weighted = 0.0, 0.0
        for j in range(i + 1, _BINS + 1):
            ready += chances[j - 1]
            weighted += chances[j - 1] * _MIDDLES[j - 1]
            here = price * open_still + _EDGES[j] * ready - weighted
            if here >= cost[i]:
                break  # waiting longer only costs more
            beat = SLOWEST_BEAT if _EDGES[j] >= STEADY else QUICKEST_BEAT
            if i and _EDGES[j] - _EDGES[i] < beat:
                continue
            if here + cost[j] < cost[i]:
                cost[i], following[i] = here + cost[j], j
    ages, i = [], 0
    while i < _BINS:
        i = following[i]
        ages.append(_EDGES[i])
    return tuple(ages)


def next_age(schedule: Sequence[float], age: float) -> float:
    """Return the age at which a request of this age is polled next.

    >>> next_age((1.0, 2.0, 4.0), 1.0), next_age((1.0, 2.0, 4.0), 3.0), next_age((1.0, 2.0, 4.0), 9.0)
    (2.0, 4.0, 24.0)
    """
    place = bisect_right(schedule, age)
    return schedule[place] if place < len(schedule) else age + LONGEST_REST
