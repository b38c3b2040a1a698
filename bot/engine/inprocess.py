"""The engine of one process: a task for every lane with work, each taking its lane's oldest open turn.

Rows made by other processes (the command line) are seen within two seconds. One engine per database: the
composition root holds a lock on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.context import Context
from bot.engine import EndOfAttempt, TakenTurn, Worker
from bot.engine.admission import AdmissionQueue
from bot.errors import Unavailable
from bot.shared import BackgroundTasks
from bot.store import dead_letters, turns
from bot.store.turns import Fenced, Turn

LOOK_EVERY = 1.0
"""Seconds between two looks for rows of other processes."""
COME_BACK = 15.0
"""Seconds until a lane is looked at again that another process has taken over."""
RESUMED_TOGETHER = 100
RESUME_EVERY = 0.1
"""Of what is found open, so many turns go on at once, then more after so many seconds: as if they came one by one."""
AFTER_START = 5.0
"""Seconds that a question waits for its parts after a restart: they may have come while nobody was listening."""
MOST_ERRORS = 4
"""Unexpected errors of one turn in this process before it becomes a dead letter."""

log = structlog.get_logger(__name__)


class InProcessEngine:
    """Runs turns by tasks of this process. `wake_ratings` is called when rows may have come from elsewhere."""

    def __init__(self, ctx: Context, worker: Worker, wake_ratings: Callable[[], None]) -> None:
        self.ctx = ctx
        self._worker = worker
        self._wake_ratings = wake_ratings
        self._admission = AdmissionQueue(ctx.db)
        self._open: set[int] = set()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._taken: dict[str, TakenTurn] = {}
        self._errors: dict[int, int] = {}
        self._resuming: asyncio.Task[None] | None = None
        self._waits = BackgroundTasks()
        self._draining = False

    @property
    def open_questions(self) -> int:
        """How many questions are accepted and not ended."""
        return len(self._open)

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
        self._open = {turn.id for turn in open_turns if turn.kind == "question"}
        self._show_count()
        left = await self.ctx.db.read(turns.with_progress_left)
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
                    self._worker.show_progress(turn)
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
            self._open.add(turn.id)
            self._show_count()
            self._worker.show_progress(turn)
            self._wait_for_parts(turn)
        for lane in lanes:
            self.wake(lane)

    def _wait_for_parts(self, turn: Turn, *, at_start: bool = False) -> None:
        """Begin a question when no more of its messages have come for a while."""
        if turn.ready_at is None:
            return
        # A clock that was set back must not make it wait longer.
        seconds = min(max(0.0, turn.ready_at - self.ctx.clock()), self.ctx.config.input.join_seconds)
        self._waits.spawn(self._make_ready(turn, turn.ready_at, AFTER_START if at_start else seconds))

    async def _make_ready(self, turn: Turn, ready_at: float, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if await self.ctx.persist(lambda tx: turns.make_ready(tx, turn.id, ready_at)):
            self.wake(turn.lane)

    def wake(self, lane: str) -> None:
        """A lane may have work."""
        if self._draining:
            return
        if lane in self._lanes:
            self._again.add(lane)
            return
        self._lanes[lane] = asyncio.get_running_loop().create_task(self._run_lane(lane), name=f"lane {lane}")

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, let outside calls under way end and be stored, and stop within `seconds`."""
        self._draining = True
        await self._stop_resuming()
        self._waits.cancel()
        for lane, task in list(self._lanes.items()):
            taken = self._taken.get(lane)
            if taken is not None:
                taken.draining = True
            if taken is None or not taken.busy:
                task.cancel()
        await self._worker.drain()
        tasks = list(self._lanes.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._waits.drain()

    def _show_count(self) -> None:
        self.ctx.metrics.turns_in_flight.set(self.open_questions)

    async def _run_lane(self, lane: str) -> None:
        try:
            await self._admission.enter()
            while not self._draining:
                self._again.discard(lane)
                if not await self._work_on_next(lane) and lane not in self._again:
                    break
        finally:
            del self._lanes[lane]
            self._taken.pop(lane, None)
            self._again.discard(lane)

    async def _work_on_next(self, lane: str) -> bool:
        """Work on the lane's oldest open turn; False when there is none."""
        try:
            now = self.ctx.clock()
            found = await self.ctx.db.write(lambda tx: turns.take(tx, lane, now))
        except Unavailable:
            await asyncio.sleep(1.0)
            return True
        if found is None:
            return False
        taken = self._taken[lane] = TakenTurn(*found)
        turn = taken.turn
        with structlog.contextvars.bound_contextvars(reference=turn.reference, channel=turn.address.channel):
            try:
                await self._worker.work(taken)
            except Fenced:
                return await self._after_takeover(turn)
            except EndOfAttempt:
                return True
            except Exception as error:
                await self._handle_mistake(taken, error)
                return True
        self._forget(turn)
        return True

    async def _after_takeover(self, turn: Turn) -> bool:
        """Another process took the turn: leave it the lane, or go on when it has ended the turn."""
        if await self.ctx.recall(lambda tx: turns.is_open(tx, turn.id)):
            asyncio.get_running_loop().call_later(COME_BACK, self.wake, turn.lane)  # should that process die
            return False
        self._forget(turn)
        self._worker.end_progress(turn)
        return True

    def _forget(self, turn: Turn) -> None:
        self._errors.pop(turn.id, None)
        self._open.discard(turn.id)
        self._show_count()

    async def _handle_mistake(self, taken: TakenTurn, error: Exception) -> None:
        """A mistake of ours must not stop a conversation for ever: try again, then end the turn as a dead letter."""
        turn = taken.turn
        times = self._errors[turn.id] = self._errors.get(turn.id, 0) + 1
        log.exception("turn.unexpected", times=times)
        if times < MOST_ERRORS:
            await asyncio.sleep(0.5 * 2**times)
            return
        why = f"An unexpected {type(error).__name__} came {times} times; see the log."
        await self._worker.dead_letter(taken, why)
        self._forget(turn)
