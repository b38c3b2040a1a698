"""Deliveries that were refused for a wrong signature or secret: counted, warned of, remembered for an hour."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable

import structlog

from bot.telemetry.metrics import Metrics

MINUTE = 60.0
HOUR = 3600.0

log = structlog.get_logger(__name__)


class RefusedDeliveries:
    """Those of this process. Time is in seconds since the epoch; what is kept is a number a minute, whatever comes."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._minutes: defaultdict[tuple[str, str], deque[list[float]]] = defaultdict(lambda: deque(maxlen=61))
        self._warned_at: defaultdict[str, float] = defaultdict(lambda: -math.inf)

    def note(self, channel: str, reason: str, hint: str) -> None:
        """Count one; see `bot.adapter.Host.note_refused`."""
        self._metrics.refused_deliveries_total.labels(channel=channel, reason=reason).inc()
        if not hint:
            return
        now = self._clock()
        minute, minutes = now // MINUTE, self._minutes[channel, hint]
        if not minutes or minutes[-1][0] != minute:
            minutes.append([minute, 0])
        minutes[-1][1] += 1
        if not 0 <= now - self._warned_at[channel] < MINUTE:
            self._warned_at[channel] = now
            log.warning("deliveries.refused", channel=channel, reason=reason, detail=self.sentence(channel))

    def sentence(self, channel: str) -> str:
        """Say how many were refused in the last hour and what may be wrong, "" for none."""
        since = (self._clock() - HOUR) // MINUTE
        found = []
        for (of, hint), minutes in self._minutes.items():
            number = int(sum(count for minute, count in minutes if minute >= since)) if of == channel else 0
            if number:
                deliveries = "1 delivery" if number == 1 else f"{number} deliveries"
                found.append(f"{deliveries} refused in the last hour: {hint}")
        return " ".join(found)
