"""One outbound, delivered: intent → parts → receipts → look up what is unknown.

Every part is one step of its turn. A send whose outcome is unknown is looked up where the channel can be
asked, no sooner than 5 s after it began and twice, 2 s apart; where it cannot, the part is sent again once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.adapter import Adapter
from bot.context import Context
from bot.engine.steps import AGAIN, Begin, Steps
from bot.errors import BotError, Misconfigured, Rejected, Unavailable
from bot.events import Conversation, MessageRef
from bot.store import conversations, feedback, receipts
from bot.store.database import Tx
from bot.store.receipts import REF_FIELDS
from bot.store.steps import StepRow
from bot.store.turns import Turn

LOOK_AFTER = 5.0
"""Seconds after a send began before it can be looked up: the platform may still be storing it."""
LOOK_AGAIN = 2.0
log = structlog.get_logger(__name__)


class NotDelivered(Exception):
    """A part could not be sent for good. `gone`: the whole conversation is out of reach. `sent`: parts before it."""

    def __init__(self, reason: str, *, gone: bool = False, sent: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone
        self.sent = sent


def delivery_id(turn: Turn, step: str) -> str:
    """Name one message for good: the same on every try, other after `dead retry`. 32 hex characters."""
    return hashlib.sha256(f"{turn.reference}:{turn.generation}:{step}".encode()).hexdigest()[:32]


def ref_values(ref: MessageRef) -> list[str]:
    """Make JSON of a MessageRef."""
    return [getattr(ref, field) for field in REF_FIELDS]


class Delivery:
    """Sends the parts of one turn's outbound, in order."""

    def __init__(self, ctx: Context, step: Steps, adapter: Adapter) -> None:
        self.ctx = ctx
        self.step = step
        self.turn = step.turn
        self.adapter = adapter

    async def send_all(
        self,
        parts: Sequence[Mapping[str, Any]],
        *,
        kind: str,
        place: Conversation,
        reply_to: MessageRef | None,
        until: float,
    ) -> list[MessageRef]:
        """Send the parts as messages of this kind (see `receipts.kind`); return the refs known.

        `until` is loop time. Raises `NotDelivered` and `GaveUp`.
        """
        refs = []
        for index, part in enumerate(parts):
            try:
                values = await self._send(part, index, kind, place, reply_to, until)
            except BotError as error:
                self._count(kind, "failed")
                raise NotDelivered(str(error), gone=getattr(error, "gone", False), sent=index) from None
            if values:
                refs.append(receipts.ref_of(values))
        return refs

    async def _send(
        self,
        part: Mapping[str, Any],
        index: int,
        kind: str,
        place: Conversation,
        reply_to: MessageRef | None,
        until: float,
    ) -> Any:
        name = f"{'send' if kind == 'answer' else kind}:{index}"
        known = delivery_id(self.turn, name)
        how = "sent"

        async def act(begin: Begin) -> list[str]:
            now = await self.ctx.db.read(lambda tx: conversations.current(tx, place))
            await begin()
            try:
                return ref_values(await self.adapter.send(now, part, known, reply_to))
            except Misconfigured as error:
                # Only an operator can mend it, and may yet do so in time: an answer that is there is not thrown away.
                self._ails(place, error)
                raise Unavailable(str(error), status=error.status, reason="misconfigured") from None

        async def unknown(row: StepRow) -> Any:
            nonlocal how
            try:
                found = await look_up(self.ctx, self.adapter, place, known, until)
            except Unavailable:
                how = "failed"
                log.warning("delivery.not_looked_up", kind=kind, part=index)
                return []
            if found:
                how = "reconciled"
                return ref_values(found[0])
            if found is None:  # the channel cannot be asked
                if row.unknowns > 1:
                    how = "failed"
                    log.error("delivery.unknown_twice", kind=kind, part=index)
                    return []
                how = "resent_unknown"
            return AGAIN

        def receipt(tx: Tx, values: Any) -> None:
            if values:
                receipts.add(tx, self.turn.id, receipts.ref_of(values), place, kind, index, self.ctx.clock())
                if kind == "answer":
                    feedback.take_early(
                        tx, self.turn.id, receipts.ref_of(values), self.ctx.config.feedback, self.ctx.clock()
                    )

        done_before = (row := self.step.rows.get(name)) is not None and row.done_at is not None
        values = await self.step(name, act, until=until, unknown=unknown, with_result=receipt)
        if not done_before:
            self._count(kind, how)
            self.ctx.wake_feedback()
        return values

    def _ails(self, place: Conversation, error: Misconfigured) -> None:
        if place.channel not in self.ctx.ailing:
            log.error("channel.misconfigured", status=error.status, hint=str(error))
        self.ctx.ailing[place.channel] = str(error)

    def _count(self, kind: str, outcome: str) -> None:
        if kind == "answer":
            self.ctx.metrics.deliveries_total.labels(channel=self.turn.where.channel, outcome=outcome).inc()


async def look_up(
    ctx: Context, adapter: Adapter, place: Conversation, known: str, until: float
) -> Sequence[MessageRef] | None:
    """Ask the channel twice what became of a send. Raises `Unavailable` if it does not answer until `until`, loop time.

    The wait before is whole, though the send began some time ago: the clock that was stored may have been set since.
    """
    loop = asyncio.get_running_loop()
    await asyncio.sleep(LOOK_AFTER)
    looks = 0
    while True:
        try:
            now = await ctx.db.read(lambda tx: conversations.current(tx, place))
            found = await adapter.find(now, known)
        except (Unavailable, Misconfigured) as error:
            if loop.time() > until:
                raise Unavailable(str(error), reason=error.reason) from None
            await asyncio.sleep(getattr(error, "retry_after", None) or LOOK_AGAIN)
            continue
        except Rejected:
            return None  # it cannot be asked about this place
        looks += 1
        if found is None or found or looks == 2:
            return found
        await asyncio.sleep(LOOK_AGAIN)
