"""Polls of all requests, in time and within the budget of their API key: one queue and one timer a key."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import Sequence
from typing import Final

import structlog
from pydantic import SecretStr

from bot.context import Context
from bot.store import meta
from bot.store.database import Tx
from bot.turns.poll_schedule import CompletionTimes, next_age

BUDGET: Final = 300.0
"""Polls a second of all requests of one API key, as long as the API says nothing against it."""
LEAST: Final = 5.0
"""Polls a second that are left after many 429s."""
RECOVERY: Final = 60.0
"""Seconds in which the budget grows from nothing to its full size after the last 429."""
SAME_429: Final = 1.0
"""Seconds in which several 429s are one: they were on their way together."""
BURST: Final = 0.25
"""Seconds of budget that may be spent at once."""

SOON: Final = (2, 4, 8, 16)
OFTEN: Final = 16
REST: Final = 5.0
"""The schedule is made anew after so many answers, then after every OFTEN, but not twice in REST seconds."""
KEPT_EVERY: Final = 60.0
"""Seconds between two savings of what was learnt, so that a restart forgets little."""

log = structlog.get_logger(__name__)


class PollQueue:
    """When a poll of one API key may be made. `open_requests`: how many are being polled; kept by their polls."""

    def __init__(self) -> None:
        self.open_requests = 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._made = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next_free = 0.0
        self._floor, self._since = BUDGET, 0.0

    def budget(self, now: float) -> float:
        """Return how many polls a second are allowed now."""
        return min(BUDGET, self._floor + BUDGET * (now - self._since) / RECOVERY)

    def limited(self) -> None:
        """The API said 429: half the budget from now on, growing again."""
        now = asyncio.get_running_loop().time()
        if now - self._since >= SAME_429 or self._floor == BUDGET:
            self._floor, self._since = max(LEAST, self.budget(now) / 2), now

    async def turn(self, wait: float) -> None:
        """Return after `wait` seconds, or when the budget allows it."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        # With too many requests each is polled less often, or the last ones would never be polled.
        due = now + max(wait, self.open_requests / self.budget(now))
        future: asyncio.Future[None] = loop.create_future()
        self._made += 1
        heapq.heappush(self._waiting, (due, self._made, future))
        if self._waiting[0][2] is future:
            self._pump()
        await future

    def _pump(self) -> None:
        """Let go whoever may poll now, and come again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        pause = 1.0 / self.budget(now)
        while self._waiting:
            due, _, future = self._waiting[0]
            free = max(due, self._next_free - BURST)
            if not future.done() and free > now:
                self._timer = loop.call_at(free, self._pump)
                return
            heapq.heappop(self._waiting)
            if not future.done():
                self._next_free = max(self._next_free, now) + pause
                future.set_result(None)


class RoutePolling:
    """The polls of one route's requests: its own completion times, the queue of its key."""

    def __init__(self, name: str, queue: PollQueue, weights: Sequence[float]) -> None:
        self.name = name
        self.queue = queue
        self._times = CompletionTimes(weights)
        self._schedule = self._times.schedule()
        self._answers = 0
        self._fresh = 0
        self._to_keep: str | None = None
        self._made_at = self._kept_at = asyncio.get_running_loop().time()

    async def wait(self, age: float) -> None:
        """Wait for the moment to poll a request, `age` seconds after its submit."""
        await self.queue.turn(next_age(self._schedule, age) - age)

    def saw(self, after: float, until: float) -> None:
        """Learn that an answer was not ready at `after`, and ready at `until`, in seconds since the submit."""
        self._times.saw(after, until)
        self._answers += 1
        self._fresh += 1
        now = asyncio.get_running_loop().time()
        rested = self._fresh >= OFTEN and now - self._made_at >= REST
        if self._answers in SOON or rested:
            self._schedule, self._fresh, self._made_at = self._times.schedule(), 0, now
        if now - self._kept_at >= KEPT_EVERY or self._answers in SOON:
            self._kept_at, self._to_keep = now, json.dumps(self._times.weights())

    def keep(self, tx: Tx) -> None:
        """Store what was learnt, now and then. The writer's thread calls it."""
        if self._to_keep is not None:
            meta.keep_completion_times(tx, self.name, self._to_keep)
            self._to_keep = None


class Polling:
    """The polls of all routes. Two routes with one API key share its budget."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._routes: dict[str, RoutePolling] = {}
        self._queues: dict[SecretStr | None, PollQueue] = {}

    async def of(self, route: str) -> RoutePolling:
        """Return the polls of a route; the first time what was learnt of it is read."""
        if route not in self._routes:
            stored = await self._ctx.recall(lambda tx: meta.completion_times(tx, route))
            queue = self._queues.setdefault(self._ctx.api_key_of(route), PollQueue())
            self._routes.setdefault(route, RoutePolling(route, queue, _weights(stored)))
        return self._routes[route]


def _weights(stored: str | None) -> list[float]:
    """Read what an earlier process learnt; what another version wrote otherwise is learnt anew."""
    try:
        weights = json.loads(stored or "[]")
        return [float(weight) for weight in weights]
    except (ValueError, TypeError):
        log.warning("poll.times_unreadable")
        return []
