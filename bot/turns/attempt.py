"""One attempt at a turn: runs its steps, stores its end, fenced against earlier attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from bot.context import Context
from bot.engine import Draining, EndOfAttempt, TakenTurn
from bot.engine.ownership import LaneLost, is_lost, must_hold
from bot.errors import OutcomeUnknown, Unavailable, retry_reason
from bot.events import MessageRef
from bot.shared import back_off
from bot.store import dead_letters, steps, turns
from bot.store.database import Tx
from bot.store.kinds import LetterKind, Outcome, StepKind
from bot.store.steps import CONTEXT, StepName, StepRow
from bot.telemetry.traces import PIECES, TraceSpan
from bot.turns.steps import Again, Effect, GaveUp, Step

T = TypeVar("T")

ENDPOINTS: Mapping[StepKind, str] = {"submit": "chat_async", "poll": "chat_status", "close": "session_close"}
"""Kind of a step → the endpoint of the API that it calls, as the metrics name it."""
LEFT = (EndOfAttempt, turns.Fenced, asyncio.CancelledError)
"""What ends an attempt whose turn goes on, later or in another process."""
LAST_TRY = 1.0
"""Seconds before its deadline at which a step is tried for the last time, however long the back-off has become."""

log = structlog.get_logger(__name__)


class TurnAttempt:
    """One turn, in one attempt. `rows` is what is stored of its steps; `deadline` is loop time. `polls`: how many were
    made for it; they are stored with its end."""

    def __init__(self, ctx: Context, taken: TakenTurn) -> None:
        self.ctx = ctx
        self.turn = taken.turn
        self.rows = taken.steps
        self.polls = 0
        self._taken = taken
        self._trace = ctx.trace_of(taken.turn)
        self._begun_ahead: StepName | None = None
        self._to_store: dict[StepName, StepRow] = {}
        self._ended = False
        passed = max(0.0, ctx.clock() - self.turn.accepted_at)
        self.deadline = asyncio.get_running_loop().time() + max(0.0, ctx.config.give_up - passed)

    def seconds(self) -> float:
        """Say how long ago the turn was accepted."""
        return max(0.0, self.ctx.clock() - self.turn.accepted_at)

    def is_done(self, name: StepName) -> bool:
        """Whether a step has a stored result."""
        row = self.rows.get(name)
        return row is not None and row.done_at is not None

    async def run(self, step: Step[T], *, then: StepName | None = None, end: Outcome | None = None) -> T:
        """Return the step's result, from the store if it was done before.

        What belongs to one moment is one transaction: with the result of this step is stored that `then` begins, an
        effect that must be run next and stores nothing else with its begin; and that the turn has ended, if that is how
        it is to `end` with this step and the result allows it.

        Raises:
            GaveUp: it was not possible until `step.until`.
            EndOfAttempt, Fenced: see `engine.Attempt`.
        """
        row = self.rows.setdefault(step.name, StepRow())
        if row.done_at is not None and (step.is_kept or row.result is not None):
            return step.from_json(row.result)
        piece = None if self._trace is None else PIECES.get(step.name.kind)
        if self._trace is None or piece is None:
            return await self._until_done(step, row, then, end, None)
        with self._trace.step(piece, left=LEFT) as span:
            result = await self._until_done(step, row, then, end, span)
            if isinstance(result, MessageRef):
                span.attributes["messaging.message.id"] = result.message_id
            return result

    async def _until_done(
        self, step: Step[T], row: StepRow, then: StepName | None, end: Outcome | None, span: TraceSpan | None
    ) -> T:
        tries = 0
        last: Unavailable | None = None
        while True:
            if isinstance(step, Effect) and row.begun_at is not None and step.name != self._begun_ahead:
                row.unknowns += 1
                found = await step.unknown(row)
                if not isinstance(found, Again):
                    return await self._store_result(step, row, found, then, end)
            try:
                result = await self._act(step, row, last, span)
            except OutcomeUnknown as error:
                self._taken.busy, last = False, error
                if not isinstance(step, Effect):
                    tries = await self._wait(step, error, tries)
            except Unavailable as error:
                await self._unbegin(step, row)
                last = error
                tries = await self._wait(step, error, tries)
            else:
                return await self._store_result(step, row, result, then, end)

    async def _act(self, step: Step[T], row: StepRow, last: Unavailable | None, span: TraceSpan | None) -> T:
        begun = step.name == self._begun_ahead

        async def begin() -> None:
            if begun:
                self._begun_ahead = None
            else:
                try:
                    self._must_go_on()
                except EndOfAttempt:
                    if isinstance(step, Effect):  # what was begun before was in vain, or is counted as unknown
                        await self._unbegin(step, row)
                    raise
                if isinstance(step, Effect):
                    self._taken.busy = True
                    await self._store_begin(step, row)
            await self._must_still_hold(step, row)
            if span is not None:
                span.begin()

        if not begun:
            self._must_go_on()
            if isinstance(step, Effect) and asyncio.get_running_loop().time() >= step.until:
                raise GaveUp(step.name, last)
        try:
            async with asyncio.timeout_at(step.until):
                return await step.act(begin)
        except TimeoutError:
            self._taken.busy = False
            raise GaveUp(step.name, last) from None
        except Unavailable:
            raise  # still busy: what is known of the step must be stored first
        except BaseException:
            self._taken.busy = False
            raise

    def _must_go_on(self) -> None:
        if self._taken.draining:
            raise Draining
        must_hold()

    async def _must_still_hold(self, step: Step[T], row: StepRow) -> None:
        """Look once more after the write, which may have taken long; what was not begun is not unknown to the next."""
        if is_lost():
            if isinstance(step, Effect):
                await self._unbegin(step, row)
            raise LaneLost

    async def _store_begin(self, step: Effect[T], row: StepRow) -> None:
        def work(tx: Tx) -> None:
            steps.save(tx, self.turn.id, step.name, row)
            step.begun(tx)

        row.begun_at = self.ctx.clock()
        await self.write(work)

    async def _unbegin(self, step: Step[T], row: StepRow) -> None:
        """The other side certainly did not act: forget that it was begun."""
        if row.begun_at is not None:
            row.begun_at, self._begun_ahead = None, None
            await self.write(lambda tx: steps.save(tx, self.turn.id, step.name, row))
        self._taken.busy = False

    async def _store_result(
        self, step: Step[T], row: StepRow, result: T, then: StepName | None, end: Outcome | None
    ) -> T:
        if not step.is_kept:
            self._to_store[step.name] = StepRow(done_at=self.ctx.clock())
            return result
        ends = end is not None and step.may_end(result)
        ahead = None if then is None or self._taken.draining or then in self.rows else StepRow()

        def work(tx: Tx) -> None:
            steps.save(tx, self.turn.id, step.name, row)
            step.done(tx, result)
            if then is not None and ahead is not None:
                steps.save(tx, self.turn.id, then, ahead)
            if end is not None and ends:
                self._store_end(tx, end, None, None)

        if isinstance(step, Effect) and is_lost():  # frozen, most likely, between the look and the end of the call
            log.warning("step.too_late", step=str(step.name))
            self.ctx.metrics.late_acts_total.labels(step=step.name.kind).inc()
        row.done_at, row.result = self.ctx.clock(), step.to_json(result)
        if ahead is not None:
            ahead.begun_at, self._taken.busy = row.done_at, True
        try:
            # Urgent and alone, or a reaction to an answer would overtake the answer's receipt.
            sent = result if isinstance(result, MessageRef) else None
            await self.write(work, urgent=True, alone=sent)
        except BaseException:
            row.done_at, row.result = None, None
            self._taken.busy = False
            raise
        if then is not None and ahead is not None:
            self.rows[then], self._begun_ahead = ahead, then
        self._taken.busy, self._ended = ahead is not None, ends
        return result

    async def _wait(self, step: Step[T], error: Unavailable, tries: int) -> int:
        left = step.until - asyncio.get_running_loop().time()
        if error.retry_after is not None:
            wait = error.retry_after
        else:  # a last try shortly before the end
            wait = min(back_off(tries, self.ctx.random.random()), max(left - LAST_TRY, 0.0))
        if left <= LAST_TRY or wait > left:
            raise GaveUp(step.name, error) from None
        if (endpoint := ENDPOINTS.get(step.name.kind)) is not None:
            self.ctx.metrics.api_retries_total.labels(endpoint=endpoint, reason=retry_reason(error)).inc()
        log.info("step.again", step=str(step.name), reason=error.reason, wait=round(wait, 2))
        await asyncio.sleep(wait)
        return tries + 1

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False, alone: MessageRef | None = None) -> T:
        """Store, fenced by the attempt, and as long as it takes: what happened outside must not be forgotten.

        The first write of a turn that nobody has taken before takes it. `alone`: nothing is taken in meanwhile from the
        conversation of this message.
        """
        now, waiting = self.ctx.clock(), dict(self._to_store)

        def fenced(tx: Tx) -> T:
            if alone is not None:
                tx.alone(alone.channel, alone.account_id, alone.conversation_id)
            turns.fence(tx, self.turn, now)
            for name, row in waiting.items():
                steps.save(tx, self.turn.id, name, row)
            return work(tx)

        storing = self.ctx.persist(fenced, urgent=urgent)
        result = await (storing if self.turn.attempt else self._take(storing))
        self._to_store.clear()
        return result

    async def _take(self, storing: Coroutine[Any, Any, T]) -> T:
        """The write that takes the turn: who stops waiting for it, at a deadline, must know whether it has."""
        task = asyncio.get_running_loop().create_task(storing)
        try:
            result = await asyncio.shield(task)
        except asyncio.CancelledError:
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
            raise
        finally:
            if task.done() and not task.cancelled() and task.exception() is None:
                self.turn = replace(self.turn, attempt=1)
        return result

    async def finish(self, outcome: Outcome, reason: str | None = None, *, letter: LetterKind | None = None) -> None:
        """Store the end of the turn, if its last step has not; `letter`: what dead letter to leave, None for none."""
        if not self._ended:
            await self.write(lambda tx: self._store_end(tx, outcome, reason, letter))
        if letter is not None:
            log.error("turn.dead", kind=letter, reason=reason)
        if self.turn.kind == "question":
            self.count(outcome)
            log.info("turn.end", outcome=outcome, seconds=round(self.seconds(), 3))
        if self._trace is not None:
            self._trace.end(outcome, self.polls, self.turn.attempt)

    def count(self, outcome: str) -> None:
        """Count an end of the question, or of one of its askings."""
        metrics = self.ctx.metrics
        metrics.turns_total.labels(channel=self.turn.address.channel, outcome=outcome).inc()
        metrics.route_turns_total.labels(route=self.ctx.figures_of(self.turn), outcome=outcome).inc()

    def _store_end(self, tx: Tx, outcome: Outcome, reason: str | None, letter: LetterKind | None) -> None:
        now = self.ctx.clock()
        turns.finish(tx, self.turn, outcome, now, reason=reason, polls=self.polls)
        if CONTEXT in self.rows:  # what others have said is kept no longer than it is needed
            steps.forget(tx, self.turn.id, CONTEXT)
        if letter is not None:
            dead_letters.add_turn(tx, self.turn, letter, reason or outcome, now)
