"""The database's file: its folder, its version as it lies there, a connection with our pragmas."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bot.store.migrations import STEPS, newer, version_of

HELD_UP: Final = 30
"""Milliseconds that cutting off the log may wait for who reads it: nobody can write until then."""
FEW: Final = 1_000
"""Pages of it that may be left to move then."""


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, so that a power cut forgets none of them.

    SQLite syncs the folder of its files, which makes their names safe. The name of a folder is in the one above, and of
    one that is there already nobody knows whether that was ever synced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for above in folder.absolute().parents:
        _sync(above)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk; where a file system cannot sync folders it need not, as for SQLite."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def refuse_newer(path: Path, *, timeout: float) -> None:
    """Raise `ConfigError` for a file that a newer version wrote; not a byte of it is changed.

    A connection that may write would recover the log, move it into the file and delete it. `timeout` is in seconds.
    """
    if not path.exists():
        return
    # An operational error means that a half-made file must be recovered first, or that there is none any more: whoever
    # opens it to write is told, and `migrate` looks again.
    with contextlib.suppress(sqlite3.OperationalError):
        address = f"file:{quote(str(path.absolute()))}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None)) as reader:
            version = version_of(reader)
            if version > len(STEPS):
                raise newer(version)


def connect(path: Path, *, timeout: float = 5.0) -> sqlite3.Connection:
    """Open a connection with our pragmas. `timeout`: seconds to wait for another process's write."""
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # heard by a database that has no table yet
    _use_wal(connection, timeout)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
    connection.execute("PRAGMA journal_size_limit=16000000")  # bytes; the WAL is cut back when it has grown
    return connection


def scrub(path: Path, *, timeout: float = 10.0) -> bool:
    """Move the log into the file and cut it off, so that no earlier form of a page is left; False when somebody reads
    or writes all the while, and it is left to a later time. `timeout` is in seconds."""
    until = time.monotonic() + timeout
    with contextlib.closing(connect(path, timeout=timeout)) as connection:
        connection.execute(f"PRAGMA busy_timeout={HELD_UP}")
        while True:
            _, pages, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # Who cuts the log off holds up everybody while it moves what is left of it.
            if pages - moved <= FEW and not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.1)


def _use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to WAL. SQLite does not wait for the lock of a switch that another process makes just now; so we do."""
    until = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
