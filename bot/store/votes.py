"""What people did to an answer: rows of emoji and of clicks. `bot.ratings.votes` decides what they mean together."""

from __future__ import annotations

from dataclasses import dataclass

from bot.events import Rating
from bot.store.database import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """One person put one emoji on a part or took it off, or clicked a button; `sent_at`: the platform's, in seconds."""

    user: str
    emoji: str
    added: bool
    button: bool
    sent_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EmojiVote:
    """One emoji of one person on one part. One that was removed stays, for older news of it may still come.

    `at`: when it was last put or taken; `added_at`: when it was last put, 0.0 for never. The platform's times.
    """

    message: str
    user: str
    emoji: str
    present: bool
    at: float
    added_at: float


@dataclass(frozen=True, slots=True)
class Click:
    """The last click of one person on a rating button of an answer, None for one that was taken back; `at` by the
    platform's time."""

    user: str
    rating: Rating | None
    at: float


@dataclass(frozen=True, slots=True)
class Tally:
    """How many people find an answer good, and how many bad."""

    good: int = 0
    bad: int = 0


def last_gesture(tx: Tx, turn_id: int, user: str, before: float) -> float | None:
    """Return the time of the last thing a person did to an answer before a time, None for nothing."""
    row = tx.one(
        "SELECT max(at) AS last FROM (SELECT at FROM votes WHERE turn=? AND user_id=? AND at<? UNION ALL"
        " SELECT at FROM clicks WHERE turn=? AND user_id=? AND at<?) AS gestures",
        *(turn_id, user, before),
        *(turn_id, user, before),
    )
    return None if row is None else row["last"]


def last_gesture_anywhere(tx: Tx, user: str, since: float, before: float) -> float | None:
    """Return the time of the last thing a person did to any answer in a span of time, None for nothing."""
    row = tx.one(
        "SELECT max(at) AS last FROM (SELECT at FROM votes WHERE user_id=? AND at>=? AND at<? UNION ALL"
        " SELECT at FROM clicks WHERE user_id=? AND at>=? AND at<?) AS gestures",
        *(user, since, before),
        *(user, since, before),
    )
    return None if row is None else row["last"]


def click_of(tx: Tx, turn_id: int, user: str) -> Click | None:
    """Read a person's click."""
    row = tx.one("SELECT * FROM clicks WHERE turn=? AND user_id=?", turn_id, user)
    return None if row is None else _click(row)


def clicks_on(tx: Tx, turn_id: int) -> list[Click]:
    """Read everybody's clicks on an answer."""
    return [_click(row) for row in tx.all("SELECT * FROM clicks WHERE turn=?", turn_id)]


def save_click(tx: Tx, turn_id: int, click: Click) -> None:
    """Store a click in place of the person's last one."""
    tx.run(
        "INSERT INTO clicks (turn, user_id, rating, at) VALUES (?,?,?,?) ON CONFLICT (turn, user_id)"
        " DO UPDATE SET rating=excluded.rating, at=excluded.at",
        *(turn_id, click.user, click.rating or "", click.at),
    )


def emoji_of(tx: Tx, turn_id: int, message: str, user: str, emoji: str) -> EmojiVote | None:
    """Read one emoji of one person on one part."""
    row = tx.one(
        "SELECT * FROM votes WHERE turn=? AND message=? AND user_id=? AND emoji=?", turn_id, message, user, emoji
    )
    return None if row is None else _emoji(row)


def emoji_on(tx: Tx, turn_id: int) -> list[EmojiVote]:
    """Read everybody's emoji on all parts of an answer."""
    return [_emoji(row) for row in tx.all("SELECT * FROM votes WHERE turn=?", turn_id)]


def emoji_by(tx: Tx, turn_id: int, user: str) -> list[EmojiVote]:
    """Read one person's emoji on all parts of an answer."""
    return [_emoji(row) for row in tx.all("SELECT * FROM votes WHERE turn=? AND user_id=?", turn_id, user)]


def tally_of(tx: Tx, turn_id: int, rules: str) -> Tally | None:
    """Read how the votes on an answer stand by these rules; None when they have to be counted."""
    row = tx.one("SELECT good, bad FROM tallies WHERE turn=? AND rules=?", turn_id, rules)
    return None if row is None else Tally(row["good"], row["bad"])


def save_tally(tx: Tx, turn_id: int, rules: str, tally: Tally) -> None:
    """Store how the votes on an answer stand by these rules."""
    tx.run(
        "INSERT INTO tallies (turn, good, bad, rules) VALUES (?,?,?,?) ON CONFLICT (turn)"
        " DO UPDATE SET good=excluded.good, bad=excluded.bad, rules=excluded.rules",
        *(turn_id, tally.good, tally.bad, rules),
    )


def forget_tallies(tx: Tx, user: str, most: int) -> int:
    """Forget at most so many tallies of answers that a person voted on, before their votes are deleted: they are
    counted anew. Return how many."""
    return sum(
        tx.run(
            "DELETE FROM tallies WHERE turn IN (SELECT tallies.turn FROM tallies"  # noqa: S608  # constants
            f" JOIN {table} ON {table}.turn=tallies.turn WHERE {table}.user_id=? LIMIT ?)",
            *(user, most),
        )
        for table in ("votes", "clicks")
    )


def is_emoji_added_since(tx: Tx, turn_id: int, user: str, at: float) -> bool:
    """Whether the person put an emoji on the answer after a time."""
    return bool(tx.one("SELECT 1 FROM votes WHERE turn=? AND user_id=? AND added_at>? LIMIT 1", turn_id, user, at))


def save_emoji(tx: Tx, turn_id: int, vote: EmojiVote) -> None:
    """Store one emoji of one person on one part."""
    tx.run(
        "INSERT INTO votes (turn, message, user_id, emoji, present, at, added_at) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (turn, user_id, message, emoji) DO UPDATE SET"
        " present=excluded.present, at=excluded.at, added_at=excluded.added_at",
        *(turn_id, vote.message, vote.user, vote.emoji, int(vote.present), vote.at, vote.added_at),
    )


def _click(row: Row) -> Click:
    return Click(row["user_id"], row["rating"] or None, row["at"])


def _emoji(row: Row) -> EmojiVote:
    return EmojiVote(
        message=row["message"],
        user=row["user_id"],
        emoji=row["emoji"],
        present=bool(row["present"]),
        at=row["at"],
        added_at=row["added_at"],
    )
