"""Programs that answer us: two that answer each other would go on for ever, and nobody might notice."""

from __future__ import annotations

from typing import Final

from bot.events import Message
from bot.intake.arrival import Arrival
from bot.store import questions

ANSWERS: Final = 5
"""Answers in a minute to the same person at the same place, each to words that were not addressed to us."""
MINUTE: Final = 60.0


def is_loop(arrival: Arrival, event: Message) -> bool:
    """Whether these words seem to answer our answers: who is addressed by nobody has had five of them in a minute.

    Posts that a platform marks as a program's are no words of people in the first place. Others cannot be told from
    people but by this; whoever mentions us, or writes to us directly, is held to the limits alone.
    """
    if event.conversation.is_direct or event.mentions_bot or event.asks:
        return False
    return questions.count_answered(arrival.tx, arrival.address, event.user_id, arrival.now - MINUTE) >= ANSWERS
