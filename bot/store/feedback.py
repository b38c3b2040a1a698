"""Votes, ratings and what was submitted of them: our own truth about every answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.config import Feedback as Rules
from bot.events import MessageRef, Rating, Reaction
from bot.store import votes
from bot.store.conversations import key_of
from bot.store.database import Row, Tx
from bot.store.votes import meaning as meaning

LATEST = 60.0
"""Seconds after the first change at which the settle window ends, however many changes follow."""
WAIT = 600.0
"""Seconds an early reaction waits for its answer."""
_SENDING = (
    "EXISTS (SELECT 1 FROM steps JOIN turns ON turns.id=steps.turn WHERE turns.id=feedback.turn AND turns.state='open'"
    " AND steps.name LIKE 'send:%' AND steps.begun_at IS NOT NULL AND steps.done_at IS NULL)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A rating that is due: to be submitted, or shown on the buttons."""

    turn: int
    rating: Rating | None
    submitted: str | None
    attempt: str | None
    taken: str | None
    due_at: float | None
    mark_due: bool
    tries: int
    changed_at: float


def add(tx: Tx, turn_id: int, message: str, event: Reaction, rules: Rules, now: float) -> bool:
    """Take in one emoji or click on an answer; whether the answer's rating may have changed."""
    rated = meaning(event.emoji, rules)
    if rated is None:
        return False
    return _add(
        tx,
        turn_id,
        message,
        event.user_id,
        event.emoji,
        event.added,
        event.button,
        rated,
        event.sent_at.timestamp(),
        rules,
        now,
    )


def _add(
    tx: Tx,
    turn_id: int,
    message: str,
    user: str,
    emoji: str,
    added: bool,
    button: bool,
    rated: Rating,
    sent_at: float,
    rules: Rules,
    now: float,
) -> bool:
    sent_at = votes.moment(tx, turn_id, user, sent_at)
    if button:
        changed = votes.click(tx, turn_id, user, rated, sent_at)
    else:
        changed = votes.emoji(tx, turn_id, message, user, emoji, added, sent_at)
    if changed:
        _touch(tx, turn_id, rules, now)
    return changed


def _touch(tx: Tx, turn_id: int, rules: Rules, now: float) -> None:
    """Compute the rating anew; begin the settle window anew, but never past its latest end."""
    rating = votes.rating_of(tx, turn_id, rules)
    old = tx.one("SELECT * FROM feedback WHERE turn=?", turn_id)
    first = now if old is None or old["due_at"] is None else old["first_change_at"]
    due = min(now + rules.settle_seconds, first + LATEST)
    marked = None if old is None else old["marked"]
    tx.run(
        "INSERT INTO feedback (turn, rating, first_change_at, due_at, mark_due, changed_at) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (turn) DO UPDATE SET rating=excluded.rating, first_change_at=excluded.first_change_at,"
        " due_at=excluded.due_at, mark_due=excluded.mark_due, changed_at=excluded.changed_at, tries=0",
        turn_id,
        rating,
        first,
        due,
        int(rating != marked),
        now,
    )


def keep_early(tx: Tx, event: Reaction, now: float) -> None:
    """Keep a reaction that may have overtaken its answer."""
    channel, account, conversation, message = key_of(event.target)
    tx.run(
        "INSERT INTO early VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        channel,
        account,
        conversation,
        message,
        event.event_id,
        event.user_id,
        event.emoji,
        int(event.added),
        int(event.button),
        event.sent_at.timestamp(),
        now,
    )
    tx.run("DELETE FROM early WHERE at<?", now - WAIT)


def take_early(tx: Tx, turn_id: int, ref: MessageRef, rules: Rules, now: float) -> None:
    """A part was sent: take in the reactions that overtook its receipt, in their order."""
    key = key_of(ref)
    where = "WHERE channel=? AND account=? AND conversation=? AND message=?"
    rows = tx.all(f"SELECT * FROM early {where} ORDER BY sent_at, at, event_id", *key)  # noqa: S608  # a constant
    for row in rows:
        rated = meaning(row["emoji"], rules)
        if rated is not None:
            _add(
                tx,
                turn_id,
                ref.message_id,
                row["user"],
                row["emoji"],
                bool(row["added"]),
                bool(row["button"]),
                rated,
                row["sent_at"],
                rules,
                now,
            )
    if rows:
        tx.run(f"DELETE FROM early {where}", *key)  # noqa: S608  # a constant


