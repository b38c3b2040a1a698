"""Votes, ratings and what was submitted of them: our own truth about every answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.config import Feedback as Rules
from bot.events import MessageRef, Rating, Reaction
from bot.store.conversations import first_conversation, known_ref
from bot.store.database import Row, Tx

LATEST = 60.0
"""Seconds after the first change at which the settle window ends, however many changes follow."""
WAIT = 600.0
"""Seconds an early reaction waits for its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A rating that is due: to be submitted, or shown on the buttons."""

    turn: int
    rating: Rating | None
    submitted: str | None
    attempt: str | None
    due_at: float | None
    mark_due: bool
    tries: int
    changed_at: float


def meaning(emoji: str, rules: Rules) -> Rating | None:
    """Return what an emoji means, None for nothing."""
    if emoji in rules.good:
        return "good"
    return "bad" if emoji in rules.bad else None


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
    sent_at = _moment(tx, turn_id, user, sent_at)
    if button:
        changed = _click(tx, turn_id, user, rated, sent_at)
    else:
        changed = _emoji(tx, turn_id, message, user, emoji, added, sent_at)
    if changed:
        _touch(tx, turn_id, rules, now)
    return changed


def _moment(tx: Tx, turn_id: int, user: str, at: float) -> float:
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


def _click(tx: Tx, turn_id: int, user: str, rated: Rating, at: float) -> bool:
    """The latest click counts, by the platform's time; a second click on the same button changes nothing."""
    row = tx.one("SELECT rating, at FROM clicks WHERE turn=? AND user=?", turn_id, user)
    if row is not None and at < row["at"]:
        return False
    holds = row is not None and not _emoji_since(tx, turn_id, user, row["at"])
    if row is not None and holds and row["rating"] == rated:
        return False
    tx.run(
        "INSERT INTO clicks VALUES (?,?,?,?) ON CONFLICT (turn, user)"
        " DO UPDATE SET rating=excluded.rating, at=excluded.at",
        turn_id,
        user,
        rated,
        at,
    )
    return True


def _emoji_since(tx: Tx, turn_id: int, user: str, at: float) -> bool:
    """Whether an emoji was added after a click: that cancels it."""
    return bool(tx.one("SELECT 1 FROM votes WHERE turn=? AND user=? AND added_at>? LIMIT 1", turn_id, user, at))


def _emoji(tx: Tx, turn_id: int, message: str, user: str, emoji: str, added: bool, at: float) -> bool:
    """Emoji may arrive out of order: the platform's time decides; what was removed stays as a tombstone."""
    row = tx.one("SELECT * FROM votes WHERE turn=? AND message=? AND user=? AND emoji=?", turn_id, message, user, emoji)
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
            emoji,
        )
        return True
    tx.run(
        "INSERT INTO votes VALUES (?,?,?,?,?,?,?) ON CONFLICT (turn, message, user, emoji) DO UPDATE SET"
        " present=excluded.present, at=excluded.at,"
        " added_at=CASE WHEN excluded.added_at>votes.added_at THEN excluded.added_at ELSE votes.added_at END",
        turn_id,
        message,
        user,
        emoji,
        int(added),
        at,
        added_at,
    )
    return True


def _touch(tx: Tx, turn_id: int, rules: Rules, now: float) -> None:
    """Compute the rating anew; begin the settle window anew, but never past its latest end."""
    rating = rating_of(tx, turn_id, rules)
    old = tx.one("SELECT * FROM feedback WHERE turn=?", turn_id)
    first = now if old is None or old["due_at"] is None else old["first_change_at"]
    due = min(now + rules.settle_seconds, first + LATEST)
    tx.run(
        "INSERT INTO feedback (turn, rating, first_change_at, due_at, mark_due, changed_at) VALUES (?,?,?,?,1,?)"
        " ON CONFLICT (turn) DO UPDATE SET rating=excluded.rating, first_change_at=excluded.first_change_at,"
        " due_at=excluded.due_at, mark_due=1, changed_at=excluded.changed_at, tries=0",
        turn_id,
        rating,
        first,
        due,
        now,
    )


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
    emoji: dict[str, set[Rating]] = {}
    cancelled: set[str] = set()
    for row in rows:
        click, rated = clicks.get(row["user"]), meaning(row["emoji"], rules)
        if click is not None and row["added_at"] <= click["at"]:
            continue  # the click replaced it, for good
        cancelled.add(row["user"])
        if row["present"] and rated is not None:
            emoji.setdefault(row["user"], set()).add(rated)
    votes: dict[str, Rating] = {user: next(iter(kinds)) for user, kinds in emoji.items() if len(kinds) == 1}
    votes |= {user: row["rating"] for user, row in clicks.items() if user not in cancelled}
    return votes


def keep_early(tx: Tx, event: Reaction, now: float) -> None:
    """Keep a reaction that may have overtaken its answer."""
    channel, account, conversation, message = known_ref(tx, event.target)
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
    conversation = first_conversation(tx, ref.channel, ref.account_id, ref.conversation_id)
    key = (ref.channel, ref.account_id, conversation, ref.message_id)
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
    """List what is due now, by time."""
    rows = tx.all("SELECT * FROM feedback WHERE mark_due=1 OR due_at<=? ORDER BY due_at", now)
    return [_load(row) for row in rows]


def next_due(tx: Tx) -> float | None:
    """Return the time of the next submission, None without one."""
    row = tx.one("SELECT min(due_at) AS at FROM feedback WHERE due_at IS NOT NULL")
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
    """Store how a due rating ended. A change that came meanwhile keeps its own due time."""
    tx.run(
        "UPDATE feedback SET submitted=COALESCE(?, submitted), attempt=NULL, outcome=COALESCE(?, outcome),"
        " due_at=CASE WHEN changed_at=? THEN NULL ELSE due_at END WHERE turn=?",
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


def comment(tx: Tx, turn_id: int, user: str, text: str, event_id: str, now: float) -> None:
    """Store why an answer is bad."""
    tx.run("INSERT INTO comments VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING", turn_id, user, text, now, event_id)


def may_ask_why(tx: Tx, turn_id: int, user: str) -> bool:
    """Whether this person is the asker and was not asked yet; notes that they are now."""
    return tx.run("UPDATE turns SET why_asked=1 WHERE id=? AND asker=? AND why_asked=0", turn_id, user) > 0
