"""Moves SQLite's log into the file, in a thread of its own: no commit waits for that, however much there is to move."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from typing import Final

LONG: Final = 4_000
FEW: Final = 1_000
"""Pages of a log that is long (16 MB), and of what a writer may move itself without holding up anybody."""


class Checkpointer:
    """Moves the log when it is woken; owns its thread and its connection, which `connect` opens."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connection = connect()
        self._wanted = threading.Event()
        self._closed = False
        self.is_outrun = False
        """Whether the log has grown long because it is written while it is moved: SQLite begins it anew only when all
        of it is moved. The writer must move the last few pages."""
        self._thread = threading.Thread(target=self._run, name="store-checkpointer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to move."""
        self._wanted.set()

    def close(self) -> None:
        """End what is under way, then close the connection."""
        self._closed = True
        self._wanted.set()
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closed:
            self._wanted.clear()
            pages, moved = move(self._connection)
            self.is_outrun = pages > LONG and pages - moved <= FEW


def move(connection: sqlite3.Connection) -> tuple[int, int]:
    """Move what nobody reads any more; return how many pages the log has, and how many of them are moved by now.

    What is committed is safe in the log: an error does no harm, and counts as an empty log.
    """
    with contextlib.suppress(sqlite3.Error):
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(pages), int(moved)
    return 0, 0
