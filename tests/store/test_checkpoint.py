"""The log of SQLite: moved into the file now and then, bounded, and cut off without holding up who writes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bot.store import retention
from bot.store.database import Tx
from bot.store.file import connect, scrub
from bot.store.sqlite import SqliteDatabase

LONGEST = 26_000_000
"""Bytes: SQLite cuts the log back to 16 MB when it begins anew; then it may grow by 4 MB, and by one commit."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
def database(path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(path)
    database.open()
    yield database
    database.close()


def size_of_log(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def put(tx: Tx, name: str, size: int) -> int:
    return tx.run("INSERT INTO vault VALUES (?, ?)", name, "x" * size)


@pytest.mark.parametrize(("rows", "size"), [(8_000, 3_000), (400, 200_000)])
async def test_the_log_stays_bounded_however_much_is_written(
    database: SqliteDatabase, path: Path, rows: int, size: int
) -> None:
    """Some 60 MB, in many rows and in few."""
    for start in range(0, rows, 8):
        await asyncio.gather(*(database.write(partial(put, name=f"{start + n}", size=size)) for n in range(8)))
        assert size_of_log(path) < LONGEST
    assert path.stat().st_size > 20_000_000


async def test_few_rows_are_moved_too(database: SqliteDatabase, path: Path) -> None:
    before = path.stat().st_size
    for number in range(250):
        await database.write(partial(put, name=f"{number}", size=100))
    assert path.stat().st_size > before


async def test_the_log_stays_bounded_while_empty_pages_are_given_back(
    database: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row changes then."""
    monkeypatch.setattr(retention, "SPARE_PAGES", 100)
    for number in range(300):
        await database.write(partial(put, name=f"{number:04}", size=200_000))
    await database.write(lambda tx: tx.run("DELETE FROM vault WHERE name<'0150'"))
    full = path.stat().st_size
    while await database.write(retention.give_back):
        assert size_of_log(path) < LONGEST + 35_000_000, "what the deletion itself has written, and no more"
    await database.write(partial(put, name="one more", size=4_500_000))
    assert path.stat().st_size < full - 15_000_000


async def test_nobody_is_kept_from_writing_while_the_log_cannot_be_cut_off(path: Path) -> None:
    """Who reads an earlier form of the database for long, as a report does, needs the log."""
    with closing(connect(path)) as writer, closing(connect(path)) as reader:
        writer.execute("CREATE TABLE words (word TEXT)")
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
        assert size_of_log(path) == 0
        assert b"secret" not in path.read_bytes()
