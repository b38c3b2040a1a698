"""The platform's SQLite file and its clock, which never gives the same time twice."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id TEXT PRIMARY KEY, conversation TEXT NOT NULL, thread TEXT, author TEXT NOT NULL, body TEXT NOT NULL,
    reply_to TEXT, delivery_id TEXT, nonce TEXT UNIQUE, edited INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0, rating TEXT, asks_why TEXT);
CREATE INDEX IF NOT EXISTS message_delivery ON message (delivery_id);
CREATE TABLE IF NOT EXISTS reaction (
    message TEXT NOT NULL, person TEXT NOT NULL, emoji TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (message, person, emoji));
CREATE TABLE IF NOT EXISTS click (
    message TEXT NOT NULL, person TEXT NOT NULL, button TEXT NOT NULL, PRIMARY KEY (message, person));
CREATE TABLE IF NOT EXISTS working (
    conversation TEXT NOT NULL, thread TEXT NOT NULL, question TEXT NOT NULL,
    PRIMARY KEY (conversation, thread, question));
CREATE TABLE IF NOT EXISTS pending (event TEXT PRIMARY KEY, message TEXT, payload TEXT NOT NULL);
"""


class Journal:
    """One connection, opened at the first use and again after `close`. `nanoseconds` is the clock (since 1970)."""

    def __init__(self, path: Path, nanoseconds: Callable[[], int]) -> None:
        self._path = path
        self._nanoseconds = nanoseconds
        self._connection: sqlite3.Connection | None = None
        self._last = 0

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; in autocommit, so writes go through `transaction`."""
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, isolation_level=None, timeout=5, check_same_thread=False)
            weakref.finalize(self, db.close)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")  # survives the end of the process, which is what it must
            db.executescript(_SCHEMA)
            newest = db.execute(
                "SELECT max(id) FROM (SELECT id FROM message UNION ALL SELECT event FROM pending)"
            ).fetchone()[0]
            self._last = max(self._last, int((newest or "0").replace(".", "")))
            self._connection = db
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit at the end, roll back on any error."""
        db = self.db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def stamp(self) -> str:
        """Return the time as "seconds.microseconds", later than any before."""
        self._last = max(self._last + 1, self._nanoseconds() // 1000)
        return f"{self._last // 1_000_000:010d}.{self._last % 1_000_000:06d}"

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
