"""One message, delivered: its parts in order, each a step of the turn, until all have receipts or one cannot go out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from bot.adapter import Adapter
from bot.errors import BotError
from bot.events import MessageRef, Notice
from bot.store import conversations
from bot.store.kinds import MessageKind, Outcome
from bot.texts import said
from bot.turns.attempt import TurnAttempt
from bot.turns.rendering import Rendered, render, rest_in_plain_form
from bot.turns.send import Destination, Outgoing, Replaced, Send

log = structlog.get_logger(__name__)


class NotDelivered(Exception):
    """A part could not be sent for good. `gone`: the whole conversation is out of reach. `sent`: parts before it."""

    def __init__(self, reason: str, *, gone: bool = False, sent: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone
        self.sent = sent


class Delivery:
    """Delivers the messages of one turn. `wake_ratings` is called when a rating may be due after a part."""

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

    async def notice(
        self, notice: Notice, kind: MessageKind, destination: Destination, *, end: Outcome | None = None
    ) -> list[MessageRef | None]:
        """Put a notice into the words of who is told, render and send it; see `message`."""
        language = await self._ctx.language_of(self._attempt.turn)
        text = notice.text if notice.kind == "question" else said(notice.text, language)
        notice = replace(notice, text=text, language=language)
        return await self.message(await render(self.adapter(), notice), kind, destination, end=end)

    async def message(
        self, message: Rendered, kind: MessageKind, destination: Destination, *, end: Outcome | None = None
    ) -> list[MessageRef | None]:
        """Send the parts of a message; return their refs, None for one of which nobody can tell whether it arrived.

        With `end` the turn ends so with the last part, in the transaction of its receipt, if all are known to be there.

        When the form of a part is refused, the plain form of the rest takes its place. Its parts are numbered after all
        those of the usual form, so each has a step and a delivery id of its own.

        Raises:
            NotDelivered: the channel refused one for good, or cannot reach the conversation.
            GaveUp: one was not possible in time.
        """
        adapter, address = self.adapter(), self._attempt.turn.address
        if await self._ctx.recall(lambda tx: conversations.is_unreachable(tx, address)):
            raise NotDelivered("The conversation is out of reach.", gone=True)
        # An answer that is there deserves the same patience as the question had.
        until = max(self._attempt.deadline, asyncio.get_running_loop().time() + self._ctx.config.give_up)
        refs: list[MessageRef | None] = []
        waiting, is_plain = deque(enumerate(message.parts)), message.outbound is None
        while waiting:
            number, part = waiting.popleft()
            rest = None if is_plain else partial(rest_in_plain_form, adapter, message, number)
            send = Send(self._attempt, adapter, Outgoing(part, kind, number, destination, rest), until)
            try:
                result = await self._send(send, kind, None if waiting or None in refs else end)
            except BotError as error:
                self.count(kind, "failed")
                raise NotDelivered(str(error), gone=getattr(error, "gone", False), sent=len(refs)) from None
            if isinstance(result, Replaced):
                waiting, is_plain = deque(enumerate(result.parts, len(message.parts))), True
            else:
                refs.append(result)
        self._ctx.problems.clear(adapter.channel)
        return refs

    async def _send(self, send: Send, kind: MessageKind, end: Outcome | None) -> MessageRef | Replaced | None:
        if self._attempt.is_done(send.name):
            return await self._attempt.run(send)
        result = await self._attempt.run(send, end=end)
        if isinstance(result, Replaced):
            channel = self._attempt.turn.address.channel
            self._ctx.metrics.deliveries_plain_total.labels(channel=channel, reason=result.reason).inc()
            log.warning("delivery.plain", step=str(send.name), reason=result.reason, parts=len(result.parts))
        else:
            self.count(kind, send.outcome)
            if send.may_be_rated:
                self._wake_ratings()
        return result

    def count(self, kind: MessageKind, outcome: str) -> None:
        """Count how a part of an answer ended."""
        if kind == "answer":
            channel = self._attempt.turn.address.channel
            self._ctx.metrics.deliveries_total.labels(channel=channel, outcome=outcome).inc()
