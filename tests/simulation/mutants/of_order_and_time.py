"""Deliberate bugs that show when ready tasks run in another order, or when clocks differ or are set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import tests.simulation.process
from bot.engine.admission import PAUSE, AdmissionQueue
from bot.engine.inprocess import InProcessEngine
from bot.errors import BotError
from bot.events import Event
from bot.intake.arrival import IGNORED, Accepted
from bot.intake.router import Router
from bot.store import turns
from bot.store.database import Tx
from bot.store.steps import StepRow
from bot.store.turns import NewTurn, Turn
from bot.turns.attempt import TurnAttempt
from bot.turns.progress import ProgressTracker
from bot.turns.steps import Effect
from tests.simulation.mutants.registry import mutant

STALE = 60.0
A_MOMENT = 0.2


@mutant
def wake_is_lost_while_a_lane_ends() -> Iterator[None]:
    work = InProcessEngine._work_on_next

    async def slowly(self: InProcessEngine, lane: str) -> bool:
        more = await work(self, lane)
        if not more:
            await asyncio.sleep(A_MOMENT)
            self._again.discard(lane)
        return more

    with patch.object(InProcessEngine, "_work_on_next", slowly):
        yield


@mutant
def admission_ends_a_moment_too_late() -> Iterator[None]:
    admit = AdmissionQueue._admit

    async def late(self: AdmissionQueue) -> None:
        task = self._task
        await admit(self)
        self._task = task  # it is over, but who comes now still takes it to be there
        await asyncio.sleep(PAUSE)
        self._task = None

    with patch.object(AdmissionQueue, "_admit", late):
        yield


@mutant
def begin_not_awaited() -> Iterator[None]:
    begin = TurnAttempt._store_begin
    kept: set[asyncio.Task[None]] = set()

    async def in_the_background(self: TurnAttempt, step: Effect[Any], row: StepRow) -> None:
        task = asyncio.get_running_loop().create_task(begin(self, step, row))
        kept.add(task)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    with patch.object(TurnAttempt, "_store_begin", in_the_background):
        yield


@mutant
def sign_of_work_may_come_after_the_end() -> Iterator[None]:
    kept: set[asyncio.Task[None]] = set()

    async def unlocked(self: ProgressTracker, entry: Any) -> None:
        adapter = self._adapter(entry.turn)

        async def show() -> None:
            with contextlib.suppress(BotError):
                assert adapter is not None
                await adapter.working(await self._conversation(entry.turn), entry.turn.question, True)

        task = asyncio.get_running_loop().create_task(show())
        kept.add(task)
        task.add_done_callback(kept.discard)

    with patch.object(ProgressTracker, "_show_sign", unlocked):
        yield


@mutant
def clock_may_be_set() -> Iterator[None]:
    def wall(wall: Callable[[], float], _: Callable[[], float]) -> Callable[[], float]:
        return wall

    with patch.object(tests.simulation.process, "steady_clock", wall):
        yield


@mutant
def ordered_by_our_own_clock() -> Iterator[None]:
    insert = turns.insert

    def ours(tx: Tx, new: NewTurn) -> Turn:
        return insert(tx, replace(new, sent_at=new.accepted_at) if new.kind == "question" else new)

    with patch.object(turns, "insert", ours):
        yield


@mutant
def edits_in_order_of_arrival() -> Iterator[None]:
    replace_words = turns.replace_words

    def always(tx: Tx, turn_id: int, *words: Any) -> Turn | None:
        tx.run("UPDATE turns SET edited_at=NULL WHERE id=?", turn_id)
        return replace_words(tx, turn_id, *words)

    with patch.object(turns, "replace_words", always):
        yield


@mutant
def stale_by_our_own_clock() -> Iterator[None]:
    handle = Router.handle

    async def fresh(self: Router, event: Event) -> Accepted:
        if self.ctx.clock() - event.sent_at.timestamp() > STALE:
            return IGNORED
        return await handle(self, event)

    with patch.object(Router, "handle", fresh):
        yield
