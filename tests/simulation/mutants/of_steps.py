"""Deliberate bugs in what is stored, asked, sent and rated."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import bot.intake.questions
import bot.ratings.record
import bot.sessions
import bot.turns.attempt
import bot.turns.send
from bot.engine.inprocess import InProcessEngine
from bot.events import Event, Reaction
from bot.intake.arrival import Accepted
from bot.intake.router import Router
from bot.sessions import Address
from bot.store import events, feedback, out_of_order, progress, steps, turns
from bot.store.database import Tx
from bot.store.steps import VERDICT, StepName, StepRow
from bot.store.turns import Turn
from bot.store.votes import Gesture
from bot.turns.attempt import TurnAttempt
from bot.turns.failure import Failure
from bot.turns.progress import ProgressTracker
from bot.turns.send import Send
from bot.turns.steps import Effect, Step
from tests.simulation.mutants.registry import mutant


@mutant
def acknowledged_before_stored() -> Iterator[None]:
    handle = Router.handle
    kept: set[asyncio.Task[None]] = set()

    async def at_once(self: Router, event: Event) -> Accepted:
        async def later() -> None:
            await asyncio.sleep(0.2)
            await handle(self, event)

        task = asyncio.get_running_loop().create_task(later())
        kept.add(task)
        return Accepted(outcome="duplicate")

    with patch.object(Router, "handle", at_once):
        yield


@mutant
def request_id_not_stored() -> Iterator[None]:
    store = TurnAttempt._store_result

    async def forgetful(self: TurnAttempt, step: Step[Any], row: StepRow, result: Any, *rest: Any) -> Any:
        if step.name.kind == "submit":
            self._taken.busy = False
            return result
        return await store(self, step, row, result, *rest)

    with patch.object(TurnAttempt, "_store_result", forgetful):
        yield


@mutant
def receipt_before_send() -> Iterator[None]:
    save = steps.save

    def early(tx: Tx, turn_id: int, name: StepName, row: StepRow) -> None:
        if name.kind == "send" and row.begun_at is not None and row.done_at is None:
            row = replace(row, done_at=row.begun_at, result=["lookup", "acc", "C1", "x"])
        save(tx, turn_id, name, row)

    with patch.object(steps, "save", early):
        yield


@mutant
def no_dedupe() -> Iterator[None]:
    note = events.note

    def always_new(tx: Tx, channel: str, account: str, event_id: str, now: float) -> bool:
        note(tx, channel, account, event_id, now)
        return True

    with patch.object(events, "note", always_new):
        yield


@mutant
def no_fencing() -> Iterator[None]:
    with patch.object(turns, "fence", _count_attempts):
        yield


def _count_attempts(tx: Tx, turn: Turn, _now: float) -> None:
    if turn.attempt == 0:
        tx.run("UPDATE turns SET attempt=attempt+1 WHERE id=?", turn.id)


@mutant
def settle_window_in_memory() -> Iterator[None]:
    start = InProcessEngine.start

    async def forget(self: InProcessEngine) -> None:
        await self.ctx.db.write(lambda tx: tx.run("UPDATE feedback SET due_at=NULL"))
        await start(self)

    with patch.object(InProcessEngine, "start", forget):
        yield


@mutant
def resubmitted_for_ever() -> Iterator[None]:
    begin = TurnAttempt._store_begin

    async def uncounted(self: TurnAttempt, step: Effect[Any], row: StepRow) -> None:
        if step.name.kind == "submit":
            row.unknowns = 0
        await begin(self, step, row)

    with patch.object(TurnAttempt, "_store_begin", uncounted):
        yield


@mutant
def unknown_taken_for_refused() -> Iterator[None]:
    class Never(Exception):
        pass

    with patch.object(bot.turns.attempt, "OutcomeUnknown", Never):
        yield


@mutant
def no_look_up() -> Iterator[None]:
    async def absent(*_: Any) -> list[Any]:
        return []

    with patch.object(bot.turns.send, "look_up", absent):
        yield


@mutant
def no_word_of_a_second_copy() -> Iterator[None]:
    async def nothing(_: Send) -> str:
        return ""

    with patch.object(Send, "_note", nothing):
        yield


@mutant
def looked_up_too_soon() -> Iterator[None]:
    with patch.object(bot.turns.send, "LOOK_AFTER", 0.0), patch.object(bot.turns.send, "LOOK_AGAIN", 0.2):
        yield


@mutant
def taken_in_order_of_arrival() -> Iterator[None]:
    in_order = "FROM turns WHERE state='open' AND lane=? ORDER BY id LIMIT 1"
    with patch.object(turns, "_NEXT", in_order), patch.object(turns, "is_next", lambda *_: True):
        yield


@mutant
def early_reactions_dropped() -> Iterator[None]:
    with patch.object(out_of_order, "keep_reaction", lambda *_: None):
        yield


@mutant
def votes_by_arrival() -> Iterator[None]:
    numbers, gesture_of = itertools.count(1), bot.ratings.record.gesture_of

    def arrived(event: Reaction) -> Gesture:
        return replace(gesture_of(event), sent_at=float(next(numbers)))

    with patch.object(bot.ratings.record, "gesture_of", arrived):
        yield


@mutant
def rating_not_remembered() -> Iterator[None]:
    settle = feedback.settle

    def forgetful(tx: Tx, item: Any, outcome: Any, *, submitted: Any) -> None:
        settle(tx, item, outcome, submitted=None)

    with patch.object(feedback, "settle", forgetful):
        yield


@mutant
def progress_left_after_a_restart() -> Iterator[None]:
    with patch.object(progress, "with_progress_left", lambda _: []):
        yield


@mutant
def no_sign_of_work() -> Iterator[None]:
    async def nothing(*_: Any) -> None:
        return None

    with patch.object(ProgressTracker, "_show_sign", nothing):
        yield


@mutant
def epoch_not_in_the_id() -> Iterator[None]:
    make = bot.sessions.session_id

    def same(secret: str, address: Address, scope: str, _: int, *, form: str) -> str:
        return make(secret, address, scope, 0, form=form)

    with patch.object(bot.intake.questions, "session_id", same):
        yield


@mutant
def deleted_and_edited_in_vain() -> Iterator[None]:
    def claim(tx: Tx, turn_id: int, _version: int | None = None) -> bool:
        return tx.run("UPDATE turns SET intent=1 WHERE id=?", turn_id) > 0

    with patch.object(turns, "claim", claim):
        yield


@mutant
def failures_not_told() -> Iterator[None]:
    async def silent(*_: Any) -> None:
        return None

    with patch.object(Failure, "tell", silent):
        yield


@mutant
def verdict_not_stored() -> Iterator[None]:
    save = steps.save

    def forgetful(tx: Tx, turn_id: int, name: StepName, row: StepRow) -> None:
        if name != VERDICT:
            save(tx, turn_id, name, row)

    with patch.object(steps, "save", forgetful):
        yield


@mutant
def one_lane_worked_on_twice() -> Iterator[None]:
    def wake(self: InProcessEngine, lane: str) -> None:
        if not self._draining:
            self._lanes[f"{lane} {len(self._lanes)}"] = asyncio.get_running_loop().create_task(self._run_lane(lane))

    async def run_lane(self: InProcessEngine, lane: str) -> None:
        while await self._work_on_next(lane):
            pass

    with (
        patch.object(InProcessEngine, "wake", wake),
        patch.object(InProcessEngine, "_run_lane", run_lane),
        patch.object(turns, "fence", _count_attempts),
    ):
        yield


@mutant
def never_gives_up() -> Iterator[None]:
    init = TurnAttempt.__init__

    def patient(self: TurnAttempt, ctx: Any, taken: Any) -> None:
        init(self, ctx, taken)
        self.deadline = float("inf")

    with patch.object(TurnAttempt, "__init__", patient):
        yield
