"""The store under hard conditions: many openings at once, work that fails, a lock that goes away."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.store.file import connect
from bot.store.sqlite import SqliteDatabase
from tests.postgres import about_sqlite

pytestmark = about_sqlite


async def test_a_lock_of_another_process_is_unavailable_and_passes(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db", busy_seconds=0.05)
    database.open()
    other = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="database"):
        await database.write(lambda tx: tx.run("DELETE FROM vault"))
    other.execute("ROLLBACK")
    other.close()
    await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('a', 'b')"))
    database.close()


async def test_a_file_that_is_moved_away_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db")
    database.open()
    (tmp_path / "bot.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(Unavailable, match="moved"):
        await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('a', 'b')"))
    (tmp_path / "bot.db").touch()
    with pytest.raises(Unavailable, match="replaced"):
        await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('a', 'b')"))
    (tmp_path / "elsewhere.db").rename(tmp_path / "bot.db")
    await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('c', 'd')"))
    assert [row["name"] for row in await database.read(lambda tx: tx.all("SELECT name FROM vault"))] == ["c"]
    database.close()


def test_a_connection_syncs_every_commit(tmp_path: Path) -> None:
    """WAL, synchronous=FULL, foreign keys; `tests/power` shows what a weaker setting loses."""
    with contextlib.closing(connect(tmp_path / "bot.db")) as db:
        found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["wal", 2, 1]
