"""Why people found an answer bad, in their own words; they stay here and are never sent to the API."""

from __future__ import annotations

from dataclasses import dataclass

from bot.events import MessageRef
from bot.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One person's reason. `message` is the id of the reply that says it, None for a form of the channel."""

    user: str
    text: str
    event_id: str
    message: str | None = None


def add(tx: Tx, turn_id: int, reason: Reason, now: float) -> None:
    """Store why an answer is bad; the same event once."""
    tx.run(
        "INSERT INTO comments (turn, user_id, text, at, event_id, message) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        *(turn_id, reason.user, reason.text, now, reason.event_id, reason.message),
    )


def is_reason(tx: Tx, ref: MessageRef, user: str) -> bool:
    """Whether the message is a reason that this person gave."""
    return bool(
        tx.one(
            "SELECT 1 FROM comments JOIN turns ON turns.id=comments.turn WHERE comments.message=? AND user_id=?"
            " AND channel=? AND account=?",
            *(ref.message_id, user, ref.channel, ref.account_id),
        )
    )


def replace_text(tx: Tx, ref: MessageRef, user: str, text: str) -> None:
    """Change the words of a reason that its person has edited."""
    tx.run(
        "UPDATE comments SET text=? WHERE message=? AND user_id=?"
        " AND EXISTS (SELECT 1 FROM turns WHERE id=comments.turn AND channel=? AND account=?)",
        *(text, ref.message_id, user, ref.channel, ref.account_id),
    )
