"""What people have asked: look-ups of questions by message, by place and by person."""

from __future__ import annotations

from bot.events import Conversation
from bot.store.conversations import Key, Where, other_keys, unpack
from bot.store.database import Tx
from bot.store.turns import Turn, load


def by_question(tx: Tx, key: Key, *, moved: bool = True) -> Turn | None:
    """Find the question that a message became; with `moved` also one of before its conversation has moved."""
    for one in (key, *(other_keys(tx, key) if moved else ())):
        row = tx.one(
            "SELECT * FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=? AND kind='question'"
            " ORDER BY id LIMIT 1",
            *one,
        )
        if row is not None:
            return load(row)
    return None


def met(tx: Tx, key: Key, event_id: str) -> bool:
    """Whether an event was taken in before, or its message became a question."""
    return bool(
        tx.one("SELECT 1 FROM events WHERE channel=? AND account=? AND event_id=?", *key[:2], event_id)
        or by_question(tx, key, moved=False)
    )


def refused(tx: Tx, key: Key) -> bool:
    """Whether a message was told to be no question that can be asked."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=? AND say='refusal' LIMIT 1",
            *key,
        )
    )


def asked_from(tx: Tx, where: Where) -> Conversation | None:
    """Return where the /ask was given that opened this thread, None for any other thread."""
    row = tx.one(
        "SELECT place FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND root=1 LIMIT 1",
        where.channel,
        where.account,
        where.conversation,
        where.thread,
    )
    return None if row is None else unpack(row["place"])


def asked_since(tx: Tx, channel: str, account: str, asker: str, since: float, now: float) -> list[float]:
    """When this person asked since then, oldest first; not after now, as before a clock was set back."""
    rows = tx.all(
        "SELECT accepted_at FROM turns WHERE channel=? AND account=? AND asker=? AND kind='question' AND accepted_at>?"
        " AND accepted_at<=? ORDER BY accepted_at",
        channel,
        account,
        asker,
        since,
        now,
    )
    return [row["accepted_at"] for row in rows]


def asked_in_lane(tx: Tx, lane: str) -> bool:
    """Whether a question ever went into this lane."""
    return bool(tx.one("SELECT 1 FROM turns WHERE lane=? AND kind='question' LIMIT 1", lane))


def open_questions(tx: Tx, where: Where, asker: str | None = None) -> list[Turn]:
    """Read the open questions of a thread, or of a whole conversation where `where.thread` is ""."""
    rows = tx.all(
        "SELECT * FROM turns WHERE state='open' AND kind='question' AND channel=? AND account=? AND conversation=?"
        " AND (?='' OR thread=?) AND (? IS NULL OR asker=?)",
        where.channel,
        where.account,
        where.conversation,
        where.thread,
        where.thread,
        asker,
        asker,
    )
    return [load(row) for row in rows]
