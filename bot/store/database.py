"""One database, one writer: `write` runs a function in a transaction and returns after the commit.

SQLite in WAL mode with synchronous=FULL. One thread owns the writing connection and commits what has
gathered meanwhile in one go (group commit), each piece of work in its own savepoint, so that one
failing piece undoes only itself. What a platform waits for is urgent: it takes turns with all the rest,
and a group is short, so an event is stored soon however much waits to be written. What came of an outside
call is urgent too: an event must not overtake the receipt of the message it is about. Reads run on a
connection of their own, on the caller's thread: they are look-ups by index, shorter than a thread switch.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bot.errors import ConfigError, Unavailable
from bot.store.file import connect, make_folder, refuse_newer
from bot.store.lock import sole_engine
from bot.store.migrations import is_older, migrate

T = TypeVar("T")
Row = sqlite3.Row

GROUP_SECONDS = 0.03
"""How long one commit may gather work: about what a busy loop makes of twenty pieces."""

BEHIND = 64
"""So many pieces of work wait for the writer when it is behind: about what it does in a tenth of a second."""


class Tx:
    """The verbs a query may use, inside one transaction. Placeholders are `?`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, *args: Any) -> Row | None:
        """Return the first row, None without one."""
        row: Row | None = self._connection.execute(sql, args).fetchone()
        return row

    def all(self, sql: str, *args: Any) -> list[Row]:
        """Return all rows."""
        return self._connection.execute(sql, args).fetchall()

    def run(self, sql: str, *args: Any) -> int:
        """Execute, and return how many rows changed."""
        return self._connection.execute(sql, args).rowcount


class Database(Protocol):
    """What the core asks of its database. The simulation has one of its own."""

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Run `work` in a transaction; return its result once that is on disk. Raises `Unavailable`.

        `urgent` work is done in its order, and takes turns with all the rest: it waits for little even if much waits.
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


