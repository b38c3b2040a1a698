"""How a question ends without its whole answer: decided, stored, told, kept as a dead letter, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import structlog

from bot import notices
from bot.events import Notice
from bot.store import conversations, steps, turns
from bot.store.database import Tx
from bot.store.kinds import LetterKind
from bot.store.steps import VERDICT, StepRow
from bot.texts import stored
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.send import Destination
from bot.turns.steps import GaveUp

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: why, for the operator; what the asker is told; the kind of the dead letter, None for words that
    cannot be asked."""

    why: str
    text: str
    letter: LetterKind | None


class Failure:
    """The ends of one question other than its answer."""

    def __init__(self, attempt: TurnAttempt, delivery: Delivery) -> None:
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._turn = attempt.turn
        self._delivery = delivery

    @property
    def verdict(self) -> Verdict | None:
        """What was decided before a restart, None if nothing was."""
        row = self._attempt.rows.get(VERDICT)
        return None if row is None or row.done_at is None else Verdict(*row.result)

    async def fail(self, why: str, destination: Destination) -> None:
        """There will be no answer: tell the asker, leave a dead letter, and let the conversation go on."""
        await self._decide(Verdict(why, notices.failure(self._turn.reference), "turn"), destination)

    async def refuse(self, text: str, destination: Destination) -> None:
        """The words cannot be asked: tell the asker what is possible."""
        await self._decide(Verdict("The words cannot be asked as they are.", text, None), destination)

    async def undeliverable(self, error: NotDelivered | GaveUp, destination: Destination) -> None:
        """The channel did not take an answer, or the root of an /ask."""
        if isinstance(error, GaveUp):
            self._delivery.count("answer", "failed")
            return await self._decide_undelivered(str(error), sent=0, destination=destination)
        if error.gone:
            address, now = self._turn.address, self._ctx.clock()
            await self._attempt.write(lambda tx: conversations.mark_unreachable(tx, address, now))
            return await self._attempt.finish("failed", error.reason, letter="delivery")
        return await self._decide_undelivered(error.reason, sent=error.sent, destination=destination)

    async def unsure(self, destination: Destination) -> None:
        """A part was sent twice to a channel that cannot be asked, and cut off both times."""
        why = "Nobody can tell whether every part of the answer arrived."
        await self._decide(Verdict(why, notices.unsure(self._turn.reference), "delivery"), destination)

    async def conclude(self, verdict: Verdict, destination: Destination) -> None:
        """Tell what was decided, and store the end."""
        refused = verdict.letter is None
        await self.tell(verdict.text, "refusal" if refused else "failure", destination)
        await self._attempt.finish("refused" if refused else "failed", verdict.why, letter=verdict.letter)

    async def tell(self, text: str, kind: Literal["failure", "refusal"], destination: Destination) -> None:
        """Tell the asker; what cannot be told is logged."""
        try:
            await self._delivery.notice(Notice(text=text, kind=kind, user_id=self._turn.asker), kind, destination)
        except (NotDelivered, GaveUp) as error:
            log.warning("notice.undeliverable", kind=kind, reason=str(error))

    async def _decide_undelivered(self, why: str, *, sent: int, destination: Destination) -> None:
        text = notices.cut_short(self._turn.reference) if sent else notices.failure(self._turn.reference)
        await self._decide(Verdict(why, text, "delivery"), destination)

    async def _decide(self, verdict: Verdict, destination: Destination) -> None:
        """Store that there will be no (whole) answer before anybody is told, so that a restart does not try again."""
        row = StepRow(done_at=self._ctx.clock(), result=[verdict.why, stored(verdict.text), verdict.letter])

        def work(tx: Tx) -> bool:
            if not turns.claim(tx, self._turn.id):
                return False
            steps.save(tx, self._turn.id, VERDICT, row)
            return True

        if await self._attempt.write(work):
            await self.conclude(verdict, destination)
        else:
            await self._attempt.finish("cancelled")
