"""The trace of a turn, for people and for `--json`: ids, steps with times, feedback; no words of anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.events import MessageRef
from bot.store import receipts, steps, turns
from bot.store.database import Row, Tx


def iso(at: float | None) -> str | None:
    """Write a stored time as ISO 8601 in UTC."""
    return (
        None
        if at is None
        else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def trace(tx: Tx, row: Row) -> dict[str, Any]:
    """Make the trace of the turn in this row; keys are those of `trace --json`."""
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
        "context": _context(tx, row),
        "messages": [
            {"kind": receipt["kind"], "part": receipt["part"], "message": receipt["message"]}
            for receipt in tx.all("SELECT * FROM receipts WHERE turn=? ORDER BY kind, part", row["id"])
        ],
        "rating": feedback["rating"] if feedback else None,
        "submitted": feedback["submitted"] if feedback else None,
        "feedback": feedback["outcome"] if feedback else None,
    }


def _steps(tx: Tx, row: Row) -> list[dict[str, Any]]:
    """List the steps by time. A step that only waits has no begin of its own: it began where the last one ended."""
    by_time = sorted(steps.of_turn(tx, row["id"]).items(), key=lambda item: item[1].done_at or item[1].begun_at or 1e18)
    listed, last = [], row["began_at"] or row["accepted_at"]
    for name, step in by_time:
        begun = step.begun_at or last
        seconds = None if step.done_at is None else round(max(0.0, step.done_at - begun), 4)
        listed.append({"name": str(name), "started_at": iso(begun), "seconds": seconds, "unknowns": step.unknowns})
        if name.kind != "progress":
            last = step.done_at or begun
    return listed


def _context(tx: Tx, row: Row) -> list[dict[str, Any]]:
    """List what went along with the words that were asked last: its kind, what became of it, how many characters."""
    asked = [step for name, step in sorted(steps.of_turn(tx, row["id"]).items()) if name.kind == "submit"]
    result = asked[-1].result if asked else None
    along = result.get("along", ()) if isinstance(result, dict) else ()
    return [{key: one[key] for key in ("kind", "outcome", "chars")} for one in along]


def by_reference(tx: Tx, reference: str) -> dict[str, Any] | None:
    """Make the trace of a turn by its reference, None for none."""
    row = tx.one("SELECT * FROM turns WHERE reference=?", reference)
    return None if row is None else trace(tx, row)


def by_message(tx: Tx, ref: MessageRef) -> dict[str, Any] | None:
    """Make the trace of the turn a message belongs to, as question or as part of the answer."""
    receipt = receipts.find(tx, ref)
    if receipt is not None:
        row = tx.one("SELECT * FROM turns WHERE id=?", receipt.turn)
    else:
        row = tx.one(
            "SELECT * FROM turns WHERE channel=? AND account=? AND asked_in=? AND question=?"
            " ORDER BY kind DESC LIMIT 1",
            *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
        )
    return None if row is None else trace(tx, row)


def of_session(tx: Tx, session_id: str) -> list[dict[str, Any]]:
    """Make the traces of a session's turns, oldest first."""
    return [trace(tx, row) for row in tx.all("SELECT * FROM turns WHERE lane=? ORDER BY id", session_id)]
