"""What every kind of turn has in common: a deadline, a delivery, an end that is stored."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from bot.context import Context
from bot.delivery import Delivery, NotDelivered
from bot.engine.steps import Steps, recall
from bot.events import Conversation, MessageRef, Notice
from bot.store import conversations, dead, turns
from bot.store.database import Tx
from bot.store.turns import Turn

log = structlog.get_logger(__name__)


class Work:
    """One turn, in one attempt."""

    def __init__(self, ctx: Context, step: Steps) -> None:
        self.ctx = ctx
        self.step = step
        self.turn: Turn = step.turn
        loop = asyncio.get_running_loop()
        passed = max(0.0, ctx.clock() - self.turn.accepted_at)
        self.deadline = loop.time() + max(0.0, ctx.config.give_up - passed)

    def seconds(self) -> float:
        """Say how long ago the turn was accepted."""
        return max(0.0, self.ctx.clock() - self.turn.accepted_at)

    async def finish(self, outcome: str, reason: str | None = None, *, letter: str | None = None) -> None:
        """Store the end; `letter` is the kind of the dead letter to leave, None for none."""

        def work(tx: Tx) -> None:
            now = self.ctx.clock()
            turns.finish(tx, self.turn, outcome, now, reason, cleanup=self.turn.kind == "question")
            if letter is not None:
                dead.add_turn(tx, self.turn, letter, reason or outcome, now)

        await self.step.write(work)
        if letter is not None:
            log.error("turn.dead", kind=letter, reason=reason)
        if self.turn.kind == "question":
            self.ctx.metrics.turns_total.labels(channel=self.turn.where.channel, outcome=outcome).inc()
            log.info("turn.end", outcome=outcome, seconds=round(self.seconds(), 3))

    async def end_failed(self, why: str) -> None:
        """Store that the turn failed, with a dead letter."""
        await self.finish("failed", why, letter="turn")

    async def deliver(
        self, outbound: Notice | None, kind: str, parts: Any, place: Conversation, reply_to: MessageRef | None
    ) -> list[MessageRef]:
        """Send a notice, or parts that are rendered already, as messages of this kind; return the refs known.

        Raises `NotDelivered` and `GaveUp`.
        """
        adapter = self.ctx.adapters.get(place.channel)
        if adapter is None:
            raise NotDelivered(f"The channel {place.channel} is turned off.")
        if outbound is not None:
            parts = adapter.render(outbound)
        turn = self.turn
        where = turn.where
        if await recall(self.ctx, lambda tx: conversations.rests(tx, where.channel, where.account, where.conversation)):
            raise NotDelivered("The conversation is out of reach.", gone=True)
        # An answer that is there deserves the same patience as the question had.
        until = max(self.deadline, asyncio.get_running_loop().time() + self.ctx.config.give_up)
        delivery = Delivery(self.ctx, self.step, adapter)
        refs = await delivery.send_all(parts, kind=kind, place=place, reply_to=reply_to, until=until)
        self.ctx.ailing.pop(place.channel, None)
        return refs
