"""The step that sends one part, and how to find out what became of a send."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from bot import notices
from bot.adapter import Adapter, Part
from bot.context import Context
from bot.errors import Misconfigured, Rejected, Unavailable
from bot.events import Conversation, MessageRef, Notice
from bot.ratings import record
from bot.store import conversations, receipts
from bot.store.codec import ref_from_json, ref_to_json
from bot.store.database import Tx
from bot.store.kinds import MessageKind
from bot.store.receipts import Receipt
from bot.store.steps import StepName, StepRow, sending_step
from bot.store.turns import Turn
from bot.texts import said
from bot.turns.attempt import TurnAttempt
from bot.turns.steps import AGAIN, Again, Begin, Effect

LOOK_AFTER = 5.0
"""Seconds after a send began before it can be looked up: the platform may still be storing it."""
LOOK_AGAIN = 2.0
"""Seconds between two looks."""

DeliveryOutcome = Literal["sent", "reconciled", "resent_unknown", "failed"]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes, and which message it answers."""

    conversation: Conversation
    reply_to: MessageRef | None


def delivery_id(turn: Turn, step: StepName) -> str:
    """Name one message for good: the same on every try, other after `dead retry`. 32 hex characters."""
    return hashlib.sha256(f"{turn.reference}:{turn.generation}:{step}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One part on its way: of what kind, the how manieth, and where to.

    `rest` renders it and all after it in the plain form, None where it has that form already.
    """

    part: Part
    kind: MessageKind
    number: int
    destination: Destination
    rest: Callable[[], Awaitable[Sequence[Part]]] | None = None


@dataclass(frozen=True, slots=True)
class Replaced:
    """The form of a part was refused for `reason`: these, in the plain form, take its place and that of all after it.

    As the result of the refused part's step they are stored, so that a restart goes on with them.
    """

    parts: Sequence[Part]
    reason: str


def is_sent(row: StepRow) -> bool:
    """Whether the step of a part has a stored ref: it was sent, and is known to be."""
    return row.done_at is not None and isinstance(row.result, list) and bool(row.result)


class Send(Effect[MessageRef | Replaced | None]):
    """Send one part; the result is its ref, None when nobody can tell whether it arrived.

    `outcome` is how it ended, for the metrics. `may_be_rated`: with it a rating may be due, for people have reacted
    already, to this part or to one before it.
    """

    def __init__(self, attempt: TurnAttempt, adapter: Adapter, outgoing: Outgoing, until: float) -> None:
        self.name = sending_step(outgoing.kind, outgoing.number)
        self.until = until
        self.may_be_rated = outgoing.number > 0
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._adapter = adapter
        self._outgoing = outgoing
        self._delivery_id = delivery_id(attempt.turn, self.name)
        row = attempt.rows.get(self.name)
        self._may_be_second = row is not None and row.unknowns > 0 and self._ctx.lacks(adapter.channel, "look_ups")
        self.outcome: DeliveryOutcome = "resent_unknown" if self._may_be_second else "sent"

    async def act(self, begin: Begin) -> MessageRef | Replaced:
        """Send it, in one attempt; when its form is refused, render the rest in the plain one."""
        destination = self._outgoing.destination
        now = await self._ctx.db.read(lambda tx: conversations.current(tx, destination.conversation))
        await begin()
        try:
            return await self._adapter.send(
                now, self._outgoing.part, self._delivery_id, destination.reply_to, note=await self._note()
            )
        except Rejected as error:
            if not error.form or self._outgoing.rest is None:
                raise
            return Replaced(await self._outgoing.rest(), error.reason)
        except Misconfigured as error:
            # Only an operator can mend it, and may yet do so in time: an answer that is there is not thrown away.
            if self._ctx.problems.report(self._adapter.channel, str(error)):
                log.error("channel.misconfigured", status=error.status, hint=str(error))  # noqa: TRY400  # no bug
            raise Unavailable(str(error), status=error.status, reason="misconfigured") from None

    async def _note(self) -> str:
        is_answer = self._outgoing.kind == "answer"
        if not (self._may_be_second and is_answer and self._ctx.config.answers.second_copy):
            return ""
        return said(notices.SECOND_COPY, await self._ctx.language_of(self._attempt.turn))

    async def unknown(self, row: StepRow) -> MessageRef | Again | None:
        """Look it up; where the channel cannot be asked, send it once more, and count it."""
        where = self._outgoing.destination.conversation
        try:
            refs = await look_up(self._ctx, self._adapter, where, self._delivery_id, self.until)
        except Unavailable:
            self.outcome = "failed"
            log.warning("delivery.not_looked_up", kind=self._outgoing.kind, part=self._outgoing.number)
            return None
        if refs:
            self.outcome = "reconciled"
            return refs[0]
        if refs is None:  # the channel cannot be asked
            if row.unknowns > 1:
                self.outcome = "failed"
                log.error("delivery.unknown_twice", kind=self._outgoing.kind, part=self._outgoing.number)
                return None
            self.outcome, self._may_be_second = "resent_unknown", True
        return AGAIN

    def may_end(self, result: MessageRef | Replaced | None) -> bool:
        """Whether the message is whole with it."""
        return isinstance(result, MessageRef)

    def done(self, tx: Tx, result: MessageRef | Replaced | None) -> None:
        """Store the receipt, and take in what people said of the part before it was stored."""
        if not isinstance(result, MessageRef):
            return
        outgoing, now = self._outgoing, self._ctx.clock()
        receipt = Receipt(self._attempt.turn.id, outgoing.kind, result, outgoing.destination.conversation)
        receipts.add(tx, receipt, outgoing.number, now)
        if outgoing.kind == "answer":
            self.may_be_rated |= record.early_gestures(tx, receipt, self._ctx.config.feedback, now)

    def to_json(self, result: MessageRef | Replaced | None) -> Any:
        """Make a JSON value of the ref, or of the parts that take its place."""
        if isinstance(result, Replaced):
            return {"plain": result.parts, "reason": result.reason}
        return [] if result is None else ref_to_json(result)

    def from_json(self, stored: Any) -> MessageRef | Replaced | None:
        """Make the ref of the JSON value, or the parts that take its place."""
        if isinstance(stored, dict):
            return Replaced(stored["plain"], stored["reason"])
        return ref_from_json(stored) if stored else None


async def look_up(
    ctx: Context, adapter: Adapter, conversation: Conversation, delivery_id: str, until: float
) -> Sequence[MessageRef] | None:
    """Ask the channel twice what became of a send. Raises `Unavailable` if it does not answer until `until`, loop time.

    The wait before is whole, though the send began some time ago: the clock that was stored may have been set since.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(LOOK_AFTER)
    looks = 0
    while True:
        try:
            now = await ctx.db.read(lambda tx: conversations.current(tx, conversation))
            refs = await adapter.find(now, delivery_id)
        except (Unavailable, Misconfigured) as error:
            if loop.time() > until:
                raise Unavailable(str(error), reason=error.reason) from None
            await asyncio.sleep(getattr(error, "retry_after", None) or LOOK_AGAIN)
            continue
        except Rejected:
            return None  # it cannot be asked about this conversation
        looks += 1
        if refs is None or refs or looks == 2:
            return refs
        await asyncio.sleep(LOOK_AGAIN)


async def post_notice(
    adapter: Adapter, conversation: Conversation, notice: Notice, turn: Turn, name: StepName
) -> MessageRef:
    """Send a notice; in the plain form if the usual one is refused, which is certain, so one delivery id does."""
    own_id = delivery_id(turn, name)
    try:
        return await adapter.send(conversation, adapter.render(notice)[0], own_id, turn.question)
    except Rejected as error:
        if not error.form:
            raise
        return await adapter.send(conversation, adapter.render(notice, plain=True)[0], own_id, turn.question)
