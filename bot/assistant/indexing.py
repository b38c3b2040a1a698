"""A document's passages and words in the index; runs inside a write."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import orjson

from bot.assistant.retrieval.text import WIDE
from bot.documents import Passage, clean, counted

# One statement for all rows: SQLite works through them while other threads of ours run.
_PASSAGES = """
INSERT INTO passages (document_id, kind, title, heading, body, page)
SELECT ?, json_extract(value, '$[0]'), ?, json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    json_extract(value, '$[3]')
FROM json_each(?) ORDER BY key
"""
_INDEX = "INSERT INTO passage_search (rowid, title, heading, body) SELECT id, title, heading, body FROM {} WHERE id > ?"
_WORDS = """
INSERT INTO words (site_id, word, n) SELECT ?, key, value FROM json_each(?) WHERE true
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""


def store(
    c: sqlite3.Connection,
    site_id: str,
    document_id: str,
    title: str,
    passages: Sequence[Passage],
    words: Mapping[str, int] | None = None,
    *,
    more: bool = False,
) -> None:
    """Add passages to those of a document; `words` are those of their headings and bodies, if counted already.

    `more`: the document has passages of that title already.
    """
    (last,) = c.execute("SELECT coalesce(max(id), 0) FROM passages").fetchone()
    rows = orjson.dumps([tuple(passage) for passage in passages]).decode()
    c.execute(_PASSAGES, (document_id, title, rows))
    spaced = WIDE.search(rows) or WIDE.search(title)
    c.execute(_INDEX.format("passages_spaced" if spaced else "passages"), (last,))
    if words is None:
        words = counted(text for passage in passages for text in (passage.heading, passage.body))
    for each in (words, {} if more else counted([title])):
        c.execute(_WORDS, (site_id, orjson.dumps(each).decode()))
    c.execute("UPDATE documents SET passage_count = passage_count + ? WHERE id = ?", (len(passages), document_id))


def clear(c: sqlite3.Connection, site_id: str, document_id: str) -> None:
    """Take out all passages of a document."""
    rows = c.execute("SELECT title, heading, body FROM passages WHERE document_id = ?", (document_id,)).fetchall()
    if not rows:
        return
    gone = [counted(text for row in rows for text in (row["heading"], row["body"])), counted([rows[0]["title"]])]
    c.executemany(
        "UPDATE words SET n = n - ? WHERE site_id = ? AND word = ?",
        [(n, site_id, word) for words in gone for word, n in words.items()],
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
    """Note why a version of a document could not be read."""
    clear(c, site_id, document_id)
    c.execute(
        "UPDATE documents SET ready = 0, error = ?, raw = NULL, digest = ? WHERE id = ?", (reason, digest, document_id)
    )


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
