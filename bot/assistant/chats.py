"""Requests: stored before they are acknowledged, answered when they are due, finished after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.assistant import clock
from bot.assistant.database import AssistantDatabase
from bot.assistant.errors import ApiError
from bot.assistant.models import ChatBody
from bot.assistant.script import Script

WORKERS = 4
"""Questions that are answered at the same time; waiting for `due_at` takes none of them."""
_FAILED = "the assistant could not answer"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What the documents say: `known` is False for an honest "I don't know"."""

    text: str
    known: bool
    score: float
    document_id: str | None = None


Answer = Callable[[str, str, str, str | None], Awaitable[Found]]
"""(site_id, session_id, message, language) → the answer."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A stored request that waits for its answer."""

    request_id: str
    site_id: str
    session_id: str
    message: str
    language: str | None
    due_at: float
    outcome: dict[str, Any]


class Chats:
    """Takes questions in and sees to it that each ends."""

    def __init__(self, database: AssistantDatabase, answer: Answer, script: Script, delay: float) -> None:
        self._database = database
        self._answer = answer
        self._script = script
        self.delay = delay
        self._due: asyncio.Queue[Pending] = asyncio.Queue()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._workers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Go on with what was stored and not answered."""
        query = "SELECT * FROM requests WHERE status = 'pending' ORDER BY number"
        for row in await self._database.read(lambda c: c.execute(query).fetchall()):
            self._schedule(_stored(row))
        self._workers = [asyncio.create_task(self._work(), name=f"answer {n}") for n in range(WORKERS)]

    async def close(self) -> None:
        """Stop; unanswered requests go on at the next start."""
        for timer in self._timers.values():
            timer.cancel()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def submit(
        self, site_id: str, tenant_id: str, body: ChatBody, *, monthly: int | None, fault: str | None
    ) -> Pending:
        """Store a question.

        Raises:
            ApiError: 409 for a closed session, 403 when the month's messages are used up.
        """
        line = self._script.take(body.message)
        delay = self.delay if line is None or line.delay is None else line.delay
        outcome: dict[str, Any] = {}
        if fault is not None:
            outcome = {"fault": fault}
        elif line is not None and line.error is not None:
            outcome = {"error": line.error}
        elif line is not None and line.answer is not None:
            outcome = {"answer": line.answer}
        now = time.time()
        pending = Pending(
            f"req_{secrets.token_hex(16)}", site_id, body.session_id, body.message, body.response_language,
            now + delay, outcome,
        )  # fmt: skip
        await self._database.write(lambda c: _insert(c, pending, tenant_id, body.email, now, monthly))
        self._schedule(pending)
        return pending

    async def wait(self, request_id: str) -> sqlite3.Row:
        """Wait until a request has ended and return it."""
        event = self._waiting.setdefault(request_id, asyncio.Event())
        try:
            while (row := await self.row(None, request_id))["status"] == "pending":
                await event.wait()
            return row
        finally:
            self._waiting.pop(request_id, None)

    async def row(self, site_id: str | None, request_id: str) -> sqlite3.Row:
        """A stored request.

        Raises:
            ApiError: 404 when there is none on this site.
        """
        query = "SELECT * FROM requests WHERE request_id = ?"
        found: sqlite3.Row | None = await self._database.read(lambda c: c.execute(query, (request_id,)).fetchone())
        if found is None or (site_id is not None and found["site_id"] != site_id):
            raise ApiError(404, "request not found")
        return found

    def working(self, request_id: str) -> bool:
        """Whether a pending request has waited long enough and is being answered."""
        timer = self._timers.get(request_id)
        return timer is None or timer.when() - asyncio.get_running_loop().time() < 0.5 * self.delay

    def _schedule(self, pending: Pending) -> None:
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.pop(pending.request_id, None)
            self._due.put_nowait(pending)

        self._timers[pending.request_id] = loop.call_later(max(0.0, pending.due_at - time.time()), due)

    async def _work(self) -> None:
        while True:
            pending = await self._due.get()
            try:
                await self._finish(pending)
            except sqlite3.ProgrammingError:  # closed under our hands: it goes on at the next start
                return
            except Exception:
                _log.exception("A request could not be answered and ends as failed.")
                with contextlib.suppress(sqlite3.Error):
                    await self._fail(pending.request_id, _FAILED)
            if event := self._waiting.get(pending.request_id):
                event.set()

    async def _fail(self, request_id: str, error: str) -> None:
        await self._database.write(lambda c: _end(c, request_id, "failed", None, error))

    async def _finish(self, pending: Pending) -> None:
        outcome = pending.outcome
        if "error" in outcome or outcome.get("fault") == "failed":
            await self._fail(pending.request_id, outcome.get("error", _FAILED))
            return
        if "answer" in outcome:
            found = Found(outcome["answer"], known=True, score=0.9)
        elif outcome.get("fault") == "empty":
            found = Found("", known=True, score=0.9)
        else:
            found = await self._answer(pending.site_id, pending.session_id, pending.message, pending.language)
        await self._database.write(lambda c: _end(c, pending.request_id, "completed", found, None))


def _stored(row: sqlite3.Row) -> Pending:
    return Pending(
        request_id=row["request_id"],
        site_id=row["site_id"],
        session_id=row["session_id"],
        message=row["message"],
        language=row["language"],
        due_at=row["due_at"],
        outcome=json.loads(row["outcome"]) if row["outcome"] else {},
    )


def _insert(
    c: sqlite3.Connection, pending: Pending, tenant_id: str, email: str | None, now: float, monthly: int | None
) -> None:
    at = clock.stamp(now)
    session = c.execute(
        "SELECT closed_at FROM sessions WHERE site_id = ? AND session_id = ?", (pending.site_id, pending.session_id)
    ).fetchone()
    if session is not None and session["closed_at"] is not None:
        raise ApiError(409, "session is closed")
    if monthly is not None:
        (used,) = c.execute(
            "SELECT coalesce(sum(messages), 0) FROM usage WHERE tenant_id = ? AND day >= ?", (tenant_id, at[:7])
        ).fetchone()
        if used >= monthly:
            raise ApiError(403, "message_limit_reached")
    c.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE SET"
        " last_activity_at = excluded.last_activity_at, email = coalesce(excluded.email, email)",
        (pending.site_id, pending.session_id, email, at, at),
    )
    c.execute(
        "INSERT INTO requests (request_id, site_id, session_id, email, message, language, submitted_at, due_at,"
        " outcome, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        (
            pending.request_id, pending.site_id, pending.session_id, email, pending.message, pending.language, now,
            pending.due_at, json.dumps(pending.outcome) if pending.outcome else None,
        ),
    )  # fmt: skip
    c.execute(
        "INSERT INTO usage (tenant_id, day, messages) VALUES (?, ?, 1)"
        " ON CONFLICT DO UPDATE SET messages = messages + 1",
        (tenant_id, at[:10]),
    )


def _end(c: sqlite3.Connection, request_id: str, status: str, found: Found | None, error: str | None) -> None:
    score = None if found is None else round(min(max(found.score, 0.0), 1.0), 3)
    level = None if score is None else "high" if score >= 0.75 else "medium" if score >= 0.5 else "low"
    c.execute(
        "UPDATE requests SET status = ?, answer = ?, error = ?, known = ?, confidence_level = ?, confidence_score = ?,"
        " document_id = ?, completed_at = ? WHERE request_id = ? AND status = 'pending'",
        (
            status, None if found is None else found.text, error, None if found is None else int(found.known), level,
            score, None if found is None else found.document_id, time.time(), request_id,
        ),
    )  # fmt: skip
