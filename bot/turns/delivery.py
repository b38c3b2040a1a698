"""One message, delivered: its parts in order, each a step of the turn, until all have receipts or one cannot go out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bot.adapter import Adapter, Part
from bot.errors import BotError
from bot.events import MessageRef, Notice
from bot.store import conversations
from bot.store.kinds import MessageKind
from bot.turns.attempt import TurnAttempt
from bot.turns.send import Destination, Outgoing, Send


class NotDelivered(Exception):
    """A part could not be sent for good. `gone`: the whole conversation is out of reach. `sent`: parts before it."""

    def __init__(self, reason: str, *, gone: bool = False, sent: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone
        self.sent = sent


class Delivery:
    """Delivers the messages of one turn. `wake_ratings` is called after each part: a rating may be due now."""

    def __init__(self, attempt: TurnAttempt, wake_ratings: Callable[[], None]) -> None:
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._wake_ratings = wake_ratings

    def adapter(self) -> Adapter:
        """Return the adapter of the turn's channel. Raises `NotDelivered` when the channel is turned off."""
        channel = self._attempt.turn.conversation.channel
        adapter = self._ctx.adapters.get(channel)
        if adapter is None:
            raise NotDelivered(f"The channel {channel} is turned off.")
        return adapter

    async def notice(self, notice: Notice, kind: MessageKind, destination: Destination) -> list[MessageRef]:
        """Render and send a notice; see `parts`."""
        return await self.parts(self.adapter().render(notice), kind, destination)

    async def parts(self, parts: Sequence[Part], kind: MessageKind, destination: Destination) -> list[MessageRef]:
        """Send parts as messages of this kind; return the refs known.

        Raises:
            NotDelivered: the channel refused one for good, or cannot reach the conversation.
            GaveUp: one was not possible in time.
        """
        adapter, address = self.adapter(), self._attempt.turn.address
        if await self._ctx.recall(lambda tx: conversations.is_unreachable(tx, address)):
            raise NotDelivered("The conversation is out of reach.", gone=True)
        # An answer that is there deserves the same patience as the question had.
        until = max(self._attempt.deadline, asyncio.get_running_loop().time() + self._ctx.config.give_up)
        refs = []
        for number, part in enumerate(parts):
            send = Send(self._attempt, adapter, Outgoing(part, kind, number, destination), until)
            try:
                ref = await self._send(send, kind)
            except BotError as error:
                self.count(kind, "failed")
                raise NotDelivered(str(error), gone=getattr(error, "gone", False), sent=number) from None
            if ref is not None:
                refs.append(ref)
        self._ctx.problems.clear(adapter.channel)
        return refs

    async def _send(self, send: Send, kind: MessageKind) -> MessageRef | None:
        if self._attempt.is_done(send.name):
            return await self._attempt.run(send)
        ref = await self._attempt.run(send)
        self.count(kind, send.outcome)
        self._wake_ratings()
        return ref

    def count(self, kind: MessageKind, outcome: str) -> None:
        """Count how a part of an answer ended."""
        if kind == "answer":
            channel = self._attempt.turn.address.channel
            self._ctx.metrics.deliveries_total.labels(channel=channel, outcome=outcome).inc()
