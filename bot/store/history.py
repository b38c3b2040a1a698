"""What has happened, for people: a person's own questions, a turn's story, the bot's numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.events import RecentQuestion
from bot.store import receipts, steps, turns
from bot.store.database import Row, Tx


def recent(tx: Tx, channel: str, account: str, user: str, limit: int) -> tuple[RecentQuestion, ...]:
    """Return a person's newest questions, newest first."""
    rows = tx.all(
        "SELECT * FROM turns WHERE channel=? AND account=? AND asker=? AND kind='question' AND text IS NOT NULL"
        " ORDER BY accepted_at DESC LIMIT ?",
        channel,
        account,
        user,
        limit,
    )
    return tuple(_recent(tx, row) for row in rows)


def _recent(tx: Tx, row: Row) -> RecentQuestion:
    answers = receipts.of_turn(tx, row["id"], "answer")
    return RecentQuestion(
        text=row["text"],
        ref=answers[0] if answers else turns.load(row).question,
        asked_at=datetime.fromtimestamp(row["accepted_at"], UTC),
        outcome=row["outcome"] or "open",
    )


def iso(at: float | None) -> str | None:
    """Write a stored time as ISO 8601 in UTC."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def story(tx: Tx, row: Row) -> dict[str, Any]:
    """Tell a turn's story for `trace` and the playground: ids, steps with times, feedback; no text of anybody."""
    feedback = tx.one("SELECT * FROM feedback WHERE turn=?", row["id"])
    return {
        "reference": row["reference"],
        "kind": row["kind"],
        "channel": row["channel"],
        "account": row["account"],
        "conversation": row["conversation"],
        "session_id": row["lane"],
        "request_id": row["request_id"],
        "state": row["state"],
        "outcome": row["outcome"],
        "reason": row["reason"],
        "sent_at": iso(row["sent_at"]) if row["sent_at"] < turns.LAST else None,
        "accepted_at": iso(row["accepted_at"]),
        "finished_at": iso(row["finished_at"]),
        "polls": row["polls"],
        "attempts": row["attempt"],
        "steps": _steps(tx, row),
        "messages": [
            {"kind": one["kind"], "part": one["part"], "message": one["message"]}
            for one in tx.all("SELECT * FROM receipts WHERE turn=? ORDER BY kind, part", row["id"])
        ],
        "rating": feedback["rating"] if feedback else None,
        "submitted": feedback["submitted"] if feedback else None,
        "feedback": feedback["outcome"] if feedback else None,
    }


def _steps(tx: Tx, row: Row) -> list[dict[str, Any]]:
    """List the steps by time. A step that only waits has no begin of its own: it began where the last one ended."""
    found = sorted(steps.steps_of(tx, row["id"]).items(), key=lambda item: item[1].done_at or item[1].begun_at or 1e18)
    told, last = [], row["began_at"] or row["accepted_at"]
    for name, step in found:
        begun = step.begun_at or last
        seconds = None if step.done_at is None else round(max(0.0, step.done_at - begun), 4)
        told.append({"name": name, "started_at": iso(begun), "seconds": seconds, "unknowns": step.unknowns})
        if not name.startswith("progress:"):
            last = step.done_at or begun
    return told


def story_of_message(tx: Tx, key: tuple[str, str, str, str]) -> dict[str, Any] | None:
    """Tell the story of the turn a message belongs to, as question or as part of the answer."""
    found = receipts.find(tx, key)
    if found is not None:
        row = tx.one("SELECT * FROM turns WHERE id=?", found["turn"])
    else:
        row = tx.one(
            "SELECT * FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=?"
            " ORDER BY kind DESC LIMIT 1",
            *key,
        )
    return None if row is None else story(tx, row)
