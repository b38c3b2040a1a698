"""The step that promises: the answer is rendered and stored, and from then on edits and deletions come too late."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapter import Part
from bot.store import turns
from bot.store.database import Tx
from bot.store.steps import INTENT
from bot.turns.attempt import TurnAttempt
from bot.turns.steps import Begin, Step
from bot.turns.submit import Cancelled

STORE_SECONDS = 60.0
"""Seconds beyond the question's own deadline in which an answer that is there must be stored."""


class Superseded(Exception):
    """The question was edited after this submit."""


class Intent(Step[Sequence[Part]]):
    """Store the parts of the answer to the words of this version, and claim the turn's end in the same transaction."""

    def __init__(self, attempt: TurnAttempt, parts: Sequence[Part], version: int) -> None:
        self.name = INTENT
        self.until = attempt.deadline + STORE_SECONDS
        self._turn = attempt.turn
        self._parts = parts
        self._version = version

    async def act(self, begin: Begin) -> Sequence[Part]:
        """Return the parts: nothing is to be done but to store them."""
        return self._parts

    def done(self, tx: Tx, result: Sequence[Part]) -> None:
        """Claim the turn; one conditional write, so that no edit and no deletion can come between."""
        if not turns.claim(tx, self._turn.id, self._version):
            turn = turns.get(tx, self._turn.id)
            raise Cancelled if turn is None or turn.cancelled else Superseded
