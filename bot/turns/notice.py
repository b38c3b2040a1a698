"""A notice's turn: something to say that is no answer (help, a refusal, "why?"), told at once in a lane of its own."""

from __future__ import annotations

import asyncio

from bot.events import Notice
from bot.store import conversations
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.send import Destination
from bot.turns.steps import GaveUp

MOVE_SECONDS = 5.0
"""How long a greeting waits: a conversation that moves seems to be a new one until the platform tells of the move."""


class NoticeTurn:
    """One attempt to tell a notice."""

    def __init__(self, attempt: TurnAttempt, delivery: Delivery) -> None:
        self._attempt = attempt
        self._delivery = delivery

    async def work(self) -> None:
        """Send it, or leave a dead letter."""
        turn = self._attempt.turn
        if turn.notice == "greeting":
            return await self._greet()
        notice = Notice(text=turn.text or "", kind=turn.notice or "info", user_id=turn.asker)
        destination = Destination(turn.conversation, turn.reply_to or turn.question)
        try:
            await self._delivery.notice(notice, notice.kind, destination, end="answered")
        except NotDelivered as error:
            await self._attempt.finish("failed", error.reason, letter=None if error.gone else "notice")
        except GaveUp as error:
            await self._attempt.finish("failed", str(error), letter="notice")
        else:
            await self._attempt.finish("answered")

    async def _greet(self) -> None:
        """Tell a greeting, to nobody in particular, unless the conversation turns out to have moved.

        That it cannot be told is nobody's trouble.
        """
        turn, ctx = self._attempt.turn, self._attempt.ctx
        await asyncio.sleep(max(0.0, MOVE_SECONDS - self._attempt.seconds()))
        known = await ctx.recall(lambda tx: conversations.locate(tx, turn.conversation))
        if known.address.conversation != turn.address.conversation:
            return await self._attempt.finish("cancelled")
        try:
            notice = Notice(text=turn.text or "", kind="greeting")
            await self._delivery.notice(notice, notice.kind, Destination(turn.conversation, None), end="answered")
        except (NotDelivered, GaveUp) as error:
            await self._attempt.finish("failed", str(error))
        else:
            await self._attempt.finish("answered")

    async def dead_letter(self, why: str) -> None:
        """End a notice that a mistake of ours keeps from its end."""
        await self._attempt.finish("failed", why, letter="turn")
