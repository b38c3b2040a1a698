"""One database, one writer: `write` runs a function in a transaction and returns after the commit.

All queries are written against `Tx`, in SQL that both SQLite and PostgreSQL understand. `sqlite.py` and `postgres.py`
are the two databases; `writer.py` is how both gather work into one commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Row(Protocol):
    """A row, by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the value of a column."""
        ...

    def keys(self) -> Iterable[str]:
        """Name the columns."""
        ...


class Tx:
    """The verbs a query may use, inside one transaction. Placeholders are `?`, and stand nowhere else in the SQL.

    `connection` is the open one: a library may write with it what must be committed together with the rest.
    """

    __slots__ = ("connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection: Any = connection

    def one(self, sql: str, *args: Any) -> Row | None:
        """Return the first row, None without one."""
        row: Row | None = self.connection.execute(sql, args).fetchone()
        return row

    def all(self, sql: str, *args: Any) -> list[Row]:
        """Return all rows."""
        rows: list[Row] = self.connection.execute(sql, args).fetchall()
        return rows

    def run(self, sql: str, *args: Any) -> int:
        """Execute, and return how many rows changed."""
        count: int = self.connection.execute(sql, args).rowcount
        return count

    def hold(self, sql: str, *args: Any) -> Row | None:
        """Return the first row like `one`; nobody else changes it before this transaction has ended."""
        return self.one(sql, *args)

    def alone(self, *key: str) -> None:
        """Let no other process decide about the same before this transaction has ended. Comes before what is written.

        SQLite has one writer in any case. On PostgreSQL two transactions do not see what the other one is about to
        store: an edit and its message, a reaction and the receipt of its answer would miss each other.
        """

    def wake(self, lane: str) -> None:
        """More has come for a lane: whoever is to work on it learns of it when this transaction has committed.

        SQLite's engine is told by whoever wrote, or looks. On PostgreSQL the lane's job is deferred with the rest.
        """

    def give_back(self, spare: int, most: int) -> int:
        """Give at most so many empty pages back to the disk if more than `spare` lie empty; return how many."""
        before = self._empty_pages()
        if before <= spare:
            return 0
        self.all(f"PRAGMA incremental_vacuum({most})")
        return before - self._empty_pages()

    def _empty_pages(self) -> int:
        row = self.one("PRAGMA freelist_count")
        return 0 if row is None else int(row["freelist_count"])


class Database(Protocol):
    """What the core asks of its database. The simulation has one of its own."""

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Run `work` in a transaction; return its result once that is on disk. Raises `Unavailable`.

        `urgent` work is done in its order, and takes turns with all the rest: it waits for little even if much waits.
        `work` may run more than once, of which one time counts: another process may have been in its way.
        """
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which only reads, on what is committed. Raises `Unavailable`."""
        ...

    @property
    def behind(self) -> bool:
        """Whether so much waits to be written that what can wait should not begin."""
        ...

    async def changed_elsewhere(self) -> bool:
        """Whether another process has committed since the last call."""
        ...


class OpenDatabase(Database, Protocol):
    """What the composition root asks of a database beside that."""

    @property
    def is_shared(self) -> bool:
        """Whether several processes may work on it at once."""
        ...

    async def now(self) -> float:
        """Say what time it is for all processes, in seconds since the epoch."""
        ...

    def alone(self) -> AbstractContextManager[object]:
        """Hold the database for this process alone. Raises `ConfigError` while a bot runs on it."""
        ...

    def written_within(self, seconds: float) -> bool:
        """Whether something was written so lately, and nothing has failed since."""
        ...

    def close(self) -> None:
        """Commit what is queued, then close."""
        ...
