"""One attempt at a turn: runs its steps, stores its end, fenced against earlier attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from bot.context import Context
from bot.engine import Draining, TakenTurn
from bot.errors import OutcomeUnknown, Unavailable
from bot.shared import back_off
from bot.store import dead_letters, steps, turns
from bot.store.database import Tx
from bot.store.kinds import LetterKind, Outcome
from bot.store.steps import CONTEXT, StepName, StepRow
from bot.turns.steps import Again, Effect, GaveUp, Step

T = TypeVar("T")

LAST_TRY = 1.0
"""Seconds before its deadline at which a step is tried for the last time, however long the back-off has become."""

log = structlog.get_logger(__name__)


class TurnAttempt:
    """One turn, in one attempt. `rows` is what is stored of its steps; `deadline` is loop time."""

    def __init__(self, ctx: Context, taken: TakenTurn) -> None:
        self.ctx = ctx
        self.turn = taken.turn
        self.rows = taken.steps
        self._taken = taken
        passed = max(0.0, ctx.clock() - self.turn.accepted_at)
        self.deadline = asyncio.get_running_loop().time() + max(0.0, ctx.config.give_up - passed)

    def seconds(self) -> float:
        """Say how long ago the turn was accepted."""
        return max(0.0, self.ctx.clock() - self.turn.accepted_at)

    def is_done(self, name: StepName) -> bool:
        """Whether a step has a stored result."""
        row = self.rows.get(name)
        return row is not None and row.done_at is not None

    async def run(self, step: Step[T]) -> T:
        """Return the step's result, from the store if it was done before.

        Raises:
            GaveUp: it was not possible until `step.until`.
            EndOfAttempt, Fenced: see `engine.Attempt`.
        """
        row = self.rows.setdefault(step.name, StepRow())
        if row.done_at is not None:
            return step.from_json(row.result)
        tries = 0
        while True:
            if isinstance(step, Effect) and row.begun_at is not None:
                row.unknowns += 1
                found = await step.unknown(row)
                if not isinstance(found, Again):
                    return await self._store_result(step, row, found)
            try:
                result = await self._act(step, row)
            except OutcomeUnknown as error:
                self._taken.busy = False
                if not isinstance(step, Effect):
                    tries = await self._wait(step, error, tries)
            except Unavailable as error:
                await self._unbegin(step, row)
                tries = await self._wait(step, error, tries)
            else:
                return await self._store_result(step, row, result)

    async def _act(self, step: Step[T], row: StepRow) -> T:
        async def begin() -> None:
            if self._taken.draining:
                raise Draining
            if isinstance(step, Effect):
                self._taken.busy = True
                await self._store_begin(step, row)

        if self._taken.draining:
            raise Draining
        try:
            async with asyncio.timeout_at(step.until):
                return await step.act(begin)
        except TimeoutError:
            self._taken.busy = False
            raise GaveUp(step.name, None) from None
        except Unavailable:
            raise  # still busy: what is known of the step must be stored first
        except BaseException:
            self._taken.busy = False
            raise

    async def _store_begin(self, step: Effect[T], row: StepRow) -> None:
        def work(tx: Tx) -> None:
            steps.save(tx, self.turn.id, step.name, row)
            step.begun(tx)

        row.begun_at = self.ctx.clock()
        await self.write(work)

    async def _unbegin(self, step: Step[T], row: StepRow) -> None:
        """The other side certainly did not act: forget that it was begun."""
        if row.begun_at is not None:
            row.begun_at = None
            await self.write(lambda tx: steps.save(tx, self.turn.id, step.name, row))
        self._taken.busy = False

    async def _store_result(self, step: Step[T], row: StepRow, result: T) -> T:
        def work(tx: Tx) -> None:
            steps.save(tx, self.turn.id, step.name, row)
            step.done(tx, result)

        row.done_at, row.result = self.ctx.clock(), step.to_json(result)
        try:
            await self.write(work, urgent=True)  # or a reaction to an answer would overtake the answer's receipt
        except BaseException:
            row.done_at, row.result = None, None
            raise
        self._taken.busy = False
        return result

    async def _wait(self, step: Step[T], error: Unavailable, tries: int) -> int:
        left = step.until - asyncio.get_running_loop().time()
        if error.retry_after is not None:
            wait = error.retry_after
        else:  # a last try shortly before the end
            wait = min(back_off(tries, self.ctx.random.random()), max(left - LAST_TRY, 0.0))
        if left <= LAST_TRY or wait > left:
            raise GaveUp(step.name, error) from None
        log.info("step.again", step=str(step.name), reason=error.reason, wait=round(wait, 2))
        await asyncio.sleep(wait)
        return tries + 1

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Store, fenced by the attempt, and as long as it takes: what happened outside must not be forgotten."""

        def fenced(tx: Tx) -> T:
            turns.fence(tx, self.turn)
            return work(tx)

        return await self.ctx.persist(fenced, urgent=urgent)

    async def finish(self, outcome: Outcome, reason: str | None = None, *, letter: LetterKind | None = None) -> None:
        """Store the end of the turn; `letter` is the kind of the dead letter to leave, None for none."""
        is_question = self.turn.kind == "question"

        def work(tx: Tx) -> None:
            now = self.ctx.clock()
            turns.finish(tx, self.turn, outcome, now, reason=reason, progress_left=is_question)
            if CONTEXT in self.rows:  # what others have said is kept no longer than it is needed
                steps.forget(tx, self.turn.id, CONTEXT)
            if letter is not None:
                dead_letters.add_turn(tx, self.turn, letter, reason or outcome, now)

        await self.write(work)
        if letter is not None:
            log.error("turn.dead", kind=letter, reason=reason)
        if is_question:
            self.ctx.metrics.turns_total.labels(channel=self.turn.address.channel, outcome=outcome).inc()
            log.info("turn.end", outcome=outcome, seconds=round(self.seconds(), 3))
