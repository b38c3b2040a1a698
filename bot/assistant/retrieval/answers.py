"""From a question to an answer out of the documents."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from bot.assistant.chats import Found
from bot.assistant.database import Database


class Answers:
    """Finds and words answers."""

    def __init__(self, database: Database, synonyms: Path | None) -> None:
        self._database = database

    def changed(self, site_id: str) -> None:
        """Documents of a site changed."""

    async def answer(self, site_id: str, session_id: str, message: str, language: str | None) -> Found:
        """Answer a question."""
        return await self._database.read(lambda c: _find(c, site_id, message))


def _find(c: sqlite3.Connection, site_id: str, message: str) -> Found:
    words = [w for w in re.findall(r"\w+", message.lower()) if len(w) > 3]
    query = " OR ".join(f'"{w}"' for w in words)
    row = None
    if query:
        row = c.execute(
            "SELECT p.*, bm25(passage_index, 2.0, 1.5, 1.0) AS s FROM passage_index JOIN passages p ON"
            " p.id = passage_index.rowid JOIN documents d ON d.id = p.document_id WHERE passage_index MATCH ? AND"
            " d.site_id = ? AND d.status = 'active' AND d.ready = 1 ORDER BY s LIMIT 1",
            (query, site_id),
        ).fetchone()
    if row is None:
        return Found("I don't know: the documents say nothing about this.", known=False, score=0.1)
    return Found(f"{row['body']}\n\n*From “{row['title']}”*", known=True, score=0.8, document_id=row["document_id"])