def due(tx: Tx, now: float) -> list[Due]:
    """List what is due now, by time. No rating is, while a part of its answer may be on its way: what people said of
    that part is not known to belong to the answer before its receipt is stored."""
    rows = tx.all(
        f"SELECT *, {_SENDING} AS sending FROM feedback"  # noqa: S608  # a constant
        f" WHERE mark_due=1 OR (due_at<=? AND NOT {_SENDING}) ORDER BY due_at",
        now,
    )
    return [replace(_load(row), due_at=None) if row["sending"] else _load(row) for row in rows]


def next_due(tx: Tx, now: float) -> float | None:
    """Return the time of the next submission after now, None without one."""
    row = tx.one("SELECT min(due_at) AS at FROM feedback WHERE due_at>?", now)
    return None if row is None else row["at"]


def get(tx: Tx, turn_id: int) -> Due | None:
    """Read the feedback of one answer."""
    row = tx.one("SELECT * FROM feedback WHERE turn=?", turn_id)
    return None if row is None else _load(row)


def _load(row: Row) -> Due:
    return Due(
        turn=row["turn"],
        rating=row["rating"],
        submitted=row["submitted"],
        attempt=row["attempt"],
        taken=row["taken"],
        due_at=row["due_at"],
        mark_due=bool(row["mark_due"]),
        tries=row["tries"],
        changed_at=row["changed_at"],
    )


def marked(tx: Tx, turn_id: int, rating: Rating | None) -> None:
    """Note which rating the buttons show now."""
    tx.run(
        "UPDATE feedback SET marked=?, mark_due=CASE WHEN rating IS ? THEN 0 ELSE 1 END WHERE turn=?",
        rating,
        rating,
        turn_id,
    )


def begin(tx: Tx, item: Due) -> bool:
    """Store the attempt before it is sent; False when the rating changed meanwhile."""
    return (
        tx.run(
            "UPDATE feedback SET attempt=?, tries=tries+1 WHERE turn=? AND changed_at=? AND due_at IS NOT NULL",
            item.rating,
            item.turn,
            item.changed_at,
        )
        > 0
    )


def settle(tx: Tx, item: Due, outcome: str | None, *, submitted: str | None) -> None:
    """Store how a due rating ended. A change that came meanwhile keeps its own due time.

    `submitted` is the rating the API was told, None for none; what it made of the last one stays in `taken`.
    """
    tx.run(
        "UPDATE feedback SET submitted=COALESCE(?, submitted), attempt=NULL, outcome=COALESCE(?, outcome),"
        " taken=CASE WHEN ? IS NULL THEN taken ELSE ? END,"
        " due_at=CASE WHEN changed_at=? THEN NULL ELSE due_at END WHERE turn=?",
        submitted,
        outcome,
        submitted,
        outcome,
        item.changed_at,
        item.turn,
    )


def postpone(tx: Tx, item: Due, until: float, *, unknown: bool) -> None:
    """Try again later, unless a change has set a time of its own. `unknown`: the API may have taken this attempt."""
    tx.run(
        "UPDATE feedback SET due_at=CASE WHEN changed_at=? THEN ? ELSE due_at END, attempt=? WHERE turn=?",
        item.changed_at,
        until,
        item.rating if unknown else item.attempt,
        item.turn,
    )


def comment(tx: Tx, turn_id: int, user: str, text: str, event_id: str, now: float, message: str | None = None) -> None:
    """Store why an answer is bad; `message` is the id of the reply that says it, None for a form of the channel."""
    tx.run(
        "INSERT INTO comments (turn, user, text, at, event_id, message) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        turn_id,
        user,
        text,
        now,
        event_id,
        message,
    )


def replace_comment(tx: Tx, channel: str, account: str, message: str, user: str, text: str) -> bool:
    """Change the words of a reason; whether the message is one."""
    return (
        tx.run(
            "UPDATE comments SET text=? WHERE message=? AND user=?"
            " AND turn IN (SELECT id FROM turns WHERE channel=? AND account=?)",
            text,
            message,
            user,
            channel,
            account,
        )
        > 0
    )


def may_ask_why(tx: Tx, turn_id: int, user: str) -> bool:
    """Whether this person is the asker and was not asked yet; notes that they are now."""
    return tx.run("UPDATE turns SET why_asked=1 WHERE id=? AND asker=? AND why_asked=0", turn_id, user) > 0
