"""A document's passages and words in the index; runs inside a write."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.documents import Passage, clean

_WORD = re.compile(r"[^\W_]+")


def _words(passages: Iterable[tuple[str, str, str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for parts in passages:
        for part in parts:
            counts.update(word for word in _WORD.findall(part.casefold()) if 2 <= len(word) <= 40)
    return counts


def store(c: sqlite3.Connection, site_id: str, document_id: str, title: str, passages: Sequence[Passage]) -> None:
    """Add passages to those of a document."""
    rows = [(title, passage.heading, passage.body) for passage in passages]
    c.executemany(
        "INSERT INTO passages (document_id, kind, title, heading, body, page) VALUES (?, ?, ?, ?, ?, ?)",
        [(document_id, passage.kind, *row, passage.page) for passage, row in zip(passages, rows, strict=True)],
    )
    c.executemany(
        "INSERT INTO words VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
        [(site_id, word, n) for word, n in _words(rows).items()],
    )
    c.execute("UPDATE documents SET passage_count = passage_count + ? WHERE id = ?", (len(passages), document_id))


def clear(c: sqlite3.Connection, site_id: str, document_id: str) -> None:
    """Take out all passages of a document."""
    rows = c.execute("SELECT title, heading, body FROM passages WHERE document_id = ?", (document_id,)).fetchall()
    c.executemany(
        "UPDATE words SET n = n - ? WHERE site_id = ? AND word = ?",
        [(n, site_id, word) for word, n in _words((row[0], row[1], row[2]) for row in rows).items()],
    )
    c.execute("DELETE FROM words WHERE site_id = ? AND n <= 0", (site_id,))
    c.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
    c.execute("UPDATE documents SET passage_count = 0 WHERE id = ?", (document_id,))


def remove(c: sqlite3.Connection, site_id: str, document_id: str) -> int:
    """Delete a document; 1, or 0 when it is none of this site."""
    if c.execute("SELECT 1 FROM documents WHERE id = ? AND site_id = ?", (document_id, site_id)).fetchone() is None:
        return 0
    clear(c, site_id, document_id)
    return c.execute("DELETE FROM documents WHERE id = ?", (document_id,)).rowcount


def fail(c: sqlite3.Connection, site_id: str, document_id: str, digest: str | None, reason: str) -> None:
    """Note why a document could not be read, if it still is the version of that digest."""
    found = c.execute("SELECT 1 FROM documents WHERE id = ? AND digest IS ?", (document_id, digest)).fetchone()
    if found is not None:
        clear(c, site_id, document_id)
        c.execute("UPDATE documents SET ready = 0, error = ?, raw = NULL WHERE id = ?", (reason, document_id))


def refresh(c: sqlite3.Connection, site_id: str, document_id: str, passages: list[Passage] | None) -> None:
    """Bring the passages in line with a changed title, content, question or answer."""
    row = c.execute("SELECT * FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row["kind"] == "qa":
        passages = [Passage("qa", clean(row["question"]), clean(row["answer"]))]
    elif passages is None:
        old = c.execute("SELECT * FROM passages WHERE document_id = ? ORDER BY id", (document_id,)).fetchall()
        if all(p["title"] == row["title"] for p in old):
            return
        passages = [Passage(p["kind"], p["heading"], p["body"], p["page"]) for p in old]
    clear(c, site_id, document_id)
    store(c, site_id, document_id, row["title"], passages)
