"""Questions, looked up by the message that asked, by place and by person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.events import Conversation, MessageRef, RecentQuestion, unmarked
from bot.sessions import Address
from bot.store import receipts
from bot.store.codec import unpack_conversation
from bot.store.conversations import refs_before_a_move
from bot.store.database import Row, Tx
from bot.store.kinds import TurnKind
from bot.store.turns import Turn, from_row

NEVER_IN_CONVERSATION = "ask:"
"""What the thread of an /ask begins with until its root is posted, and after: no platform has such ids."""


CLOCKS_DIFFER = 5.0
"""Seconds by which the clocks of machines that share a database may differ."""
LIMITED = "limited:"
"""What the lane of a notice begins with that says that it was too much."""


def notice_lane(channel: str, name: str, *, prefix: str = "") -> str:
    """Name the lane of notices to somebody, or of one alone; the lane says of which channel it is."""
    return f"{prefix}notice:{channel}:{name}"


def channel_of_notices(lane: str) -> str | None:
    """Return the channel of a lane of notices, None for another lane, and for one that an older version named.

    >>> channel_of_notices(notice_lane("slack", "x", prefix="limited:")), channel_of_notices("notice:x")
    ('slack', None)
    """
    *_, kind, channel, _ = ("", "", *lane.split(":"))
    return channel if kind == "notice" else None


def by_message(tx: Tx, ref: MessageRef) -> Turn | None:
    """Find the question that a message became, or is a part of."""
    ids = (ref.channel, ref.account_id, ref.conversation_id, ref.message_id)
    row = tx.one(
        "SELECT * FROM turns WHERE id=COALESCE("
        "(SELECT turn FROM question_parts WHERE channel=? AND account=? AND asked_in=? AND message=?),"
        " (SELECT id FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=? AND kind='question'"
        " ORDER BY id LIMIT 1))",
        *(*ids, *ids),
    )
    return None if row is None else from_row(row)


def by_message_before_a_move(tx: Tx, ref: MessageRef) -> Turn | None:
    """Find the question that a message became, maybe before its conversation has moved."""
    if (turn := by_message(tx, ref)) is not None:
        return turn
    turns = (by_message(tx, older) for older in refs_before_a_move(tx, ref))
    return next((turn for turn in turns if turn is not None), None)


def latest_of(tx: Tx, address: Address, asker: str) -> Turn | None:
    """Find the newest question of a person in this thread."""
    row = tx.one(
        "SELECT * FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND asker=?"
        " AND kind='question' ORDER BY id DESC LIMIT 1",
        *(address.channel, address.account, address.conversation, address.thread, asker),
    )
    return None if row is None else from_row(row)


def was_refused(tx: Tx, ref: MessageRef) -> bool:
    """Whether a message was told to be no question that can be asked."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=? AND notice='refusal'"
            " LIMIT 1",
            *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
        )
    )


def asked_from(tx: Tx, address: Address) -> Conversation | None:
    """Return where the /ask was given that opened this thread, None for any other thread."""
    if not address.thread.startswith(NEVER_IN_CONVERSATION):
        return None
    row = tx.one(
        "SELECT sent_to FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND root=1 LIMIT 1",
        *(address.channel, address.account, address.conversation, address.thread),
    )
    return None if row is None else unpack_conversation(row["sent_to"])


def count_answered(tx: Tx, address: Address, asker: str, since: float) -> int:
    """Count the questions of this person at this place that were accepted since then and are answered."""
    row = tx.one(
        "SELECT COUNT(*) AS answered FROM turns WHERE channel=? AND account=? AND asker=? AND accepted_at>?"
        " AND conversation=? AND thread=? AND kind='question' AND outcome='answered'",
        *(address.channel, address.account, asker, since, address.conversation, address.thread),
    )
    return 0 if row is None else int(row["answered"])


def times_of(
    tx: Tx, address: Address, asker: str, since: float, until: float, kinds: Sequence[TurnKind]
) -> list[float]:
    """When this person asked (or was told something for what they did) anywhere in the account, oldest first.

    After `since`, not after `until` (seconds). What said that it was too much does not count, or it would add to it.
    """
    rows = tx.all(
        "SELECT accepted_at FROM turns WHERE channel=? AND account=? AND asker=? AND accepted_at>? AND accepted_at<=?"
        " AND kind IN (?,?) AND about IS NULL AND lane NOT LIKE ? ORDER BY accepted_at",
        *(address.channel, address.account, asker, since, until),
        *(kinds[0], kinds[-1], f"{LIMITED}%"),
    )
    return [row["accepted_at"] for row in rows]


def asked_at(tx: Tx, lane: str) -> tuple[str, str] | None:
    """Return the route and the site of the newest question that went into this lane, None without any."""
    row = tx.one("SELECT route, site FROM turns WHERE lane=? AND kind='question' ORDER BY id DESC LIMIT 1", lane)
    return None if row is None else (row["route"], row["site"])


def any_of(tx: Tx, address: Address, asker: str) -> bool:
    """Whether this person has asked in this thread before."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND asker=?"
            " AND kind='question' LIMIT 1",
            *(address.channel, address.account, address.conversation, address.thread, asker),
        )
    )


def any_in_thread(tx: Tx, address: Address, scope: str) -> bool:
    """Whether anything was asked in this thread by those who share this part of the conversation's memory."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND scope=?"
            " AND kind='question' LIMIT 1",
            *(address.channel, address.account, address.conversation, address.thread, scope),
        )
    )


def open_in(tx: Tx, address: Address, asker: str | None = None) -> list[Turn]:
    """Read the open questions of a thread, or of a whole conversation where `address.thread` is ""."""
    rows = tx.all(
        "SELECT * FROM turns WHERE state='open' AND kind='question' AND channel=? AND account=? AND conversation=?"
        " AND (?='' OR thread=?) AND (CAST(? AS TEXT) IS NULL OR asker=?)",
        *(address.channel, address.account, address.conversation),
        *(address.thread, address.thread, asker, asker),
    )
    return [from_row(row) for row in rows]


def recent_of(tx: Tx, channel: str, account: str, user: str, limit: int) -> tuple[RecentQuestion, ...]:
    """Return a person's newest questions, newest first."""
    rows = tx.all(
        "SELECT * FROM turns WHERE channel=? AND account=? AND asker=? AND kind='question' AND text IS NOT NULL"
        " ORDER BY accepted_at DESC LIMIT ?",
        *(channel, account, user, limit),
    )
    return tuple(_recent(tx, row) for row in rows)


def _recent(tx: Tx, row: Row) -> RecentQuestion:
    answers = receipts.of_turn(tx, row["id"], "answer")
    return RecentQuestion(
        text=unmarked(row["text"]),
        ref=answers[0] if answers else from_row(row).question,
        asked_at=datetime.fromtimestamp(row["accepted_at"], UTC),
        outcome=row["outcome"] or "open",
    )


def not_in_the_future(tx: Tx, now: float) -> int:
    """Let what is open have been accepted by now at the latest: the clock was set back since, and until it had caught
    up nothing would be given up. Return of how many turns that was not so."""
    return tx.run("UPDATE turns SET accepted_at=? WHERE state='open' AND accepted_at>?", now, now + CLOCKS_DIFFER)