@dataclass(slots=True)
class _Job:
    work: Callable[[Tx], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class _Jobs:
    """What waits for the writer. Any thread may put, one takes."""

    def __init__(self) -> None:
        self._urgent: deque[_Job] = deque()
        self._rest: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._urgent_next = True

    def put(self, job: _Job, *, urgent: bool) -> None:
        with self._changed:
            (self._urgent if urgent else self._rest).append(job)
            self._changed.notify()

    def close(self) -> None:
        """Let the writer end once nothing waits."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._rest)

    def wait(self) -> int:
        """Return how many wait, as soon as any does; 0 when all is done."""
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._closed)
            return len(self)

    def take(self) -> _Job:
        """Take an urgent one and another in turn; there must be one."""
        with self._changed:
            urgent = bool(self._urgent) and (self._urgent_next or not self._rest)
            self._urgent_next = not urgent
            return (self._urgent if urgent else self._rest).popleft()


def unavailable(error: BaseException) -> Unavailable:
    """Say in one sentence that the database did not take it."""
    return Unavailable(
        f"The database cannot be used ({error}): free the disk, end what locks it, or put the file back.",
        reason="database",
    )


class SqliteDatabase:
    """The embedded database: a file, or nothing but memory for tests (`:memory:` has no second connection)."""

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._jobs = _Jobs()
        self._thread: threading.Thread | None = None
        self._reader: sqlite3.Connection | None = None
        self._version: int | None = None
        self._file: tuple[int, int] | None = None
        self._written_at = -math.inf
        self.failing = False

    def open(self) -> None:
        """Make or migrate the file, start the writer. Raises `ConfigError` when it cannot be opened, or is newer."""
        try:
            make_folder(self.path.parent)
            refuse_newer(self.path, timeout=self._busy_seconds)
            connection = connect(self.path, timeout=self._busy_seconds)
            self._migrate(connection)
            self._reader = connect(self.path, timeout=self._busy_seconds)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(
                [("BOT_DATABASE_URL", f"a database file that can be opened and written ({error})")]
            ) from None
        self._file = self._there()
        self._thread = threading.Thread(target=self._write_all, args=(connection,), name="store-writer", daemon=True)
        self._thread.start()

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the schema up to date; one that is in use is left as it is, for a bot of an older version needs it."""
        until = time.monotonic() + self._busy_seconds
        while is_older(connection):
            try:
                with contextlib.closing(sole_engine(self.path)):
                    migrate(connection)
            except ConfigError:
                if time.monotonic() > until:  # else it may be another process that brings it up to date just now
                    connection.close()
                    wanted = "a database of this version; a bot of an older one is running on it: stop that one first"
                    raise ConfigError([("BOT_DATABASE_URL", wanted)]) from None
                time.sleep(0.05)
        migrate(connection)

    def close(self) -> None:
        """Commit what is queued, then close."""
        if self._thread is not None:
            self._jobs.close()
            self._thread.join()
            self._thread = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Run `work` in a transaction; see `Database.write`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, loop, future), urgent=urgent)
        return await future

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which only reads, on what is committed."""
        assert self._reader is not None
        try:
            return work(Tx(self._reader))
        except sqlite3.DatabaseError as error:
            if not _of_the_file(error):
                raise
            raise unavailable(error) from None

    @property
    def behind(self) -> bool:
        """Whether so much waits to be written that what can wait should not begin."""
        return len(self._jobs) > BEHIND

    def written_within(self, seconds: float) -> bool:
        """Whether something was written so lately, and nothing has failed since."""
        return time.monotonic() - self._written_at < seconds

    async def changed_elsewhere(self) -> bool:
        """Whether another process has committed since the last call (the writer's own commits do not count)."""
        version = await self.write(lambda tx: _first(tx.one("PRAGMA data_version")))
        changed = self._version is not None and version != self._version
        self._version = version
        return changed

    def _write_all(self, connection: sqlite3.Connection) -> None:
        tx = Tx(connection)
        while waiting := self._jobs.wait():
            group: list[_Job] = []
            try:
                if self._there() != self._file:
                    # SQLite would go on writing to a file that nobody can ever open again.
                    raise sqlite3.OperationalError("its file was moved, deleted or replaced")
                changes = connection.total_changes
                self._commit(connection, tx, group, waiting)
                self.failing = False
                if connection.total_changes > changes:
                    self._written_at = time.monotonic()
            except sqlite3.Error as error:
                self.failing, self._written_at = True, -math.inf
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                group += [self._jobs.take() for _ in range(waiting - len(group))]
                for job in group:
                    job.result, job.error = None, unavailable(error)
            _tell(group)
        connection.close()

    def _there(self) -> tuple[int, int] | None:
        """Which file is at the path now."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _commit(self, connection: sqlite3.Connection, tx: Tx, group: list[_Job], waiting: int) -> None:
        """Run what waits, into `group`, and commit; what finds no time any more belongs to the next group."""
        connection.execute("BEGIN IMMEDIATE")
        end = time.monotonic() + GROUP_SECONDS
        while len(group) < waiting and (not group or time.monotonic() < end):
            job = self._jobs.take()
            group.append(job)
            connection.execute("SAVEPOINT job")
            try:
                job.result = job.work(tx)
            except Exception as error:
                if _of_the_file(error):
                    raise  # the disk, a lock, a broken file: nothing of this group is safe
                job.error = error
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
        connection.execute("COMMIT")


def _of_the_file(error: Exception) -> bool:
    """Whether the file cannot be used (a lock, a full disk, a malformed image); else a piece of work is wrong."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _first(row: Row | None) -> int:
    assert row is not None
    return int(row[0])


def _tell(group: list[_Job]) -> None:
    """Hand the results over with one wake-up of each loop."""
    for loop in {id(job.loop): job.loop for job in group}.values():
        mine = [job for job in group if job.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, mine)


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
