"""The bot with one deliberate bug: `python -m tests.power.bugs NAME` takes the place of `python -m bot run`.

Each takes away what protects from a power cut, and nothing that a mere kill would show.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bot.cli import main
from bot.store import sqlite, writer
from bot.store.file import connect
from bot.store.sqlite import SqliteDatabase
from bot.store.writer import GroupWriter, Job


def _with_pragma(pragma: str) -> None:
    def careless(path: Path, **options: Any) -> sqlite3.Connection:
        connection = connect(path, **options)
        connection.execute(pragma)
        return connection

    sqlite.connect = careless  # type: ignore[attr-defined]  # the name that the database calls


def synchronous_off() -> None:
    """Nothing is ever synced."""
    _with_pragma("PRAGMA synchronous=OFF")


def synchronous_normal() -> None:
    """In WAL mode a commit is then synced by the next checkpoint only: the file stays whole, commits are lost."""
    _with_pragma("PRAGMA synchronous=NORMAL")


def told_before_the_commit() -> None:
    """Who waits for a write is told when its statements have run."""
    write, commit = GroupWriter._write_group, SqliteDatabase._commit
    writing: list[list[Job]] = [[]]

    def remembers(self: GroupWriter, group: list[Job], waiting: int) -> bool:
        writing[0] = group
        return write(self, group, waiting)

    def early(self: SqliteDatabase) -> bool:
        writer._tell(writing[0])
        time.sleep(0.2)  # the disk is slow; meanwhile the event is acknowledged
        return commit(self)

    GroupWriter._write_group = remembers  # type: ignore[method-assign]
    SqliteDatabase._commit = early  # type: ignore[method-assign]


def folder_not_synced() -> None:
    """The database's folder is made, and its name is left to chance."""
    sqlite.make_folder = lambda folder: folder.mkdir(parents=True, exist_ok=True)  # type: ignore[attr-defined]


BUGS: Final[dict[str, Callable[[], None]]] = {
    "synchronous=OFF": synchronous_off,
    "synchronous=NORMAL": synchronous_normal,
    "told before the commit": told_before_the_commit,
    "folder not synced": folder_not_synced,
}

if __name__ == "__main__":
    BUGS[sys.argv[1]]()
    main(["run"])
