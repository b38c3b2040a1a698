"""Questions, sessions and feedback."""

from __future__ import annotations

import sqlite3

from bot.assistant import clock
from bot.assistant.chats import Pending
from bot.assistant.errors import ApiError
from bot.assistant.models import ChatBody, CloseBody, FeedbackBody, SessionsQuery
from bot.assistant.service import Call, Result


async def submit(call: Call) -> Result:
    """Store the question; it is answered later."""
    pending = await _take(call)
    return {"session_id": pending.session_id, "request_id": pending.request_id, "status": "pending"}


async def ask(call: Call) -> Result:
    """Store the question and wait for its answer."""
    pending = await _take(call)
    row = await call.service.chats.wait(pending.request_id)
    if row["status"] == "failed":
        raise ApiError(500, row["error"] or "the assistant could not answer")
    return _answer(row)


async def status(call: Call) -> Result:
    """How far a request is."""
    row = await call.service.chats.row(call.site_id, call.path["request_id"])
    if row["status"] == "pending":
        word = "processing" if call.service.chats.working(row["request_id"]) else "pending"
        return {"session_id": row["session_id"], "request_id": row["request_id"], "status": word}
    if row["status"] == "failed":
        return {
            "session_id": row["session_id"],
            "request_id": row["request_id"],
            "status": "failed",
            "error": row["error"],
        }
    reply = _answer(row) | {"status": "completed"}
    # A scripted answer stands for one of the documents.
    by_itself = row["document_id"] is None and row["outcome"] is None
    return reply | {"from_documents": False} if by_itself else reply


async def close(call: Call) -> Result:
    """Close a session, known or not; a request under way in it is still answered."""
    session_id, site_id = call.read(CloseBody).session_id, call.site_id

    def write(c: sqlite3.Connection) -> None:
        at = clock.now()
        c.execute(
            "INSERT INTO sessions VALUES (?, ?, NULL, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET closed_at = coalesce(closed_at, excluded.closed_at)",
            (site_id, session_id, at, at, at),
        )

    await call.service.database.write(write)
    return {"status": "ok"}


async def feedback(call: Call) -> Result:
    """Keep the first rating of a completed request; a repeat is no error and changes nothing."""
    body, site_id = call.read(FeedbackBody), call.site_id

    def write(c: sqlite3.Connection) -> Result:
        row = c.execute(
            "SELECT status, feedback FROM requests WHERE request_id = ? AND site_id = ? AND session_id = ?",
            (body.request_id, site_id, body.session_id),
        ).fetchone()
        if row is None:
            raise ApiError(404, "request not found")
        if row["status"] != "completed":
            raise ApiError(409, "request is not completed")
        reply = {"status": "ok", "request_id": body.request_id, "feedback": body.feedback}
        if row["feedback"] is not None:
            return reply
        at = clock.now()
        c.execute(
            "UPDATE requests SET feedback = ?, feedback_submitted_at = ? WHERE request_id = ?",
            (body.feedback, at, body.request_id),
        )
        return reply | {"feedback_submitted_at": at}

    return await call.service.database.write(write)


async def sessions(call: Call) -> Result:
    """A page of sessions, newest activity first."""
    page, site_id = call.asked(SessionsQuery), call.site_id
    query = (
        "SELECT s.*, (SELECT count(*) FROM requests r WHERE r.site_id = s.site_id AND r.session_id = s.session_id)"
        " AS message_count, (SELECT count(*) FROM requests r WHERE r.site_id = s.site_id AND"
        " r.session_id = s.session_id AND r.feedback = 'good') AS good, (SELECT count(*) FROM requests r WHERE"
        " r.site_id = s.site_id AND r.session_id = s.session_id AND r.feedback = 'bad') AS bad"
        " FROM sessions s WHERE s.site_id = ? ORDER BY s.last_activity_at DESC, s.session_id LIMIT ? OFFSET ?"
    )

    def read(c: sqlite3.Connection) -> Result:
        rows = c.execute(query, (site_id, page.limit, page.offset)).fetchall()
        (total,) = c.execute("SELECT count(*) FROM sessions WHERE site_id = ?", (site_id,)).fetchone()
        return {"sessions": [_session(row) for row in rows], "total": total}

    return await call.service.database.read(read)


async def _take(call: Call) -> Pending:
    fault = call.fault.kind if call.fault is not None and call.fault.kind in ("failed", "empty") else None
    return await call.service.chats.submit(
        call.site_id, call.tenant.id, call.read(ChatBody), monthly=call.tenant.plan.messages_per_month, fault=fault
    )


def _answer(row: sqlite3.Row) -> Result:
    return {
        "session_id": row["session_id"],
        "request_id": row["request_id"],
        "answer": row["answer"],
        "confidence_level": row["confidence_level"],
        "confidence_score": row["confidence_score"],
    }


def _session(row: sqlite3.Row) -> Result:
    return {
        "session_id": row["session_id"],
        "status": "open" if row["closed_at"] is None else "closed",
        "email": row["email"],
        "created_at": row["created_at"],
        "last_activity_at": row["last_activity_at"],
        "closed_at": row["closed_at"],
        "message_count": row["message_count"],
        "good": row["good"],
        "bad": row["bad"],
    }
