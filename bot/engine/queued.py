"""The engine of several processes on one PostgreSQL: a job of pgqueuer for every lane with work, which drains the lane.

    accepting transaction ── job deferred ──▶ picked by any process ── lane is drained ──▶ job deleted ── looked again
                                │                      │
                                │                      └── heartbeats stay away for STALE seconds: picked anew elsewhere
                                └── a job is there: its holder is told that more has come

Whoever holds the lane does all for it: shows progress, waits for further parts of a question, removes what it showed.
What a lost notice left without a job is found by a sweep, in every process.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from bot.context import Context
from bot.engine import Worker
from bot.engine.jobs import Held, JobQueue
from bot.engine.lanes import Lanes
from bot.engine.ownership import act_for, is_lost
from bot.engine.waiting_notices import WaitingNotices
from bot.errors import Unavailable
from bot.store import dead_letters, jobs, progress
from bot.store.turns import Turn

LOOK_EVERY: Final = 1.0
"""Seconds between two looks for ratings and counts that other processes may have changed."""
SWEEP_EVERY: Final = 2.0
"""Seconds between two looks for lanes with work and without a job."""
RECENT: Final = 5.0
"""Seconds in which a question that nobody told of is looked for."""
PATIENCE: Final = 0.5
"""Seconds after which a lane that waits for parts of a question is looked at again, though nobody told of any."""
FRESH: Final = 0.05
"""Seconds for which what was read of a lane is good enough to begin with: what has changed since is noticed later."""
LEFT_OVER_AFTER: Final = 20.0
LEFT_OVER_EVERY: Final = 5.0
"""Seconds after a turn's end from which the removal of its progress is another process's too, and between two looks."""

log = structlog.get_logger(__name__)


class QueuedEngine(Lanes):
    """Runs turns for the jobs of lanes that this process picks."""

    def __init__(self, ctx: Context, worker: Worker, wake_ratings: Callable[[], None], queue: JobQueue) -> None:
        super().__init__(ctx, worker, wake_ratings)
        self._queue = queue
        self._counts = Counter[str]()
        self._changes = 0
        self._new_notices: set[str] = set()
        self._more: dict[str, asyncio.Event] = {}
        self._given_up: set[str] = set()
        self._shown: dict[str, dict[tuple[int, float | None], Turn]] = {}
        self._seen: dict[str, list[Turn]] = {}
        self._looked_at: dict[str, float] = {}
        queue.on(jobs.LANE, self._drain_lane)

    @property
    def open_questions(self) -> int:
        """How many questions are accepted and not ended, in all processes, as counted last."""
        return self._counts.total()

    def open_in(self, channel: str) -> int:
        """How many of them are of a channel."""
        return self._counts[channel]

    async def start(self) -> None:
        """Pick jobs from now on, those of processes that died among them."""
        await self._queue.listen_for_more(self.wake)
        await self._look()
        self._queue.start()

    async def run(self) -> None:
        """Look for what nobody told of, until cancelled."""
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self._look()
                if loop.time() >= sweep_at:
                    sweep_at = loop.time() + SWEEP_EVERY
                    await self._sweep()
            except Unavailable:
                log.warning("engine.database_unavailable")

    async def _look(self) -> None:
        changes = self._changes
        counts = await self.ctx.db.read(jobs.count_open_questions)
        if changes == self._changes:
            self._counts = Counter(counts)
        self._show_count()
        self._new_notices = set()
        waiting = await self.ctx.db.read(jobs.lanes_of_notices)
        self._notices = WaitingNotices(waiting | self._new_notices)
        self.ctx.metrics.dead_letters.set(await self.ctx.db.read(dead_letters.count))
        self._wake_ratings()
        since = self.ctx.clock() - RECENT
        lately = await self.ctx.db.read(partial(jobs.accepted_since, since=since))
        await self._mind_the_clock(lately)
        for turn in lately:
            self._show(turn)

    async def _sweep(self) -> None:
        if lanes := await self.ctx.db.read(jobs.without_job):
            log.info("engine.swept", lanes=len(lanes))
            await self._queue.defer(jobs.LANE, sorted(lanes))

    def accepted(self, questions: Sequence[Turn], lanes: Sequence[str]) -> None:
        """New turns are stored, and their lanes' jobs with them; what is held here need not be told by the database."""
        for turn in questions:
            self._change_count(turn, 1)
        for turn in questions:  # they must not wait for a sign until the lane comes to them
            self._show(turn)
        for lane in {*lanes, *(turn.lane for turn in questions)}:
            if not self._go_on(lane):  # whoever picks it, what waits there is known from now on
                self._notices.add(lane)
                self._new_notices.add(lane)

    def _change_count(self, turn: Turn, by: int) -> None:
        channel = turn.address.channel
        self._changes += 1
        self._counts[channel] = max(0, self._counts[channel] + by)
        self._show_count()

    def _show_count(self) -> None:
        self.ctx.metrics.turns_in_flight.set(self.open_questions)

    def _forget(self, turn: Turn) -> None:
        super()._forget(turn)
        if turn.kind == "question":
            self._change_count(turn, -1)

    def wake(self, lane: str) -> None:
        """More has come for a lane that may be held here."""
        if self._go_on(lane):
            self._waits.spawn(self._show_all(lane))

    def _go_on(self, lane: str) -> bool:
        """Let the lane be looked at again, if it is held here."""
        if lane not in self._lanes or self._draining:
            return False
        self._again.add(lane)
        self._more[lane].set()
        return True

    async def drain(self, seconds: float) -> None:
        """Pick nothing more, let outside calls under way end and be stored, and leave the lanes to other processes."""
        self._queue.pick_no_more()
        await super().drain(seconds)

    async def remove_left_over(self) -> None:
        """Remove the progress of turns whose process died before it could, until cancelled. In one process a time."""
        while True:
            before = self.ctx.clock() - LEFT_OVER_AFTER
            for turn in await self.ctx.recall(partial(progress.with_progress_left, before=before)):
                self._worker.end_progress(turn)
            await asyncio.sleep(LEFT_OVER_EVERY)

    async def _drain_lane(self, held: Held) -> None:
        """Do a lane's job. It ends without an error in any case: whether something is left is looked at afterwards."""
        if self._draining or held.key in self._lanes:
            return
        self._more[held.key] = asyncio.Event()
        await asyncio.gather(self._begin(held.key, self._run_held_lane(held)), return_exceptions=True)

    async def _run_held_lane(self, held: Held) -> None:
        act_for(held)
        await self._run_lane(held.key)

    async def _run_lane(self, lane: str) -> None:
        self._shown[lane] = {}
        try:
            self._seen[lane] = await self._show_all(lane)
            self._looked_at[lane] = asyncio.get_running_loop().time()
            while self._seen[lane]:
                await self._work_until_empty(lane)
                if self._draining or is_lost() or lane in self._given_up:
                    break
                if self._seen[lane]:
                    await self._wait_for_more(lane)
        finally:
            if not self._draining:
                for turn in self._shown[lane].values():
                    self._worker.leave_progress(turn)
            self._leave(lane)

    async def _next_of(self, lane: str) -> Turn | None:
        if asyncio.get_running_loop().time() - self._looked_at.pop(lane, -math.inf) > FRESH:
            self._seen[lane] = self._show_these(await self.ctx.db.read(lambda tx: jobs.open_in_lane(tx, lane)))
        return next((turn for turn in self._seen[lane] if turn.ready_at is None), None)

    async def _show_all(self, lane: str) -> list[Turn]:
        return self._show_these(await self.ctx.recall(lambda tx: jobs.open_in_lane(tx, lane)))

    def _show_these(self, found: list[Turn]) -> list[Turn]:
        """Show that work on a lane's questions has begun."""
        for turn in found:
            self._show(turn)
        return found

    def _show(self, turn: Turn) -> None:
        """Show that work on an open question has begun, if its lane is held here, and wait for its parts."""
        shown = self._shown.get(turn.lane)
        if shown is not None and (turn.id, turn.ready_at) not in shown and not self._is_over(turn):
            shown[turn.id, turn.ready_at] = turn
            self._worker.show_progress(turn, is_new=False)
            self._wait_for_parts(turn)

    async def _wait_for_more(self, lane: str) -> None:
        """What is open waits for parts: go on when it is told that something came, or after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._more[lane].wait()
        self._more[lane].clear()

    def _leave_to_another(self, lane: str) -> None:
        self._given_up.add(lane)

    def _leave(self, lane: str) -> None:
        super()._leave(lane)
        self._new_notices.discard(lane)
        del self._more[lane], self._shown[lane]
        self._seen.pop(lane, None)
        self._looked_at.pop(lane, None)
        self._given_up.discard(lane)
