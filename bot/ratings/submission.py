"""Submits ratings to the API: one submission for each settled change, retried, never claimed if not true.

The due time is stored with the vote, so a restart loses nothing. A rating equal to the last one submitted is not
sent again; a withdrawn one is not sent either: the API knows no withdrawal, so our own truth becomes "none".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from bot.api.models import FeedbackReceipt
from bot.context import Context
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Unavailable, retry_reason
from bot.events import MessageRef, Rating
from bot.shared import back_off
from bot.store import dead_letters, feedback, receipts, turns
from bot.store.database import Tx
from bot.store.feedback import AnswerRating
from bot.store.kinds import FeedbackOutcome
from bot.store.turns import Turn

LONGEST_WAIT = 30.0
"""Seconds between two looks at what is due, however quiet it is: the clock may have been set."""
AT_ONCE = 64
MARK_TRIES = 6
"""How often buttons are tried to be marked, over about half a minute."""
_Tasks: TypeAlias = dict[int, asyncio.Task[None]]
_Act: TypeAlias = Callable[[AnswerRating], Awaitable[None]]
log = structlog.get_logger(__name__)


class RatingSubmitter:
    """Submits ratings when they are due, and shows them on the buttons of their answers."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._wake = asyncio.Event()
        self._busy: _Tasks = {}
        self._marking: _Tasks = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """A vote has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            await self.ctx.persist(lambda tx: feedback.due_soon(tx, self.ctx.clock()))
            while True:
                self._wake.clear()
                wait = await self._start_due()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = [*self._busy.values(), *self._marking.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_due(self) -> float:
        """Start what is due; return the seconds until the next."""
        now = self.ctx.clock()
        try:
            items = await self.ctx.db.read(lambda tx: feedback.due(tx, now))
            after = await self.ctx.db.read(lambda tx: feedback.next_due(tx, now))
        except Unavailable:
            return 1.0
        for item in items:
            if item.mark_due and item.turn not in self._marking:
                self._start(self._marking, item, self._mark)
            if item.due_at is not None and item.due_at <= now and item.turn not in self._busy:
                self._start(self._busy, item, self._submit_if_due)
        if after is None:
            return LONGEST_WAIT
        return min(LONGEST_WAIT, max(0.01, after - now))

    def _start(self, under_way: _Tasks, item: AnswerRating, act: _Act) -> None:
        under_way[item.turn] = asyncio.get_running_loop().create_task(self._guarded(under_way, item, act))

    async def _guarded(self, under_way: _Tasks, item: AnswerRating, act: _Act) -> None:
        try:
            async with self._slots:
                await act(item)
        except Unavailable:
            await asyncio.sleep(1.0)  # the database cannot be read: it stays due
        except Exception:
            log.exception("feedback.unexpected")
            await asyncio.sleep(5.0)
        finally:
            del under_way[item.turn]
            self._wake.set()

    async def _submit_if_due(self, item: AnswerRating) -> None:
        now = self.ctx.clock()
        fresh = await self.ctx.db.read(lambda tx: feedback.get(tx, item.turn))
        if fresh is not None and fresh.due_at is not None and fresh.due_at <= now:
            await self._submit(fresh)

    async def _mark(self, item: AnswerRating) -> None:
        """Show our own truth on the buttons; a channel that fails here for long has still heard the person."""
        turn = await self.ctx.db.read(lambda tx: turns.get(tx, item.turn))
        refs = await self.ctx.db.read(lambda tx: receipts.of_turn(tx, item.turn, "answer"))
        if turn is not None and refs:
            await self._show(turn.address.channel, refs[-1], item.rating)
        await self.ctx.persist(lambda tx: feedback.set_marked(tx, item.turn, item.rating))

    async def _show(self, channel: str, ref: MessageRef, rating: Rating | None) -> None:
        adapter = self.ctx.adapters.get(channel)
        if adapter is None:
            return
        for tries in range(MARK_TRIES):
            try:
                await adapter.mark(ref, rating)
            except Unavailable as error:
                log.info("feedback.not_marked", reason=error.reason)
                wait = error.retry_after
                await asyncio.sleep(back_off(tries, self.ctx.random.random()) if wait is None else wait)
            except BotError as error:
                log.info("feedback.not_marked", reason=error.reason)
                return
            else:
                return

    async def _submit(self, item: AnswerRating) -> None:
        turn = await self.ctx.db.read(lambda tx: turns.get(tx, item.turn))
        if turn is None or turn.request_id is None:
            await self._settled(item, "failed", None)
        elif item.rating is None:
            await self._withdrawn(item, turn)
        elif item.rating == item.submitted and item.attempt is None:
            await self._settled(item, item.kept or "submitted", None)
        elif await self.ctx.persist(lambda tx: feedback.begin_attempt(tx, item)):
            await self._send(item, turn, turn.request_id, item.rating)

    async def _withdrawn(self, item: AnswerRating, turn: Turn) -> None:
        """The API knows no withdrawal: what was never submitted never will be, what was is "none" in our truth."""
        if item.submitted is None:
            await self._settled(item, None, None)
        else:
            self._count(turn, item.submitted, "retracted")
            await self._settled(item, "retracted", None)

    async def _send(self, item: AnswerRating, turn: Turn, request_id: str, rating: Rating) -> None:
        try:
            receipt = await self._call(turn, request_id, rating)
        except Unavailable as error:
            await self._later(item, turn, error)
        except BotError as error:
            await self._failed(item, turn, error)
        else:
            # An attempt of ours that never ended may be the one the API remembers; but not if it had one before.
            ours = item.attempt == rating and item.submitted is None
            outcome: FeedbackOutcome = "submitted" if receipt.submitted_at is not None or ours else "already_rated"
            self._count(turn, rating, outcome)
            log.info("feedback.sent", reference=turn.reference, rating=rating, outcome=outcome)
            await self._settled(item, outcome, rating)

    async def _call(self, turn: Turn, request_id: str, rating: Rating) -> FeedbackReceipt:
        api, trace = self.ctx.api_of(turn), self.ctx.trace_of(turn)
        if trace is None:
            return await api.feedback(turn.lane, request_id, rating)
        with trace.step("feedback", left=(asyncio.CancelledError,)) as span:
            span.begin()
            return await api.feedback(turn.lane, request_id, rating)

    async def _settled(self, item: AnswerRating, outcome: FeedbackOutcome | None, submitted: Rating | None) -> None:
        await self.ctx.persist(lambda tx: feedback.settle(tx, item, outcome, submitted=submitted))

    async def _later(self, item: AnswerRating, turn: Turn, error: Unavailable) -> None:
        now = self.ctx.clock()
        if now - item.changed_at > self.ctx.config.give_up:
            return await self._failed(item, turn, error)
        wait = error.retry_after if error.retry_after is not None else back_off(item.tries, self.ctx.random.random())
        unknown = isinstance(error, OutcomeUnknown)
        self.ctx.metrics.api_retries_total.labels(endpoint="feedback", reason=retry_reason(error)).inc()
        return await self.ctx.persist(lambda tx: feedback.postpone(tx, item, now + max(wait, 0.05), unknown=unknown))

    async def _failed(self, item: AnswerRating, turn: Turn, error: BotError) -> None:
        if isinstance(error, Misconfigured) and error.status in (401, 403):
            self.ctx.problems.report("api", str(error))
        rating: Rating | str = item.rating or "none"

        def work(tx: Tx) -> None:
            feedback.settle(tx, item, "failed", submitted=None)
            dead_letters.add_turn(tx, turn, "feedback", str(error), self.ctx.clock())

        await self.ctx.persist(work)
        self._count(turn, rating, "failed")
        log.error("feedback.dead", reference=turn.reference, reason=str(error))

    def _count(self, turn: Turn, rating: str, outcome: str) -> None:
        metrics, route = self.ctx.metrics, self.ctx.figures_of(turn)
        metrics.feedback_total.labels(channel=turn.address.channel, rating=rating, outcome=outcome).inc()
        metrics.route_feedback_total.labels(route=route, rating=rating, outcome=outcome).inc()
