"""The engine of one process: a task for every lane with work, each taking its lane's oldest open turn.

Rows made by other processes (the command line) are seen within two seconds. One engine per database: the
composition root holds a lock on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from bot.calm import Calm
from bot.context import Context
from bot.engine.steps import Draining, Overtaken, Steps, recall
from bot.errors import Unavailable
from bot.store import dead, turns
from bot.store.turns import Fenced, Turn

LOOK_EVERY = 1.0
"""Seconds between two looks for rows of other processes."""
COME_BACK = 15.0
"""Seconds until a lane is looked at again that another process has taken over."""
PATIENCE = 4
"""Unexpected errors of one turn in this process before it becomes a dead letter."""

log = structlog.get_logger(__name__)


class Board(Protocol):
    """What shows people that work goes on; `bot.progress.Board` is the real one."""

    def begin(self, turn: Turn) -> None:
        """Show that work has begun."""
        ...

    def end(self, turn: Turn) -> None:
        """Remove every sign of it."""
        ...

    async def drain(self) -> None:
        """Stop, and remove nothing."""
        ...


Work = Callable[[Steps], Awaitable[None]]
Bury = Callable[[Steps, str], Awaitable[None]]


class Engine:
    """Runs turns. `work` brings one to its end; `bury` ends one that `work` cannot."""

    def __init__(self, ctx: Context, board: Board, work: Work, bury: Bury) -> None:
        self.ctx = ctx
        self._open: set[int] = set()
        self._board = board
        self._calm = Calm(ctx.db)
        self._work = work
        self._bury = bury
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._steps: dict[str, Steps] = {}
        self._errors: dict[int, int] = {}
        self._draining = False

    @property
    def open_questions(self) -> int:
        """How many questions are accepted and not ended."""
        return len(self._open)

    async def start(self) -> None:
        """Go on with everything that was open when the last process ended."""
        await self.ctx.db.changed_elsewhere()  # from here on
        await self._rescan()

    async def run(self) -> None:
        """Look for rows of other processes until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await self.ctx.db.changed_elsewhere():
                    await self._rescan()
                self.ctx.metrics.dead_letters.set(await self.ctx.db.read(dead.count))
            except Unavailable:
                log.warning("engine.database_unavailable")

    async def _rescan(self) -> None:
        found = await self.ctx.db.read(turns.open_turns)
        self._open = {turn.id for turn in found if turn.kind == "question"}
        self._counted()
        for turn in found:
            self._board.begin(turn)
            self.wake(turn.lane)
        for turn in await self.ctx.db.read(turns.to_clean):
            self._board.end(turn)
        self.ctx.wake_feedback()

    def accepted(self, questions: Sequence[Turn], lanes: Sequence[str]) -> None:
        """New turns are stored: show that work has begun, and begin it."""
        for turn in questions:
            self._open.add(turn.id)
            self._counted()
            self._board.begin(turn)
        for lane in lanes:
            self.wake(lane)

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
        for lane, task in list(self._lanes.items()):
            steps = self._steps.get(lane)
            if steps is not None:
                steps.draining = True
            if steps is None or not steps.busy:
                task.cancel()
        await self._board.drain()
        tasks = list(self._lanes.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _counted(self) -> None:
        self.ctx.metrics.turns_in_flight.set(self.open_questions)

    async def _run_lane(self, lane: str) -> None:
        try:
            await self._calm.enter()
            while not self._draining:
                self._again.discard(lane)
                if not await self._one(lane) and lane not in self._again:
                    break
        finally:
            del self._lanes[lane]
            self._steps.pop(lane, None)
            self._again.discard(lane)

    async def _one(self, lane: str) -> bool:
        """Work on the lane's oldest open turn; False when there is none."""
        try:
            now = self.ctx.clock()
            taken = await self.ctx.db.write(lambda tx: turns.take(tx, lane, now))
        except Unavailable:
            await asyncio.sleep(1.0)
            return True
        if taken is None:
            return False
        turn, rows = taken
        steps = self._steps[lane] = Steps(self.ctx, turn, rows)
        with structlog.contextvars.bound_contextvars(reference=turn.reference, channel=turn.where.channel):
            try:
                await self._work(steps)
            except Fenced:
                return await self._fenced(turn)
            except (Draining, Overtaken):
                return True
            except Exception as error:
                await self._unexpected(steps, error)
                return True
        self._ended(turn)
        return True

    async def _fenced(self, turn: Turn) -> bool:
        """Another process took the turn: leave it the lane, or go on when it has ended the turn."""
        if await recall(self.ctx, lambda tx: turns.is_open(tx, turn.id)):
            asyncio.get_running_loop().call_later(COME_BACK, self.wake, turn.lane)  # should that process die
            return False
        self._ended(turn)
        self._board.end(turn)
        return True

    def _ended(self, turn: Turn) -> None:
        self._errors.pop(turn.id, None)
        self._open.discard(turn.id)
        self._counted()

    async def _unexpected(self, steps: Steps, error: Exception) -> None:
        """A mistake of ours must not stop a conversation for ever: try again, then tell the asker and bury the turn."""
        turn = steps.turn
        times = self._errors[turn.id] = self._errors.get(turn.id, 0) + 1
        log.exception("turn.unexpected", times=times)
        if times < PATIENCE:
            await asyncio.sleep(0.5 * 2**times)
            return
        await self._bury(steps, f"An unexpected {type(error).__name__} came {times} times; see the log.")
        self._ended(turn)
