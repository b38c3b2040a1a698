"""Everything moves from one kind of database to the other and back: counted, and what is open ends once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bot.app import running
from bot.cli import call
from bot.errors import ConfigError
from bot.sessions import Address
from bot.store import open_database, turns
from bot.store.database import Tx
from bot.store.turns import NewTurn
from tests.fakes.channel import ACCOUNT, NAME, dm
from tests.house import a_house, fake_config
from tests.postgres import Server

pytestmark = pytest.mark.needs_package("postgresql")

NOW = 1_800_000_000.25


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with server.database() as url:
        yield url


async def fill(url: str, done: int, rated: int, waiting: int) -> None:
    """Store so many answered turns, of which so many are rated, and so many questions that wait."""

    def old(tx: Tx) -> None:
        turn = (
            "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, sent_to, question,"
            " asker, text, sent_at, accepted_at, state, outcome)"
            " VALUES (?,'question','L',?,?,'C','','{}',?,'U',?,?,?,'done','answered') RETURNING id"
        )
        for n in range(done):
            row = tx.one(turn, f"R{n:07}", NAME, ACCOUNT, f"q{n}", f"words {n} 'é' 😀", NOW + n, NOW + n)
            assert row is not None
            tx.run("INSERT INTO steps (turn, kind, number, done_at, result) VALUES (?,'send',0,?,'[]')", row["id"], NOW)
            where = (NAME, ACCOUNT, "C", f"a{n}", row["id"])
            tx.run("INSERT INTO receipts VALUES (?,?,?,?,?,'answer',0,?,'{}')", *where, NOW + n)
            if n < rated:
                tx.run("INSERT INTO clicks VALUES (?,'U','good',?)", row["id"], NOW)
                tx.run("INSERT INTO feedback (turn, rating, changed_at) VALUES (?,'good',?)", row["id"], NOW)
        tx.run(
            "INSERT INTO dead (reference, channel, account, kind, reason, at, raw)"
            " VALUES ('D','c','a','payload','',?,?)",
            *(NOW, bytes(range(256))),
        )

    def new(tx: Tx) -> None:
        for n in range(waiting):
            conversation = dm(f"U{n}")
            turns.insert(
                tx,
                NewTurn(
                    reference=f"OPEN{n:04}",
                    kind="question",
                    lane=f"s{n}",
                    address=Address(NAME, ACCOUNT, conversation.conversation_id),
                    conversation=conversation,
                    sent_at=NOW + n,
                    accepted_at=4e9,  # no deadline of long ago
                    question=f"open{n}",
                    asker=f"U{n}",
                    text=f"When does the shop open? {n}",
                ),
            )

    database = open_database(url)
    await database.write(old)
    await database.write(new)
    database.close()


async def run(*words: str) -> int:
    """Run a command, which has an event loop of its own."""
    return await asyncio.to_thread(call, words)


async def moved(source: str, target: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert await run("migrate", "--from", source, "--to", target, "--json") == 0, capsys.readouterr().err
    shown = capsys.readouterr()
    assert "pass-word-1" not in shown.out + shown.err
    told = json.loads(shown.out)
    assert isinstance(told, dict)
    return told


async def there_and_back(
    folder: Path, url: str, counts: tuple[int, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    done, rated, waiting = counts
    first, last = f"sqlite:///{folder}/first.db", f"sqlite:///{folder}/last.db"
    await fill(first, done, rated, waiting)
    out = await moved(first, url, capsys)
    rows = out["rows"]
    assert isinstance(rows, dict)
    assert (rows["turns"], rows["feedback"], rows["dead"], out["open_turns"]) == (done + waiting, rated, 1, waiting)
    async with a_house(folder, delay=0.5, BOT_DATABASE_URL=url) as house:
        await house.answers(waiting // 3)
        await house.bot.stop()
        ended = len(house.channel.answers())
        back = await moved(url, last, capsys)
        rows = back["rows"]
        assert isinstance(rows, dict)
        assert (rows["turns"], rows["feedback"], rows["dead"]) == (done + waiting, rated, 1)
        assert back["open_turns"] == waiting - ended
        house.config = fake_config(house.assistant.base_url, folder, BOT_DATABASE_URL=last)
        await house.restart()
        await house.answers(waiting)
        await house.idle()
        assert sorted(house.asked()) == sorted(f"When does the shop open? {n}" for n in range(waiting))
        assert len(house.channel.answers()) == waiting
    assert contents(folder / "first.db", "done") == contents(folder / "last.db", "done", without="OPEN%")


def contents(path: Path, state: str, without: str = "") -> list[tuple[object, ...]]:
    """Read every value of the turns that were done before, and all that was kept of them."""
    with closing(sqlite3.connect(path)) as db:
        turns = db.execute(
            "SELECT * FROM turns WHERE state=? AND reference NOT LIKE ? ORDER BY id", (state, without)
        ).fetchall()
        ids = {row[0] for row in turns}
        for table in ("steps", "receipts", "clicks", "feedback"):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            rows = db.execute(f"SELECT * FROM {table} ORDER BY turn").fetchall()
            turns += [row for row in rows if row[names.index("turn")] in ids]
        return turns + db.execute("SELECT * FROM dead").fetchall()


async def test_there_and_back(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await there_and_back(tmp_path, url, (300, 60, 9), capsys)


@pytest.mark.prove
async def test_ten_thousand_turns_there_and_back(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await there_and_back(tmp_path, url, (10_000, 2_000, 50), capsys)


async def test_a_new_turn_gets_an_id_of_its_own_after_a_move(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(f"sqlite:///{tmp_path}/a.db", 5, 0, 0)
    await moved(f"sqlite:///{tmp_path}/a.db", url, capsys)
    await fill_one(url)


async def fill_one(url: str) -> None:
    database = open_database(url)
    row = await database.write(
        lambda tx: tx.one(
            "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, sent_to, sent_at,"
            " accepted_at) VALUES ('N','question','L','c','a','C','','{}',1,1) RETURNING id"
        )
    )
    database.close()
    assert row is not None
    assert row["id"] == 6


async def refused(source: str, target: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert await run("migrate", "--from", source, "--to", target) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "pass-word-1" not in shown.err
    assert shown.err.count("\n") == 1, shown.err
    return shown.err


async def test_what_cannot_be_moved_is_refused_in_one_sentence(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"sqlite:///{tmp_path}/a.db"
    assert "no file" in await refused(source, url, capsys)
    assert not (tmp_path / "a.db").exists()
    await fill(source, 3, 1, 1)
    assert "other postgresql" in await refused(source, f"sqlite:///{tmp_path}/b.db", capsys)
    assert "postgresql://user" in await refused(source, "mysql://bot:pass-word-1@db/bot", capsys)
    assert await run("migrate", "--from", source) == 1
    for held in (source, url):
        database = open_database(held)
        with database.alone():
            assert "stop that one first" in await refused(source, url, capsys)
        database.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO vault VALUES ('a', 'b')")
        assert "something already" in await refused(source, url, capsys)
        connection.execute("DELETE FROM vault")
    await moved(source, url, capsys)
    assert "moved already" in await refused(source, url, capsys)
    with pytest.raises(ConfigError, match="where this database was moved"):
        async with running(
            fake_config("http://127.0.0.1:1", tmp_path, BOT_DATABASE_URL=source), channels=[], adapters={}
        ):
            pass


async def test_a_move_that_is_cut_short_has_moved_nothing(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.store import moving

    source = f"sqlite:///{tmp_path}/a.db"
    await fill(source, 20, 5, 2)
    read = moving._File.read

    def loses_one(self: moving._File, table: str, columns: list[str]) -> Iterator[list[tuple[object, ...]]]:
        for rows in read(self, table, columns):
            yield rows[1:] if table == "steps" else rows

    monkeypatch.setattr(moving._File, "read", loses_one)
    assert "rows of steps" in await refused(source, url, capsys)
    monkeypatch.undo()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (0,)
    told = await moved(source, url, capsys)
    assert told["open_turns"] == 2
