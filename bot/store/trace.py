"""The trace of a turn, for people and for `--json`: ids, steps with times, feedback; no words of anybody."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from bot.events import MessageRef
from bot.store import receipts, steps, turns
from bot.store.contexts import unpack_context
from bot.store.database import Row, Tx
from bot.store.steps import ANSWER, StepName, StepRow, answer_in
from bot.telemetry.traces import TraceIds


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
        "trace_id": f"{TraceIds.of(row['reference'], row['generation']).trace:032x}",
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
    """List the steps by time. A step that only waits has no begin of its own: it began where the last one ended. One
    that was tried in vain has neither begin nor end: it stands before the verdict that was the end of trying."""
    found = steps.of_turn(tx, row["id"])
    verdict = found.get(steps.VERDICT)
    gave_up = verdict.done_at if verdict is not None and verdict.done_at is not None else math.inf

    def when(item: tuple[StepName, StepRow]) -> tuple[float, bool]:
        at = item[1].done_at or item[1].begun_at
        return (gave_up, False) if at is None else (at, True)

    listed, last = [], row["began_at"] or row["accepted_at"]
    for name, step in sorted(found.items(), key=when):
        begun, in_vain = step.begun_at or last, step.begun_at is None and step.done_at is None
        seconds = None if step.done_at is None else round(max(0.0, step.done_at - begun), 4)
        listed.append(
            {
                "name": str(name),
                "started_at": iso(begun),
                "seconds": seconds,
                "unknowns": step.unknowns,
                "in_vain": in_vain,
            }
        )
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


def said(tx: Tx, reference: str) -> dict[str, Any] | None:
    """Return the words of a turn as far as they are kept: the question, what went along, the answer, the reasons of a
    bad rating. None for no such turn."""
    row = tx.one(f"SELECT *, ({ANSWER}) AS answered FROM turns WHERE reference=?", reference)  # noqa: S608  # a constant
    if row is None:
        return None
    reasons = tx.all("SELECT text FROM comments WHERE turn=? AND text<>'' ORDER BY at", row["id"])
    return {
        "question": row["text"],
        "context": [item.text for item in unpack_context(row["context"]).items if item.text],
        "answer": answer_in(row["answered"]) or None,
        "reasons": [reason["text"] for reason in reasons],
    }


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
