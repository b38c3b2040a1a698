"""The engine of one process: a task for every lane with work, each taking its lane's oldest open turn.

Rows made by other processes (the command line) are seen within two seconds. One engine per database: the
composition root holds a lock on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.context import Context
from bot.engine import Worker
from bot.engine.lanes import Lanes
from bot.engine.open_questions import OpenQuestions
from bot.errors import Unavailable
from bot.store import dead_letters, progress, turns
from bot.store.turns import Turn

LOOK_EVERY = 1.0
"""Seconds between two looks for rows of other processes."""
COME_BACK = 15.0
"""Seconds until a lane is looked at again that another process has taken over."""
RESUMED_TOGETHER = 100
RESUME_EVERY = 0.1
"""Of what is found open, so many turns go on at once, then more after so many seconds: as if they came one by one."""
AFTER_START = 5.0
"""Seconds that a question waits for its parts after a restart: they may have come while nobody was listening."""

log = structlog.get_logger(__name__)


class InProcessEngine(Lanes):
    """Runs turns by tasks of this process."""

    def __init__(self, ctx: Context, worker: Worker, wake_ratings: Callable[[], None]) -> None:
        super().__init__(ctx, worker, wake_ratings)
        self._resuming: asyncio.Task[None] | None = None

    @property
    def open_questions(self) -> int:
        """How many questions are accepted and not ended."""
        return len(self._open)

    def open_in(self, channel: str) -> int:
        """How many of them are of a channel."""
        return self._open.count(channel)

    async def start(self) -> None:
        """Go on with everything that was open when the last process ended."""
        await self.ctx.db.changed_elsewhere()  # from here on
        await self._rescan(at_start=True)

    async def run(self) -> None:
        """Look for rows of other processes until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await self.ctx.db.changed_elsewhere():
                    await self._rescan()
                self.ctx.metrics.dead_letters.set(await self.ctx.db.read(dead_letters.count))
            except Unavailable:
                log.warning("engine.database_unavailable")

    async def _rescan(self, *, at_start: bool = False) -> None:
        open_turns = await self.ctx.db.read(turns.open_turns)
        await self._mind_the_clock(open_turns)
        self._open = OpenQuestions(turn for turn in open_turns if turn.kind == "question" and not self._is_over(turn))
        self._show_count()
        left = await self.ctx.db.read(progress.with_progress_left)
        await self._stop_resuming()
        self._resuming = asyncio.get_running_loop().create_task(
            self._resume(open_turns, left, at_start=at_start), name="resume"
        )
        await asyncio.sleep(0)  # the first ones go on at once
        self._wake_ratings()

    async def _resume(self, open_turns: Sequence[Turn], left: Sequence[Turn], *, at_start: bool) -> None:
        """Go on with what was found, a slice at a time: all at once would take the place of everything else."""
        for start in range(0, len(open_turns), RESUMED_TOGETHER):
            if start:
                await asyncio.sleep(RESUME_EVERY)
            for turn in open_turns[start : start + RESUMED_TOGETHER]:
                if turn.id in self._open:  # else it has ended since
                    self._worker.show_progress(turn, is_new=False)
                    self._wait_for_parts(turn, at_start=at_start)
                self.wake(turn.lane)
        for start in range(0, len(left), RESUMED_TOGETHER):
            if start:
                await asyncio.sleep(RESUME_EVERY)
            for turn in left[start : start + RESUMED_TOGETHER]:
                self._worker.end_progress(turn)

    async def _stop_resuming(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
            await asyncio.gather(self._resuming, return_exceptions=True)

    def accepted(self, questions: Sequence[Turn], lanes: Sequence[str]) -> None:
        """New turns are stored: show that work on the questions has begun, and begin it."""
        for turn in questions:
            if self._is_over(turn):  # a stop that came right after it was faster
                continue
            is_new = turn.id not in self._open
            self._open.add(turn)
            self._show_count()
            self._worker.show_progress(turn, is_new=is_new)
            self._wait_for_parts(turn)
        for lane in lanes:
            self.wake(lane)

    def _wait_for_parts(self, turn: Turn, *, at_start: bool = False) -> None:
        """Begin a question when no more of its messages have come for a while."""
        if at_start and turn.ready_at is not None:
            self._waits.spawn(self._make_ready(turn, turn.ready_at, AFTER_START))
        else:
            super()._wait_for_parts(turn)

    def wake(self, lane: str) -> None:
        """A lane may have work."""
        if self._draining:
            return
        if lane in self._lanes:
            self._again.add(lane)
            return
        self._begin(lane, self._run_lane(lane))

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, let outside calls under way end and be stored, and stop within `seconds`."""
        await self._stop_resuming()
        await super().drain(seconds)

    def _leave_to_another(self, lane: str) -> None:
        asyncio.get_running_loop().call_later(COME_BACK, self.wake, lane)  # should that process die
