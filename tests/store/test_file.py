"""The database's file beside others that read and write it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

from bot.store.file import connect, scrub


async def test_nobody_is_kept_from_writing_while_the_log_cannot_be_cut_off(tmp_path: Path) -> None:
    """Who reads an earlier form of the database for long, as a report does, needs the log."""
    path = tmp_path / "bot.db"
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
        assert (tmp_path / "bot.db-wal").stat().st_size == 0
        assert b"secret" not in path.read_bytes()
