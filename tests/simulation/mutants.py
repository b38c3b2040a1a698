"""Deliberate bugs, each of which a run must find: they prove that the judges can see."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import bot.accept
import bot.delivery
import bot.engine.inprocess
import bot.engine.steps
import bot.feedback
import bot.progress
import bot.router
import bot.sessions
from bot.adapter import Handled
from bot.endings import Ending
from bot.engine.inprocess import Engine
from bot.engine.steps import Steps
from bot.events import Event
from bot.progress import Board
from bot.router import Router
from bot.store import feedback, steps, turns, votes
from bot.store.database import Tx
from bot.store.steps import StepRow
from bot.store.turns import Turn

Mutant = Callable[[], Any]
MUTANTS: dict[str, Mutant] = {}


def mutant(make: Callable[[], Iterator[None]]) -> Mutant:
    """Register a deliberate bug under its function's name."""
    made = contextmanager(make)
    MUTANTS[make.__name__] = made
    return made


@mutant
def acknowledged_before_stored() -> Iterator[None]:
    handle = Router.handle
    kept: set[asyncio.Task[None]] = set()

    async def at_once(self: Router, event: Event) -> Handled:
        async def later() -> None:
            await asyncio.sleep(0.2)
            await handle(self, event)

        task = asyncio.get_running_loop().create_task(later())
        kept.add(task)
        return Handled(outcome="duplicate")

    with patch.object(Router, "handle", at_once):
        yield


@mutant
def request_id_not_stored() -> Iterator[None]:
    done = Steps._done

    async def forgetful(self: Steps, name: str, row: StepRow, result: Any, with_result: Any) -> Any:
        if name.startswith("submit:"):
            self.busy = False
            return result
        return await done(self, name, row, result, with_result)

    with patch.object(Steps, "_done", forgetful):
        yield


@mutant
def receipt_before_send() -> Iterator[None]:
    save = steps.save

    def early(tx: Tx, turn_id: int, name: str, row: StepRow) -> None:
        if name.startswith("send:") and row.begun_at is not None and row.done_at is None:
            row = replace(row, done_at=row.begun_at, result=["lookup", "acc", "C1", "x"])
        save(tx, turn_id, name, row)

    with patch.object(steps, "save", early):
        yield


@mutant
def no_dedupe() -> Iterator[None]:
    with patch.object(turns, "seen", lambda *_: False):
        yield


@mutant
def no_fencing() -> Iterator[None]:
    with patch.object(turns, "fence", lambda *_: None):
        yield


@mutant
def settle_window_in_memory() -> Iterator[None]:
    start = Engine.start

    async def forget(self: Engine) -> None:
        await self.ctx.db.write(lambda tx: tx.run("UPDATE feedback SET due_at=NULL"))
        await start(self)

    with patch.object(Engine, "start", forget):
        yield


@mutant
def resubmitted_for_ever() -> Iterator[None]:
    begin = Steps._begin

    def uncounted(self: Steps, tx: Tx, name: str, row: StepRow, with_begin: Any) -> Any:
        if name.startswith("submit:"):
            row.unknowns = 0
        return begin(self, tx, name, row, with_begin)

    with patch.object(Steps, "_begin", uncounted):
        yield


@mutant
def unknown_taken_for_refused() -> Iterator[None]:
    class Never(Exception):
        pass

    with patch.object(bot.engine.steps, "OutcomeUnknown", Never):
        yield


@mutant
def no_look_up() -> Iterator[None]:
    async def absent(*_: Any) -> list[Any]:
        return []

    with patch.object(bot.delivery, "look_up", absent):
        yield


@mutant
def looked_up_too_soon() -> Iterator[None]:
    with patch.object(bot.delivery, "LOOK_AFTER", 0.0), patch.object(bot.delivery, "LOOK_AGAIN", 0.2):
        yield


@mutant
def taken_in_order_of_arrival() -> Iterator[None]:
    def take(tx: Tx, lane: str, now: float) -> tuple[Turn, dict[str, StepRow]] | None:
        row = tx.one(
            "UPDATE turns SET attempt=attempt+1 WHERE id=(SELECT id FROM turns WHERE state='open' AND lane=?"
            " ORDER BY id LIMIT 1) RETURNING *",
            lane,
        )
        return None if row is None else (turn := turns.load(row), steps.steps_of(tx, turn.id))

    with patch.object(turns, "take", take), patch.object(turns, "is_next", lambda *_: True):
        yield


@mutant
def early_reactions_dropped() -> Iterator[None]:
    with patch.object(feedback, "keep_early", lambda *_: None):
        yield


@mutant
def votes_by_arrival() -> Iterator[None]:
    numbers = itertools.count(1)
    with patch.object(votes, "moment", lambda *_: float(next(numbers))):
        yield


@mutant
def rating_not_remembered() -> Iterator[None]:
    settle = feedback.settle

    def forgetful(tx: Tx, item: Any, outcome: str | None, *, submitted: str | None) -> None:
        settle(tx, item, outcome, submitted=None)

    with patch.object(feedback, "settle", forgetful):
        yield


@mutant
def progress_left_after_a_restart() -> Iterator[None]:
    with patch.object(turns, "to_clean", lambda _: []):
        yield


@mutant
def no_sign_of_work() -> Iterator[None]:
    async def nothing(*_: Any) -> None:
        return None

    with patch.object(Board, "_working", nothing):
        yield


@mutant
def epoch_not_in_the_id() -> Iterator[None]:
    make = bot.sessions.session_id

    def same(secret: str, channel: str, account: str, conversation: str, scope: str, _: int, *, form: str) -> str:
        return make(secret, channel, account, conversation, scope, 0, form=form)

    with patch.object(bot.accept, "session_id", same):
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

    with patch.object(Ending, "tell", silent):
        yield


@mutant
def verdict_not_stored() -> Iterator[None]:
    save = steps.save

    def forgetful(tx: Tx, turn_id: int, name: str, row: StepRow) -> None:
        if name != "verdict":
            save(tx, turn_id, name, row)

    with patch.object(steps, "save", forgetful):
        yield


@mutant
def one_lane_worked_on_twice() -> Iterator[None]:
    def wake(self: Engine, lane: str) -> None:
        if not self._draining:
            self._lanes[f"{lane} {len(self._lanes)}"] = asyncio.get_running_loop().create_task(self._run_lane(lane))

    async def run_lane(self: Engine, lane: str) -> None:
        while await self._one(lane):
            pass

    with (
        patch.object(Engine, "wake", wake),
        patch.object(Engine, "_run_lane", run_lane),
        patch.object(turns, "fence", lambda *_: None),
    ):
        yield


@mutant
def never_gives_up() -> Iterator[None]:
    from bot.work import Work

    init = Work.__init__

    def patient(self: Any, ctx: Any, step: Any) -> None:
        init(self, ctx, step)
        self.deadline = float("inf")

    with patch.object(Work, "__init__", patient):
        yield
