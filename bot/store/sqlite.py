"""The embedded database: a SQLite file in WAL mode with synchronous=FULL.

One thread owns the writing connection (`writer.py`). Reads run on a connection of their own, on the caller's thread:
they are look-ups by index, shorter than a thread switch.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, TypeVar

from bot.errors import ConfigError, Unavailable
from bot.store.database import Tx
from bot.store.file import connect, make_folder, refuse_newer
from bot.store.lock import sole_engine
from bot.store.migrations import is_older, migrate
from bot.store.writer import GroupWriter

T = TypeVar("T")

LOOK_SECONDS: Final = 0.002
"""How often it is looked whether another process has ended its write."""
MOVE_ROWS: Final = 200
MOVE_BYTES: Final = 4_000_000
"""After so many changed rows (about a thousand pages), or when it has grown by so much, the log is moved."""


class SqliteDatabase(GroupWriter):
    """The embedded database: a file."""

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        super().__init__()
        self.path = path
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._version: int | None = None
        self._file: tuple[int, int] | None = None
        self._changes = 0
        self._unmoved = 0
        self._log_size = 0

    def open(self) -> None:
        """Make or migrate the file, start the writer. Raises `ConfigError` when it cannot be opened, or is newer."""
        try:
            make_folder(self.path.parent)
            refuse_newer(self.path, timeout=self._busy_seconds)
            connection = connect(self.path, timeout=self._busy_seconds)
            self._migrate(connection)
            connection.execute("PRAGMA wal_autocheckpoint=0")  # `_tidy_up` does it: else some commits do it first
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":  # else a commit may have to wait, too
                connection.execute("PRAGMA busy_timeout=0")  # SQLite itself looks at longer and longer intervals
            self._reader = connect(self.path, timeout=self._busy_seconds)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(
                [("BOT_DATABASE_URL", f"a database file that can be opened and written ({error})")]
            ) from None
        self._file = self._there()
        self._connection, self._tx = connection, Tx(connection)
        self._start_writer()

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the schema up to date; one that is in use is left as it is, for a bot of an older version needs it."""
        until = time.monotonic() + self._busy_seconds
        while is_older(connection):
            try:
                with self.alone():
                    migrate(connection)
            except ConfigError:
                if time.monotonic() > until:  # else it may be another process that brings it up to date just now
                    connection.close()
                    wanted = "a database of this version; a bot of an older one is running on it: stop that one first"
                    raise ConfigError([("BOT_DATABASE_URL", wanted)]) from None
                time.sleep(0.05)
        migrate(connection)

    is_shared = False

    async def now(self) -> float:
        """Say what time it is on this machine."""
        return time.time()

    def alone(self) -> contextlib.closing[IO[str]]:
        """Hold the database for this process alone. Raises `ConfigError` while a bot runs on it."""
        return contextlib.closing(sole_engine(self.path))

    def close(self) -> None:
        """Commit what is queued, then close."""
        self._stop_writer()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work`, which only reads, on what is committed."""
        assert self._reader is not None
        try:
            return work(Tx(self._reader))
        except sqlite3.DatabaseError as error:
            if self._why_lost(error) is None:
                raise
            raise self._unavailable(self._said(error)) from None

    async def changed_elsewhere(self) -> bool:
        """Whether another process has committed since the last call (the writer's own commits do not count)."""
        version = await self.write(_data_version)
        changed = self._version is not None and version != self._version
        self._version = version
        return changed

    @property
    def _writing(self) -> sqlite3.Connection:
        assert self._connection is not None, "not open"
        return self._connection

    def _there(self) -> tuple[int, int] | None:
        """Which file is at the path now."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _begin(self) -> Tx:
        if self._there() != self._file:
            # SQLite would go on writing to a file that nobody can ever open again.
            raise sqlite3.OperationalError("its file was moved, deleted or replaced")
        self._changes = self._writing.total_changes
        self._take_lock()
        self._writing.execute("SAVEPOINT job")
        return self._tx

    def _take_lock(self) -> None:
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                self._writing.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(LOOK_SECONDS)
            else:
                return

    def _next(self) -> None:
        self._writing.execute("RELEASE job")
        self._writing.execute("SAVEPOINT job")

    def _undo(self) -> None:
        self._writing.execute("ROLLBACK TO job")

    def _commit(self) -> bool:
        self._writing.execute("COMMIT")
        changed = self._writing.total_changes - self._changes
        self._unmoved += changed
        return changed > 0

    def _tidy_up(self) -> None:
        """Move the log into the file, now and then.

        Here, in the writer's thread, for a checkpoint must not run beside a write that begins the log anew
        (sqlite.org/wal.html, "The WAL-Reset Bug", up to SQLite 3.51.2).
        """
        size = self._size_of_log()
        self._log_size = min(self._log_size, size)
        if self._unmoved < MOVE_ROWS and size < self._log_size + MOVE_BYTES:
            return
        with contextlib.suppress(sqlite3.Error):  # what is committed is safe; it is tried again
            self._writing.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._unmoved, self._log_size = 0, size

    def _size_of_log(self) -> int:
        with contextlib.suppress(OSError):
            return os.stat(f"{self.path}-wal").st_size
        return 0

    def _give_up(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._writing.execute("ROLLBACK")

    def _why_lost(self, error: Exception) -> str | None:
        """A lock, a full disk, a malformed image; else a piece of work is wrong."""
        lost = isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
        return self._said(error) if lost else None

    def _was_in_the_way(self, error: Exception) -> bool:
        """Never: there is one writer, and who waits for another process's write waits at its beginning."""
        return False

    def _said(self, error: BaseException) -> str:
        return str(error)

    def _unavailable(self, why: object) -> Unavailable:
        return Unavailable(
            f"The database cannot be used ({why}): free the disk, end what locks it, or put the file back.",
            reason="database",
        )

    def _end(self) -> None:
        self._writing.close()


def _data_version(tx: Tx) -> int:
    row = tx.one("PRAGMA data_version")
    assert row is not None
    return int(row["data_version"])
