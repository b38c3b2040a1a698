"""The store under hard conditions: many openings at once, work that fails, a lock that goes away."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.store.database import SqliteDatabase, Tx

OPEN = "import sys; from bot.store import open_database; open_database(sys.argv[1]).close()"


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    running = [subprocess.Popen([sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE) for _ in range(6)]
    for process in running:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors.decode()


async def test_work_that_fails_undoes_only_itself(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db")
    database.open()

    def put(name: str, *, fail: bool = False) -> None:
        def work(tx: Tx) -> None:
            tx.run("INSERT INTO vault VALUES (?, 'x')", name)
            if fail:
                raise ValueError(name)

        jobs.append(asyncio.create_task(database.write(work)))

    jobs: list[asyncio.Task[None]] = []
    for n in range(20):
        put(f"v{n}", fail=n % 3 == 0)
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(result, ValueError) for result in results] == [n % 3 == 0 for n in range(20)]
    rows = await database.read(lambda tx: tx.all("SELECT name FROM vault"))
    assert {row["name"] for row in rows} == {f"v{n}" for n in range(20) if n % 3}
    database.close()


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


async def test_a_commit_of_another_process_is_noticed_and_our_own_is_not(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db")
    database.open()
    assert not await database.changed_elsewhere()
    await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('a', 'b')"))
    assert not await database.changed_elsewhere()
    other = SqliteDatabase(tmp_path / "bot.db")
    other.open()
    await other.write(lambda tx: tx.run("DELETE FROM vault"))
    other.close()
    assert await database.changed_elsewhere()
    assert not await database.changed_elsewhere()
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
