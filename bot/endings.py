"""How a question ends without its whole answer: decided, stored, told, kept as a dead letter, in this order."""

from __future__ import annotations

from typing import cast

import structlog

from bot import notices
from bot.delivery import NotDelivered
from bot.engine.steps import GaveUp
from bot.events import Conversation, MessageRef, Notice, NoticeKind
from bot.store import conversations, steps, turns
from bot.store.database import Tx
from bot.store.steps import StepRow
from bot.work import Work

VERDICT = "verdict"
"""The step that holds how a question ends without its answer."""

log = structlog.get_logger(__name__)


class Ending(Work):
    """The endings of a question other than its answer."""

    @property
    def verdict(self) -> tuple[str, str, str] | None:
        """How the question ends without its answer, if that was decided before a restart: why, what is told, letter."""
        row = self.step.rows.get(VERDICT)
        return None if row is None or row.done_at is None else cast("tuple[str, str, str]", tuple(row.result))

    @property
    def rooted(self) -> bool:
        """Whether the words of an /ask were posted."""
        row = self.step.rows.get("root:0")
        return row is not None and bool(row.result)

    async def give_up(self, why: str) -> None:
        """Tell the asker that there will be no answer, and end."""
        await self.fail(why, self.turn.place, self.turn.question)

    async def fail(self, why: str, place: Conversation, reply_to: MessageRef | None) -> None:
        """Tell the asker, leave a dead letter, and let the conversation go on."""
        await self.decide(why, notices.failure(self.turn.reference), "turn", place, reply_to)

    async def decide(self, why: str, text: str, letter: str, place: Conversation, reply_to: MessageRef | None) -> None:
        """Store that there will be no (whole) answer before anybody is told, so that a restart does not try again."""

        def work(tx: Tx) -> bool:
            if not turns.claim(tx, self.turn.id):
                return False
            steps.save(tx, self.turn.id, VERDICT, StepRow(done_at=self.ctx.clock(), result=[why, text, letter]))
            return True

        if await self.step.write(work):
            await self.end(why, text, letter, place, reply_to)
        else:
            await self.finish("cancelled")

    async def end(self, why: str, text: str, letter: str, place: Conversation, reply_to: MessageRef | None) -> None:
        """Tell what was decided, and store the end."""
        await self.tell(text, "failure", place, reply_to)
        await self.finish("failed", why, letter=letter)

    async def undeliverable(
        self, error: NotDelivered | GaveUp, place: Conversation, reply_to: MessageRef | None
    ) -> None:
        """End an answer, or the root of an /ask, that the channel did not take."""
        why = getattr(error, "reason", None) or str(error)
        if isinstance(error, GaveUp):
            self.ctx.metrics.deliveries_total.labels(channel=self.turn.where.channel, outcome="failed").inc()
        if isinstance(error, NotDelivered) and error.gone:
            where = self.turn.where
            await self.step.write(
                lambda tx: conversations.rest(tx, where.channel, where.account, where.conversation, self.ctx.clock())
            )
            return await self.finish("failed", why, letter="delivery")
        sent = isinstance(error, NotDelivered) and error.sent
        text = notices.cut_short(self.turn.reference) if sent else notices.failure(self.turn.reference)
        return await self.decide(why, text, "delivery", place, reply_to)

    async def unsure(self, place: Conversation, reply_to: MessageRef | None) -> None:
        """A part was sent twice to a channel that cannot be asked, and cut off both times."""
        why = "Nobody can tell whether every part of the answer arrived."
        await self.decide(why, notices.unsure(self.turn.reference), "delivery", place, reply_to)

    async def tell(self, text: str, kind: NoticeKind, place: Conversation, reply_to: MessageRef | None) -> None:
        """Tell the asker something; one that cannot be told is logged."""
        try:
            await self.deliver(Notice(text=text, kind=kind, user_id=self.turn.asker), kind, None, place, reply_to)
        except (NotDelivered, GaveUp) as error:
            log.warning("notice.undeliverable", kind=kind, reason=str(error))
