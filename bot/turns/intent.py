"""The step that promises: the answer is rendered and stored, and from then on edits and deletions come too late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.store import turns
from bot.store.database import Tx
from bot.store.steps import INTENT
from bot.turns.attempt import TurnAttempt
from bot.turns.rendering import Rendered
from bot.turns.steps import Begin, Step
from bot.turns.submit import Cancelled

STORE_SECONDS = 60.0
"""Seconds beyond the question's own deadline in which an answer that is there must be stored."""


class Superseded(Exception):
    """The question was edited after this submit."""


class Intent(Step[Rendered]):
    """Store the answer to the words of this version, rendered, and claim the turn's end in the same transaction.

    `also` is stored with it.
    """

    def __init__(
        self, attempt: TurnAttempt, answer: Rendered, version: int, also: Callable[[Tx], None] | None = None
    ) -> None:
        self.name = INTENT
        self.until = attempt.deadline + STORE_SECONDS
        self._turn = attempt.turn
        self._answer = answer
        self._version = version
        self._also = also

    async def act(self, begin: Begin) -> Rendered:
        """Return the answer: nothing is to be done but to store it."""
        return self._answer

    def done(self, tx: Tx, result: Rendered) -> None:
        """Claim the turn; one conditional write, so that no edit and no deletion can come between."""
        if not turns.claim(tx, self._turn.id, self._version):
            turn = turns.get(tx, self._turn.id)
            raise Cancelled if turn is None or turn.cancelled else Superseded
        if self._also is not None:
            self._also(tx)

    def to_json(self, result: Rendered) -> Any:
        """Make a JSON value of the answer and its parts."""
        return result.to_json()

    def from_json(self, stored: Any) -> Rendered:
        """Make the answer of the JSON value."""
        return Rendered.from_json(stored)
