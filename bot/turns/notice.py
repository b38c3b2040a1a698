"""A notice's turn: something to say that is no answer (help, a refusal, "why?"), told at once in a lane of its own."""

from __future__ import annotations

from bot.events import Notice
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.send import Destination
from bot.turns.steps import GaveUp


class NoticeTurn:
    """One attempt to tell a notice."""

    def __init__(self, attempt: TurnAttempt, delivery: Delivery) -> None:
        self._attempt = attempt
        self._delivery = delivery

    async def work(self) -> None:
        """Send it, or leave a dead letter."""
        turn = self._attempt.turn
        notice = Notice(text=turn.text or "", kind=turn.notice or "info", user_id=turn.asker)
        destination = Destination(turn.conversation, turn.reply_to or turn.question)
        try:
            await self._delivery.notice(notice, notice.kind, destination)
        except NotDelivered as error:
            await self._attempt.finish("failed", error.reason, letter=None if error.gone else "notice")
        except GaveUp as error:
            await self._attempt.finish("failed", str(error), letter="notice")
        else:
            await self._attempt.finish("answered")

    async def dead_letter(self, why: str) -> None:
        """End a notice that a mistake of ours keeps from its end."""
        await self._attempt.finish("failed", why, letter="turn")
