"""The store under hard conditions: many openings at once, work that fails, a lock that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.store.database import GROUP_SECONDS, SqliteDatabase, Tx
from bot.store.file import connect

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


async def test_urgent_work_takes_turns_with_all_the_rest(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db")
    database.open()
    done: list[str] = []
    held = threading.Event()

    async def put(name: str, *, urgent: bool = False) -> None:
        await database.write(lambda _: done.append(name), urgent=urgent)

    first = asyncio.create_task(database.write(lambda _: held.wait(30)))
    await asyncio.sleep(0.05)  # the writer is in it
    rest = [asyncio.create_task(put(f"rest {n}")) for n in range(100)]
    await asyncio.sleep(0)
    assert database.behind
    urgent = [asyncio.create_task(put(f"urgent {n}", urgent=True)) for n in range(10)]
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(first, *rest, *urgent)
    assert [name for name in done if name.startswith("rest")] == [f"rest {n}" for n in range(100)]
    assert done.index("urgent 0") <= 1
    assert done[:20].count("urgent 0") == 1
    assert [name for name in done[:21] if name.startswith("urgent")] == [f"urgent {n}" for n in range(10)]
    assert not database.behind
    database.close()


async def test_one_commit_ends_when_its_time_is_up_and_the_rest_comes_in_the_next(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "bot.db")
    database.open()
    held = threading.Event()
    first = asyncio.create_task(database.write(lambda _: held.wait(30)))
    await asyncio.sleep(0.05)
    told: list[str] = []

    async def put(name: str, seconds: float) -> None:
        def work(tx: Tx) -> None:
            tx.run("INSERT INTO vault VALUES (?, 'x')", name)
            time.sleep(seconds)

        await database.write(work)
        found = await database.read(lambda tx: [row["name"] for row in tx.all("SELECT name FROM vault ORDER BY name")])
        told.append(f"{name} of {len(found)}")

    slow = asyncio.create_task(put("a", 2 * GROUP_SECONDS))
    next_one = asyncio.create_task(put("b", 0.3))
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(first, slow, next_one)
    assert told == ["a of 1", "b of 2"], "the first was told only with the second"
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


def test_a_connection_syncs_every_commit(tmp_path: Path) -> None:
    """WAL, synchronous=FULL, foreign keys; `tests/power` shows what a weaker setting loses."""
    with contextlib.closing(connect(tmp_path / "bot.db")) as db:
        found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["wal", 2, 1]
