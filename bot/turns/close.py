"""The close of a session at the API: the last turn of its lane."""

from __future__ import annotations

from bot.errors import BotError
from bot.store.steps import CLOSE
from bot.turns.attempt import TurnAttempt
from bot.turns.steps import Begin, GaveUp, Step


class CloseSession(Step[None]):
    """Close the session; the API takes it twice without harm, so after a crash it simply runs again."""

    def __init__(self, attempt: TurnAttempt) -> None:
        self.name = CLOSE
        self.until = attempt.deadline
        self._attempt = attempt

    async def act(self, begin: Begin) -> None:
        """Call the API."""
        turn = self._attempt.turn
        await self._attempt.ctx.api_of(turn).close_session(turn.lane)


class CloseTurn:
    """One attempt to close a session."""

    def __init__(self, attempt: TurnAttempt) -> None:
        self._attempt = attempt

    async def work(self) -> None:
        """Close it, or leave a dead letter."""
        try:
            await self._attempt.run(CloseSession(self._attempt), end="closed")
        except (GaveUp, BotError) as error:
            await self._attempt.finish("failed", str(error), letter="close")
        else:
            await self._attempt.finish("closed")

    async def dead_letter(self, why: str) -> None:
        """End a close that a mistake of ours keeps from its end."""
        await self._attempt.finish("failed", why, letter="turn")
