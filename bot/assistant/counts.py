"""What is counted: use by tenant and day, and statistics of a site, a person or a workspace."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bot.assistant import clock
from bot.assistant.database import AssistantDatabase


class Usage:
    """HTTP calls, counted in memory and written before they are read and at the end."""

    def __init__(self, database: AssistantDatabase) -> None:
        self._database = database
        self._calls: Counter[tuple[str, str]] = Counter()

    async def run(self, seconds: float = 5.0) -> None:
        """Write what was counted every so often, so that a killed service forgets little."""
        while True:
            await asyncio.sleep(seconds)
            await self.flush()

    def count(self, tenant_id: str) -> None:
        """Count a call."""
        self._calls[tenant_id, clock.day()] += 1

    async def flush(self) -> None:
        """Write what was counted."""
        calls, self._calls = self._calls, Counter()
        if calls:
            rows = [(tenant, day, n) for (tenant, day), n in calls.items()]
            query = (
                "INSERT INTO usage (tenant_id, day, requests) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests"
            )
            await self._database.write(lambda c: c.executemany(query, rows).rowcount)

    async def month(self, tenant_id: str, sites: Sequence[str]) -> dict[str, Any]:
        """Use of this month and the documents stored now."""
        await self.flush()
        period = clock.day()[:7]

        def read(c: sqlite3.Connection) -> dict[str, Any]:
            requests, messages = c.execute(
                "SELECT coalesce(sum(requests), 0), coalesce(sum(messages), 0) FROM usage"
                " WHERE tenant_id = ? AND day >= ?",
                (tenant_id, period),
            ).fetchone()
            (documents,) = c.execute(
                f"SELECT count(*) FROM documents WHERE site_id IN ({_marks(sites)})",  # noqa: S608
                tuple(sites),
            ).fetchone()
            return {"period": period, "requests": requests, "messages": messages, "documents": documents}

        return await self._database.read(read)

    async def history(self, tenant_id: str, days: int) -> list[dict[str, Any]]:
        """Use by day, oldest first, of so many days with today as the last."""
        await self.flush()
        query = (
            "SELECT day AS date, requests, messages FROM usage WHERE tenant_id = ? AND day > date(?, ?) ORDER BY day"
        )
        rows = await self._database.read(
            lambda c: c.execute(query, (tenant_id, clock.day(), f"-{days} days")).fetchall()
        )
        return [dict(row) for row in rows]


async def statistics(database: AssistantDatabase, sites: Sequence[str], email: str | None = None) -> dict[str, Any]:
    """Count what is stored of some sites, or of one person on them."""
    where, values = f"site_id IN ({_marks(sites)})", tuple(sites)
    if email is not None:
        where, values = f"{where} AND email = ?", (*values, email)

    def count(c: sqlite3.Connection, what: str, table: str) -> dict[str, Any]:
        # The parts are constants of this module; what comes from outside is bound.
        return dict(c.execute(f"SELECT {what} FROM {table} WHERE {where}", values).fetchone())  # noqa: S608

    def read(c: sqlite3.Connection) -> dict[str, Any]:
        counted: dict[str, Any] = {
            "sessions": count(c, _SESSIONS, "sessions"),
            "messages": count(c, _MESSAGES, "requests"),
            "feedback": count(c, _FEEDBACK, "requests"),
        }
        counted |= count(c, "round(avg(completed_at - submitted_at), 3) AS average_seconds", "requests")
        if email is None:
            counted["documents"] = count(c, _DOCUMENTS, "documents")
        return counted

    return await database.read(read)


_SESSIONS = "count(*) AS total, count(*) - count(closed_at) AS open, count(closed_at) AS closed"
_MESSAGES = (
    "count(*) AS total, count(*) FILTER (WHERE status = 'completed') AS completed,"
    " count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'pending') AS pending,"
    " count(*) FILTER (WHERE known = 0) AS unanswered"
)
_FEEDBACK = "count(*) FILTER (WHERE feedback = 'good') AS good, count(*) FILTER (WHERE feedback = 'bad') AS bad"
_DOCUMENTS = (
    "count(*) AS total, count(*) FILTER (WHERE status = 'active') AS active,"
    " count(*) FILTER (WHERE ready = 1) AS ready, count(*) FILTER (WHERE error IS NOT NULL) AS failed"
)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
