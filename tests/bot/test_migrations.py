"""A database of an older version is brought up to date with everything in it, open turns included."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.store import open_database, questions, receipts, steps, turns
from bot.store.lock import sole_engine
from bot.store.migrations import STEPS, migrate
from bot.store.steps import StepName
from tests.fakes.channel import ACCOUNT, NAME, dm
from tests.house import a_house
from tests.postgres import about_sqlite

pytestmark = about_sqlite

BEFORE_KINDS = 5
"""The last version that named steps in one column and kept the kind of a conversation under another name."""


def old_database(path: Path, now: float) -> None:
    """Write what that version wrote: an open question, and an answered one with a receipt, a click and more."""
    connection = sqlite3.connect(path, isolation_level=None)
    for step in STEPS[:BEFORE_KINDS]:
        for statement in step.statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={step.number}")
    conversation = dm("U1")
    place = {
        "channel": NAME,
        "account_id": ACCOUNT,
        "conversation_id": conversation.conversation_id,
        "thread_id": None,
        "place": "dm",
        "is_direct": True,
    }
    turn = (
        "INSERT INTO turns (id, reference, kind, lane, channel, account, conversation, thread, place, question, asker,"
        " text, sent_at, accepted_at, state, outcome, asked_in, request_id) VALUES (?,?,'question','s_1',?,?,?,'',?,?,"
        "'U1',?,?,?,?,?,?,?)"
    )
    where = (NAME, ACCOUNT, conversation.conversation_id)
    answered = ("AAAAAAAA", *where, json.dumps(place), "m1", "One?", now - 9, now - 9, "done", "answered")
    waiting = ("BBBBBBBB", *where, json.dumps(place), "m2", "When does the shop open?", now, now, "open", None)
    connection.execute(turn, (1, *answered, where[2], "r1"))
    connection.execute(turn, (2, *waiting, where[2], None))
    for name, result in (("submit:0", "{}"), ("intent", "[]"), ("send:11", '["a","b","c","d"]'), ("progress:2", None)):
        connection.execute("INSERT INTO steps VALUES (1,?,?,?,0,?)", (name, now, now, result))
    connection.execute(
        "INSERT INTO receipts VALUES (?,?,?,'a1',1,'answer',0,?,?)",
        (*where, now, json.dumps([where[2], json.dumps(place)])),
    )
    connection.execute("INSERT INTO clicks VALUES (1,'U1','good',?)", (now,))
    connection.execute("INSERT INTO resting VALUES (?,?,'D-gone',?)", (NAME, ACCOUNT, now))
    connection.execute("INSERT INTO said VALUES ('limited:x',?)", (now,))
    connection.close()


async def test_what_an_older_version_stored_is_all_there(tmp_path: Path) -> None:
    old_database(tmp_path / "bot.db", time.time())
    database = open_database(f"sqlite:///{tmp_path}/bot.db")
    try:
        turn = await database.read(lambda tx: turns.get(tx, 1))
        assert turn is not None
        assert turn.conversation == dm("U1")
        assert turn.question is not None
        ref = turn.question
        assert await database.read(lambda tx: questions.by_message(tx, ref)) == turn
        rows = await database.read(lambda tx: steps.of_turn(tx, 1))
        assert set(rows) == {
            *(StepName("submit", 0), StepName("intent"), StepName("send", 11), StepName("progress", 2)),
        }
        assert rows[StepName("send", 11)].result == ["a", "b", "c", "d"]
        (answer,) = await database.read(lambda tx: receipts.of_turn(tx, 1, "answer"))
        receipt = await database.read(lambda tx: receipts.find(tx, answer))
        assert receipt is not None
        assert (receipt.turn, receipt.conversation) == (1, dm("U1"))
        for table in ("clicks", "unreachable", "cooldowns"):
            (count,) = await database.read(lambda tx, table=table: tx.all(f"SELECT count(*) AS n FROM {table}"))  # type: ignore[misc]
            assert count["n"] == 1, table
    finally:
        database.close()


async def test_an_open_turn_of_an_older_version_comes_to_its_end(tmp_path: Path) -> None:
    old_database(tmp_path / "bot.db", time.time())
    async with a_house(tmp_path) as house:
        (answer,) = await house.answers(1)
        assert "nine" in answer.text
        await house.idle()
        assert house.asked() == ["When does the shop open?"]


def test_the_schema_of_a_new_database_is_that_of_a_migrated_one(tmp_path: Path) -> None:
    old_database(tmp_path / "old.db", 1.0)
    shapes = []
    for name in ("old.db", "new.db"):
        connection = sqlite3.connect(tmp_path / name, isolation_level=None)
        migrate(connection)
        shapes.append(connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall())
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("version", range(1, len(STEPS)))
def test_a_migration_can_begin_at_every_version(tmp_path: Path, version: int) -> None:
    connection = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
    for step in STEPS[:version]:
        for statement in step.statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={version}")
    assert migrate(connection) == len(STEPS)
    connection.close()


def test_a_database_that_an_older_bot_uses_is_left_alone(tmp_path: Path) -> None:
    """Its tables would be gone under its hands; a command beside it says so, and changes nothing."""
    old_database(tmp_path / "bot.db", 1.0)
    with contextlib.closing(sole_engine(tmp_path / "bot.db")):
        with pytest.raises(ConfigError, match="older one is running"):
            open_database(f"sqlite:///{tmp_path}/bot.db")
        connection = sqlite3.connect(tmp_path / "bot.db")
        assert connection.execute("PRAGMA user_version").fetchone()[0] == BEFORE_KINDS
        connection.close()
    open_database(f"sqlite:///{tmp_path}/bot.db").close()
