"""How a lane is worked on, whichever engine says that it has work: its oldest open turn, one attempt at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

import structlog

from bot.context import Context
from bot.engine import EndOfAttempt, TakenTurn, Worker
from bot.engine.admission import AdmissionQueue
from bot.engine.open_questions import OpenQuestions
from bot.engine.ownership import is_lost
from bot.engine.waiting_notices import WaitingNotices
from bot.errors import Unavailable
from bot.shared import BackgroundTasks, BoundedDict
from bot.store import questions, turns
from bot.store.turns import Fenced, Turn

MOST_ERRORS = 4
"""Unexpected errors of one turn in this process before it becomes a dead letter."""
ENDED = 1000
"""So many turns that ended last are remembered: whoever accepted one, or has just read it as open, may come later."""

log = structlog.get_logger(__name__)


class Lanes:
    """The lanes that this process works on, a task each; the base of both engines.

    `wake_ratings` is called when rows may have come from elsewhere.
    """

    def __init__(self, ctx: Context, worker: Worker, wake_ratings: Callable[[], None]) -> None:
        self.ctx = ctx
        self._worker = worker
        self._wake_ratings = wake_ratings
        self._admission = AdmissionQueue(ctx.db)
        self._open = OpenQuestions()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._notices = WaitingNotices()
        self._again: set[str] = set()
        self._taken: dict[str, TakenTurn] = {}
        self._errors: dict[int, int] = {}
        self._ended: BoundedDict[tuple[int, int], None] = BoundedDict(ENDED)
        self._waits = BackgroundTasks()
        self._draining = False

    def wake(self, lane: str) -> None:
        """A lane may have work."""
        raise NotImplementedError

    def notices_in(self, channel: str) -> int:
        """See `engine.Engine`."""
        return self._notices.count(channel)

    def _begin(self, lane: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A lane is worked on from now on."""
        self._notices.add(lane)
        task = self._lanes[lane] = asyncio.get_running_loop().create_task(work, name=f"lane {lane}")
        return task

    async def _mind_the_clock(self, open_turns: Sequence[Turn]) -> None:
        """The clock may have been set back since they were accepted."""
        now = self.ctx.clock()
        if any(turn.accepted_at > now + questions.CLOCKS_DIFFER for turn in open_turns):
            with contextlib.suppress(Unavailable):
                await self.ctx.db.write(partial(questions.not_in_the_future, now=now))

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, let outside calls under way end and be stored, and stop within `seconds`."""
        self._draining = True
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

    def _wait_for_parts(self, turn: Turn) -> None:
        """Begin a question when no more of its messages have come for a while."""
        if turn.ready_at is not None:
            # A clock that was set back must not make it wait longer.
            seconds = min(max(0.0, turn.ready_at - self.ctx.clock()), self.ctx.config.input.join_seconds)
            self._waits.spawn(self._make_ready(turn, turn.ready_at, seconds))

    async def _make_ready(self, turn: Turn, ready_at: float, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if await self.ctx.persist(lambda tx: turns.make_ready(tx, turn.id, ready_at)):
            self.wake(turn.lane)

    def _show_count(self) -> None:
        self.ctx.metrics.turns_in_flight.set(len(self._open))

    async def _run_lane(self, lane: str) -> None:
        try:
            await self._work_until_empty(lane)
        finally:
            self._leave(lane)

    async def _work_until_empty(self, lane: str) -> None:
        """Work on a lane until it has no turn that could be worked on."""
        with self.ctx.metrics.lanes_waiting.labels(reason="admission").track_inprogress():
            await self._admission.enter()
        while not self._draining and not is_lost():
            self._again.discard(lane)
            if not await self._work_on_next(lane) and lane not in self._again:
                break

    def _leave(self, lane: str) -> None:
        """A lane is worked on no more."""
        del self._lanes[lane]
        self._notices.discard(lane)
        self._taken.pop(lane, None)
        self._again.discard(lane)

    async def _work_on_next(self, lane: str) -> bool:
        """Work on the lane's oldest open turn; False when there is none."""
        try:
            taken = await self._take(lane)
        except Unavailable:
            await asyncio.sleep(1.0)
            return True
        if taken is None:
            return False
        self._taken[lane], turn = taken, taken.turn
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

    async def _take(self, lane: str) -> TakenTurn | None:
        found = await self._next_of(lane)
        if found is None:
            return None
        if found.attempt == 0:
            return TakenTurn(found, {})  # its first write takes it
        now = self.ctx.clock()
        taken = await self.ctx.db.write(lambda tx: turns.take(tx, lane, now))
        return None if taken is None else TakenTurn(*taken)

    async def _next_of(self, lane: str) -> Turn | None:
        """Look for the turn of the lane that is to be worked on."""
        return await self.ctx.db.read(lambda tx: turns.next_of(tx, lane))

    async def _after_takeover(self, turn: Turn) -> bool:
        """Another process took the turn: leave it the lane, or go on when it has ended the turn."""
        if await self.ctx.recall(lambda tx: turns.is_open(tx, turn.id)):
            self._leave_to_another(turn.lane)
            return False
        self._forget(turn)
        self._worker.end_progress(turn)
        return True

    def _leave_to_another(self, lane: str) -> None:
        """Another process works on a lane."""
        raise NotImplementedError

    def _is_over(self, turn: Turn) -> bool:
        """Whether a turn has ended here, though somebody still takes it for open."""
        return (turn.id, turn.generation) in self._ended

    def _forget(self, turn: Turn) -> None:
        self._ended[turn.id, turn.generation] = None
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
