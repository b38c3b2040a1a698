"""Events that came before what they are about: platforms deliver again what was not acknowledged.

An edit or a deletion waits for its message, a reaction for the receipt of the answer it stands on.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.events import MessageRef
from bot.store.contexts import NOTHING, QuestionContext, pack_context, unpack_context
from bot.store.database import Tx
from bot.store.votes import Gesture

KEEP_CHANGES = 86400.0
"""Seconds that an edit or a deletion waits. Slack delivers for about an hour, Telegram for a day."""
KEEP_REACTIONS = 600.0
"""Seconds that a reaction waits for its answer."""


@dataclass(frozen=True, slots=True)
class EarlyChange:
    """The newest words of a message that has not arrived yet, and what goes along with them; None when it was deleted.

    `sent_at`: the platform's.
    """

    text: str | None
    sent_at: float
    context: QuestionContext = NOTHING


def keep_change(tx: Tx, ref: MessageRef, change: EarlyChange, now: float, user: str | None = None) -> None:
    """Keep an edit by a person, or a deletion (text None), for its message. A deletion stays one."""
    tx.run(
        "INSERT INTO early_changes (channel, account, conversation, message, text, sent_at, at, user_id, context)"
        " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, message)"
        " DO UPDATE SET text=excluded.text, sent_at=excluded.sent_at, at=excluded.at, context=excluded.context"
        " WHERE early_changes.text IS NOT NULL"
        " AND (excluded.text IS NULL OR excluded.sent_at>=early_changes.sent_at)",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
        *(change.text, change.sent_at, now, user, pack_context(change.context)),
    )


def find_change(tx: Tx, ref: MessageRef) -> EarlyChange | None:
    """Return what came before the message, None for nothing."""
    row = tx.one(
        "SELECT * FROM early_changes WHERE channel=? AND account=? AND conversation=? AND message=?",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
    )
    return None if row is None else EarlyChange(row["text"], row["sent_at"], unpack_context(row["context"]))


def keep_reaction(tx: Tx, target: MessageRef, event_id: str, gesture: Gesture, now: float) -> None:
    """Keep a reaction that may have overtaken its answer; the same event once."""
    tx.run(
        "INSERT INTO early_reactions (channel, account, conversation, message, event_id, user_id, emoji, added, button,"
        " sent_at, at) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        *(target.channel, target.account_id, target.conversation_id, target.message_id),
        *(event_id, gesture.user, gesture.emoji, int(gesture.added), int(gesture.button), gesture.sent_at, now),
    )
    tx.run("DELETE FROM early_reactions WHERE at<?", now - KEEP_REACTIONS)


def last_reaction(tx: Tx, target: MessageRef, user: str, before: float) -> float | None:
    """Return the time of the last reaction of a person that waits in that conversation, None for nothing."""
    row = tx.one(
        "SELECT max(sent_at) AS last FROM early_reactions WHERE channel=? AND account=? AND conversation=?"
        " AND user_id=? AND sent_at<?",
        *(target.channel, target.account_id, target.conversation_id, user, before),
    )
    return None if row is None else row["last"]


def take_reactions(tx: Tx, target: MessageRef) -> list[Gesture]:
    """Return the reactions that came before the message was known to be ours, in their order, and keep them no more."""
    where = "WHERE channel=? AND account=? AND conversation=? AND message=?"
    ids = (target.channel, target.account_id, target.conversation_id, target.message_id)
    rows = tx.all(f"SELECT * FROM early_reactions {where} ORDER BY sent_at, at, event_id", *ids)  # noqa: S608
    if rows:
        tx.run(f"DELETE FROM early_reactions {where}", *ids)  # noqa: S608  # a constant
    return [
        Gesture(
            user=row["user_id"],
            emoji=row["emoji"],
            added=bool(row["added"]),
            button=bool(row["button"]),
            sent_at=row["sent_at"],
        )
        for row in rows
    ]


def forget_old(tx: Tx, now: float) -> int:
    """Forget what nothing waits for any more; return how many."""
    changes = tx.run("DELETE FROM early_changes WHERE at<?", now - KEEP_CHANGES)
    return changes + tx.run("DELETE FROM early_reactions WHERE at<?", now - KEEP_REACTIONS)
