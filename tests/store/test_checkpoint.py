"""The log of SQLite: moved into the file beside the writer, bounded, and cut off without holding up who writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.store import checkpoint
from bot.store.checkpoint import Checkpointer, move
from bot.store.database import Tx
from bot.store.file import connect, scrub
from bot.store.sqlite import SqliteDatabase


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("CREATE TABLE words (word TEXT)")
        yield writer


@pytest.fixture
def checkpointer(path: Path, writer: sqlite3.Connection) -> Iterator[Checkpointer]:
    with closing(Checkpointer(partial(connect, path))) as checkpointer:
        yield checkpointer


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def write(writer: sqlite3.Connection, times: int) -> None:
    for _ in range(times):
        writer.execute("INSERT INTO words VALUES ('word')")


def log_begins_anew(writer: sqlite3.Connection) -> bool:
    write(writer, 1)
    pages, _ = move(writer)
    return pages < 5


class TestCheckpointer:
    async def test_it_moves_the_log_when_it_is_woken(
        self, path: Path, writer: sqlite3.Connection, checkpointer: Checkpointer
    ) -> None:
        write(writer, 100)
        size = path.stat().st_size
        checkpointer.wake()
        await until(lambda: path.stat().st_size > size)
        await until(lambda: log_begins_anew(writer))
        assert not checkpointer.is_outrun

    async def test_a_long_log_of_which_little_is_left_is_for_the_writer(
        self, writer: sqlite3.Connection, checkpointer: Checkpointer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checkpoint, "LONG", 50)
        write(writer, 100)
        checkpointer.wake()
        await until(lambda: checkpointer.is_outrun)
        assert log_begins_anew(writer)
        checkpointer.wake()
        await until(lambda: not checkpointer.is_outrun)

    async def test_a_log_that_somebody_reads_is_not(
        self, path: Path, writer: sqlite3.Connection, checkpointer: Checkpointer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The writer would not get on either, and would move all of it later."""
        monkeypatch.setattr(checkpoint, "LONG", 50)
        monkeypatch.setattr(checkpoint, "FEW", 40)
        with closing(connect(path)) as reader:
            write(writer, 10)
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM words").fetchall()
            write(writer, 100)
            for _ in range(5):
                checkpointer.wake()
                await asyncio.sleep(0.02)
                assert not checkpointer.is_outrun

    def test_an_error_does_no_harm(self, writer: sqlite3.Connection) -> None:
        writer.close()
        assert move(writer) == (0, 0)


async def test_the_log_stays_bounded_however_much_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "LONG", 500)
    database = SqliteDatabase(path)
    database.open()
    try:
        longest = 0

        def put(tx: Tx, name: str) -> int:
            return tx.run("INSERT INTO vault VALUES (?, ?)", name, "x" * 2000)

        async def write_much(name: str) -> None:
            nonlocal longest
            for n in range(1_500):
                await database.write(partial(put, name=f"{name}{n}"))
                longest = max(longest, Path(f"{path}-wal").stat().st_size // 4096)

        await asyncio.gather(*(write_much(name) for name in "abcdefgh"))
    finally:
        database.close()
    assert longest < 8_000, "all of it has 30,000 pages"


async def test_nobody_is_kept_from_writing_while_the_log_cannot_be_cut_off(
    path: Path, writer: sqlite3.Connection
) -> None:
    """Who reads an earlier form of the database for long, as a report does, needs the log."""
    with closing(connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM words").fetchall()
        writer.execute("INSERT INTO words VALUES ('secret')")
        written = 0
        scrubbing = asyncio.create_task(asyncio.to_thread(scrub, path, timeout=3.0))
        while not scrubbing.done():
            writer.execute("DELETE FROM words")
            written += 1
            await asyncio.sleep(0.01)
        assert not await scrubbing, "the log is needed all the while"
        assert written > 10, "if it could write only before and after, it would be two or three times"
        reader.execute("ROLLBACK")
        assert scrub(path), "nobody reads any more"
        assert Path(f"{path}-wal").stat().st_size == 0
        assert b"secret" not in path.read_bytes()
