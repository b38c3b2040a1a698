"""The rating of each answer and what was submitted of it: our own truth beside what the API was told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.events import Rating
from bot.store.database import Row, Tx
from bot.store.kinds import FeedbackOutcome
from bot.store.steps import IS_SENDING

LATEST = 60.0
"""Seconds after the first change at which the settle window ends, however many changes follow."""
_IS_SENDING = f"EXISTS (SELECT 1 FROM turns WHERE turns.id=feedback.turn AND turns.state='open' AND {IS_SENDING})"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRating:
    """The rating of one answer, as its row was read. Times in seconds since the epoch.

    `rating`: our truth. `submitted`: the last one the API was told, and what it made of that in `kept`. `held`: the one
    that the API holds since, None where nobody can tell. `attempt`: one that was sent and whose outcome is unknown.
    `due_at`: when to submit, None for not. `mark_due`: the buttons show something else.
    """

    turn: int
    rating: Rating | None
    submitted: Rating | None
    attempt: Rating | None
    kept: FeedbackOutcome | None
    held: Rating | None
    due_at: float | None
    mark_due: bool
    tries: int
    changed_at: float


def set_rating(tx: Tx, turn_id: int, rating: Rating | None, settle_seconds: float, now: float) -> None:
    """Store the rating as it is now; begin the settle window anew, but never past its latest end."""
    old = tx.one("SELECT due_at, first_change_at, marked FROM feedback WHERE turn=?", turn_id)
    first = now if old is None or old["due_at"] is None else old["first_change_at"]
    marked = None if old is None else old["marked"]
    tx.run(
        "INSERT INTO feedback (turn, rating, first_change_at, due_at, mark_due, changed_at) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (turn) DO UPDATE SET rating=excluded.rating, first_change_at=excluded.first_change_at,"
        " due_at=excluded.due_at, mark_due=excluded.mark_due, changed_at=excluded.changed_at, tries=0",
        *(turn_id, rating, first, min(now + settle_seconds, first + LATEST), int(rating != marked), now),
    )


def due_soon(tx: Tx, now: float) -> None:
    """Let nothing be due later than a settle window may end: the clock was set back since it was stored."""
    tx.run("UPDATE feedback SET due_at=? WHERE due_at>?", *(now + LATEST, now + LATEST))


def due(tx: Tx, now: float) -> list[AnswerRating]:
    """List what is due now, by time. No rating is, while a part of its answer may be on its way: what people said of
    that part is not known to belong to the answer before its receipt is stored."""
    rows = tx.all(
        f"SELECT *, {_IS_SENDING} AS sending FROM feedback"  # noqa: S608  # a constant
        f" WHERE mark_due=1 OR (due_at<=? AND NOT {_IS_SENDING}) ORDER BY COALESCE(due_at, 0)",
        now,
    )
    return [replace(_from_row(row), due_at=None) if row["sending"] else _from_row(row) for row in rows]


def next_due(tx: Tx, now: float) -> float | None:
    """Return the time of the next submission after now, None without one."""
    row = tx.one("SELECT min(due_at) AS at FROM feedback WHERE due_at>?", now)
    return None if row is None else row["at"]


def get(tx: Tx, turn_id: int) -> AnswerRating | None:
    """Read the rating of one answer."""
    row = tx.one("SELECT * FROM feedback WHERE turn=?", turn_id)
    return None if row is None else _from_row(row)


def _from_row(row: Row) -> AnswerRating:
    return AnswerRating(
        turn=row["turn"],
        rating=row["rating"],
        submitted=row["submitted"],
        attempt=row["attempt"],
        kept=row["taken"],
        held=row["held"],
        due_at=row["due_at"],
        mark_due=bool(row["mark_due"]),
        tries=row["tries"],
        changed_at=row["changed_at"],
    )


def set_marked(tx: Tx, turn_id: int, rating: Rating | None) -> None:
    """Store which rating the buttons show now."""
    tx.run(
        "UPDATE feedback SET marked=?, mark_due=CASE WHEN COALESCE(rating, '')=? THEN 0 ELSE 1 END WHERE turn=?",
        *(rating, rating or "", turn_id),
    )


def begin_attempt(tx: Tx, item: AnswerRating) -> bool:
    """Store the attempt before it is sent; False when the rating changed meanwhile."""
    return (
        tx.run(
            "UPDATE feedback SET attempt=?, tries=tries+1 WHERE turn=? AND changed_at=? AND due_at IS NOT NULL",
            *(item.rating, item.turn, item.changed_at),
        )
        > 0
    )


def settle(tx: Tx, item: AnswerRating, outcome: FeedbackOutcome | None, *, submitted: Rating | None) -> None:
    """Store how a due rating ended. A change that came meanwhile keeps its own due time.

    `submitted` is the rating the API was told, None for none; what it made of the last one stays (`kept`).
    """
    held = _held(item, outcome, submitted)
    tx.run(
        "UPDATE feedback SET submitted=COALESCE(?, submitted), held=?, attempt=NULL, outcome=COALESCE(?, outcome),"
        " taken=CASE WHEN CAST(? AS TEXT) IS NULL THEN taken ELSE ? END,"
        " due_at=CASE WHEN changed_at=? THEN NULL ELSE due_at END WHERE turn=?",
        *(submitted, held, outcome, submitted, outcome, item.changed_at, item.turn),
    )


def _held(item: AnswerRating, outcome: FeedbackOutcome | None, submitted: Rating | None) -> Rating | None:
    """Tell which rating the API holds now. One that had a rating keeps it: the one it is known to hold, else that of
    an attempt of ours whose end nobody saw, else that of somebody else."""
    if submitted is None:
        return item.held
    return submitted if outcome == "submitted" else item.held or item.attempt


def postpone(tx: Tx, item: AnswerRating, until: float, *, unknown: bool) -> None:
    """Try again later, unless a change has set a time of its own. `unknown`: the API may have taken this attempt."""
    tx.run(
        "UPDATE feedback SET due_at=CASE WHEN changed_at=? THEN ? ELSE due_at END, attempt=? WHERE turn=?",
        *(item.changed_at, until, item.rating if unknown else item.attempt, item.turn),
    )
