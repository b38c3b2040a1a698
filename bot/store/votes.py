"""Votes: what each person's emoji and clicks mean, by the platform's time and not by the order they arrive in."""

from __future__ import annotations

from bot.config import Feedback as Rules
from bot.events import Rating
from bot.store.database import Tx


def meaning(emoji: str, rules: Rules) -> Rating | None:
    """Return what an emoji means, None for nothing."""
    if emoji in rules.good:
        return "good"
    return "bad" if emoji in rules.bad else None


def moment(tx: Tx, turn_id: int, user: str, at: float) -> float:
    """Order what one person did within one second: a channel that tells whole seconds delivers in order."""
    if at != int(at):
        return at
    row = tx.one(
        "SELECT max(at) AS last FROM (SELECT at FROM votes WHERE turn=? AND user=? AND at<? UNION ALL"
        " SELECT at FROM clicks WHERE turn=? AND user=? AND at<?) AS done",
        turn_id,
        user,
        at + 1,
        turn_id,
        user,
        at + 1,
    )
    last = None if row is None else row["last"]
    return at if last is None or last < at else float(last) + 1e-4


def click(tx: Tx, turn_id: int, user: str, rated: Rating, at: float) -> bool:
    """The latest click counts, by the platform's time; a second click on the same button changes nothing."""
    row = tx.one("SELECT rating, at FROM clicks WHERE turn=? AND user=?", turn_id, user)
    if row is not None and at < row["at"]:
        return False
    same = row is not None and row["rating"] == rated and not _emoji_since(tx, turn_id, user, row["at"])
    tx.run(
        "INSERT INTO clicks VALUES (?,?,?,?) ON CONFLICT (turn, user)"
        " DO UPDATE SET rating=excluded.rating, at=excluded.at",
        turn_id,
        user,
        rated,
        at,
    )
    return not same


def _emoji_since(tx: Tx, turn_id: int, user: str, at: float) -> bool:
    """Whether an emoji was added after a click: that cancels it."""
    return bool(tx.one("SELECT 1 FROM votes WHERE turn=? AND user=? AND added_at>? LIMIT 1", turn_id, user, at))


def emoji(tx: Tx, turn_id: int, message: str, user: str, name: str, added: bool, at: float) -> bool:
    """Emoji may arrive out of order: the platform's time decides; what was removed stays as a tombstone."""
    row = tx.one("SELECT * FROM votes WHERE turn=? AND message=? AND user=? AND emoji=?", turn_id, message, user, name)
    added_at = at if added else 0.0
    if row is not None and at < row["at"]:
        # Older than what is known; but that it was added may cancel a click.
        if added_at <= row["added_at"]:
            return False
        tx.run(
            "UPDATE votes SET added_at=? WHERE turn=? AND message=? AND user=? AND emoji=?",
            added_at,
            turn_id,
            message,
            user,
            name,
        )
        return True
    tx.run(
        "INSERT INTO votes VALUES (?,?,?,?,?,?,?) ON CONFLICT (turn, message, user, emoji) DO UPDATE SET"
        " present=excluded.present, at=excluded.at,"
        " added_at=CASE WHEN excluded.added_at>votes.added_at THEN excluded.added_at ELSE votes.added_at END",
        turn_id,
        message,
        user,
        name,
        int(added),
        at,
        added_at,
    )
    return True


def rating_of(tx: Tx, turn_id: int, rules: Rules) -> Rating | None:
    """Return what the votes mean together."""
    asker_row = tx.one("SELECT asker FROM turns WHERE id=?", turn_id)
    asker = "" if asker_row is None else str(asker_row["asker"] or "")
    votes = votes_of(tx, turn_id, rules)
    if asker in votes or rules.voters == "asker":
        return votes.get(asker)
    good = sum(vote == "good" for vote in votes.values())
    bad = len(votes) - good
    if good == bad:
        return None
    return "good" if good > bad else "bad"


def votes_of(tx: Tx, turn_id: int, rules: Rules) -> dict[str, Rating]:
    """Return each person's vote; who has none is absent."""
    rows = tx.all("SELECT user, emoji, present, added_at FROM votes WHERE turn=?", turn_id)
    rows = [row for row in rows if meaning(row["emoji"], rules) is not None]
    clicks = {row["user"]: row for row in tx.all("SELECT user, rating, at FROM clicks WHERE turn=?", turn_id)}
    present: dict[str, set[Rating]] = {}
    cancelled: set[str] = set()
    for row in rows:
        click, rated = clicks.get(row["user"]), meaning(row["emoji"], rules)
        if click is not None and row["added_at"] <= click["at"]:
            continue  # the click replaced it, for good
        cancelled.add(row["user"])
        if row["present"] and rated is not None:
            present.setdefault(row["user"], set()).add(rated)
    votes: dict[str, Rating] = {user: next(iter(kinds)) for user, kinds in present.items() if len(kinds) == 1}
    votes |= {user: row["rating"] for user, row in clicks.items() if user not in cancelled}
    return votes
