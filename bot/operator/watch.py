"""Looks at the house every few seconds: the metrics that nobody else sets, and what alerts and the page are made of."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

import bot
from bot.context import Context
from bot.errors import Unavailable
from bot.operator.conditions import Condition, HouseReading, conditions
from bot.store import dead_letters, operator
from bot.store.database import Tx
from bot.telemetry.metrics import PREFIX

EVERY = 15.0
"""Seconds between two looks."""
RATINGS_EVERY = 300.0
"""Seconds between two counts of the last day's ratings: they change slowly, and are many."""
DAY = 86_400.0
FORGOTTEN_AFTER = 3600.0
"""Seconds after which a process that is not heard of any more is no longer shown."""
MOST_OVER = 5
"""Things that were wrong and are over, which the page shows."""
NAMED = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the watch asks. `words`: of each part as /readyz says them. `waits_for`: see `HouseReading`. `is_shared`:
    other processes may work on the same database."""

    words: Callable[[], Awaitable[Mapping[str, str]]]
    waits_for: Callable[[], tuple[str, str] | None]
    is_shared: bool = False


class Seen(NamedTuple):
    """Something that is or was wrong, from when to when it was seen, in seconds since the epoch."""

    condition: Condition
    since: float
    until: float


class Watch:
    """What this process sees: the `latest` reading, what is wrong by its key, and what was wrong, the newest last."""

    def __init__(self, ctx: Context, surroundings: Surroundings) -> None:
        self._ctx = ctx
        self._surroundings = surroundings
        self._rated: tuple[int, int] = (0, 0)
        self._rated_at = -RATINGS_EVERY
        self._database_failed = ""
        self.latest = HouseReading(at=ctx.clock())
        self.troubles: dict[str, Seen] = {}
        self.over: deque[Seen] = deque(maxlen=MOST_OVER)
        self.processes: Mapping[str, Mapping[str, Any]] = {}
        """What the processes of the database say of themselves, by their names; none where there can be only one."""
        self._name = f"{socket.gethostname()} {os.getpid()}"
        self._began_at = ctx.clock()

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except Exception:
                    log.exception("watch.failed")
                await asyncio.sleep(EVERY)
        finally:
            if self._surroundings.is_shared:
                with suppress(Unavailable):  # else it is shown for a while as not heard of
                    await self._ctx.db.write(lambda tx: operator.forget_process(tx, self._name))

    async def look(self) -> HouseReading:
        """Look once."""
        now = self._ctx.clock()
        words = dict(await self._surroundings.words())
        stored: tuple[operator.OpenTurns, int, list[str], Mapping[str, Any]] | None = None
        try:
            stored = await self._ctx.db.read(_stored)
            if now - self._rated_at >= RATINGS_EVERY:
                self._rated = await self._ctx.db.read(lambda tx: operator.rated(tx, now - DAY, now + DAY))
                self._rated_at = now
        except Unavailable as error:
            words["database"] = "unavailable"
            self._database_failed = str(error)
        turns, dead, newest, limits = stored or (operator.OpenTurns(0, None, None), self.latest.dead, (), {"used": {}})
        problems = {check: self._ctx.problems.of(check) for check in self._ctx.problems}
        if words.get("database") != "ok" and self._database_failed:
            problems["database"] = self._database_failed
        self.latest = HouseReading(
            at=now,
            words=words,
            problems=problems,
            waits_for=self._surroundings.waits_for(),
            open_turns=turns.count,
            oldest=None
            if turns.reference is None or turns.accepted_at is None
            else (turns.reference, max(0.0, now - turns.accepted_at)),
            dead=dead,
            newest_dead=newest,
            limits=limits["used"],
            rated=self._rated,
            refused={name: said for name in self._ctx.adapters if (said := self._ctx.refused.sentence(name))},
        )
        self._remember(conditions(self.latest), now)
        self._show(self.latest)
        for route, used in limits.get("routes", {}).items():
            for name, ratio in used.items():
                self._ctx.metrics.route_limit_used_ratio.labels(route=route, limit=name).set(ratio)
        if self._surroundings.is_shared and stored is not None:
            await self._tell_of_itself(now)
        return self.latest

    async def _tell_of_itself(self, now: float) -> None:
        """Tell the other processes' pages of this one, and hear of them; a database that fails is told elsewhere."""
        wrong = next((seen.condition.sentence for seen in self.troubles.values()), "")
        open_turns = self._ctx.metrics.registry.get_sample_value(f"{PREFIX}turns_in_flight") or 0
        said = {"version": bot.__version__, "open": open_turns, "began_at": self._began_at, "wrong": wrong}
        name = self._name

        def work(tx: Tx) -> dict[str, Any]:
            operator.tell_of_process(tx, name, said, now, FORGOTTEN_AFTER)
            return operator.processes(tx)

        with suppress(Unavailable):
            self.processes = await self._ctx.db.write(work)

    def _remember(self, found: Sequence[Condition], now: float) -> None:
        """Keep since when something is wrong, and for how long it was."""
        keys = {condition.key for condition in found}
        for key in self.troubles.keys() - keys:
            self.over.append(self.troubles.pop(key))
        since = {key: seen.since for key, seen in self.troubles.items()}
        self.troubles = {one.key: Seen(one, since.get(one.key, now), now) for one in found}

    def _show(self, reading: HouseReading) -> None:
        metrics = self._ctx.metrics
        metrics.oldest_open_turn_seconds.set(0.0 if reading.oldest is None else reading.oldest[1])
        for check, word in reading.words.items():
            metrics.check_ok.labels(check=check).set(int(word == "ok"))
        for name, ratio in reading.limits.items():
            metrics.api_limit_used_ratio.labels(limit=name).set(ratio)


def _stored(tx: Tx) -> tuple[operator.OpenTurns, int, list[str], Mapping[str, Any]]:
    limits = operator.kept(tx, "limits") or {"used": {}}
    return operator.open_turns(tx), dead_letters.count(tx), operator.newest_dead(tx, NAMED), limits
