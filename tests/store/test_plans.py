"""Hot queries go by an index on both databases, whatever was stored before."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from bot.store import feedback_list, joining, open_database, wanting
from bot.store.codec import pack_conversation
from bot.store.database import Row, Tx
from bot.store.postgres import PostgresTx
from tests.postgres import about_sqlite
from tests.store import asked

EARLIER: Final = 8_000
"""Turns that were answered before, each with what hangs on it."""

LARGE: Final = {
    "turns", "steps", "receipts", "events", "votes", "clicks", "tallies", "feedback", "comments", "question_parts",
    "epochs", "aliases", "cooldowns", "joining",
}  # fmt: skip
"""Tables that grow with what is asked, and with how many people ask."""

SENT_TO: Final = pack_conversation(asked.ROOM)
SERIES: Final = "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<?)"
FILL: Final = (
    "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, sent_to, question, asked_in,"
    " asker, text, sent_at, accepted_at, state, outcome) SELECT 'R'||i, 'question', 'lane'||(i%4000), 'slack', 'T1',"
    f" 'C'||(i%2000), 't'||i, '{SENT_TO}', 'q'||i, 'C'||(i%2000), 'U'||(i%3000), 'w', i, i, 'done', 'answered' FROM k",
    "INSERT INTO steps (turn, kind, number, done_at, result) SELECT i, 'submit', 0, i, '{}' FROM k",
    "INSERT INTO steps (turn, kind, number, done_at, result) SELECT i, 'send', 0, i, '[]' FROM k",
    f"INSERT INTO receipts SELECT 'slack', 'T1', 'C'||(i%2000), 'b'||i, i, 'answer', 0, i, '{SENT_TO}' FROM k",
    "INSERT INTO events SELECT 'slack', 'T1', 'event'||i, i FROM k",
    "INSERT INTO votes (turn, message, user_id, emoji, present, at) SELECT i, 'b', 'U'||(i%3000), '+', 1, i FROM k",
    "INSERT INTO clicks SELECT i, 'U'||(i%3000), 'good', i FROM k",
    "INSERT INTO tallies SELECT i, 1, 0, 'rules' FROM k",
    "INSERT INTO feedback (turn, rating, submitted, changed_at) SELECT i, 'good', 'good', i FROM k",
    "INSERT INTO comments (turn, user_id, text, at, event_id, message) SELECT i, 'U', 'w', i, 'e', 'c'||i FROM k",
    "INSERT INTO question_parts (channel, account, asked_in, message, turn, number, glue)"
    " SELECT 'slack', 'T1', 'C'||(i%2000), 'p'||i, i, 1, '' FROM k",
    "INSERT INTO epochs SELECT 'slack', 'T1', 'C'||i, 'user:U'||i, 1, i FROM k",
    "INSERT INTO aliases SELECT 'slack', 'T1', 'X'||i, 't'||i, 'Y'||i, '', i FROM k",
    "INSERT INTO cooldowns SELECT 'key'||i, i FROM k",
    "INSERT INTO joining SELECT 'slack', 'T1', 'J'||i, 'U', NULL, '', 1, i, i, 'paste' FROM k",
)


R = TypeVar("R")
T = TypeVar("T", bound="Explained")


class Explained:
    """Takes the place of a transaction's verbs: explains every statement, then runs it."""

    def __init__(self, tx: Tx) -> None:
        self.connection = tx.connection
        self.scans: dict[str, str] = {}
        self.seen: set[str] = set()
        self._tx = tx

    def _explain(self, sql: str, args: tuple[Any, ...]) -> None:
        self.seen.add(sql)
        for table in self._scanned(sql, args):
            if table in LARGE:
                self.scans[sql] = table

    def _scanned(self, sql: str, args: tuple[Any, ...]) -> Iterator[str]:
        if isinstance(self._tx, PostgresTx):
            (row,) = self._tx.all(f"EXPLAIN (FORMAT JSON) {sql}", *args)
            yield from _sequential(row["QUERY PLAN"][0]["Plan"])
        else:
            for row in self._tx.all(f"EXPLAIN QUERY PLAN {sql}", *args):
                if found := re.match(r"SCAN (\w+)(?! USING INDEX)", row["detail"]):
                    yield found[1]

    def one(self, sql: str, *args: Any) -> Row | None:
        self._explain(sql, args)
        return self._tx.one(sql, *args)

    def all(self, sql: str, *args: Any) -> list[Row]:
        self._explain(sql, args)
        return self._tx.all(sql, *args)

    def run(self, sql: str, *args: Any) -> int:
        self._explain(sql, args)
        return self._tx.run(sql, *args)

    def hold(self, sql: str, *args: Any) -> Row | None:
        self._explain(sql, args)
        return self._tx.hold(sql, *args)

    def wake(self, lane: str) -> None:
        self._tx.wake(lane)


def _sequential(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for child in plan.get("Plans", ()):
        yield from _sequential(child)


class Counted(Explained):
    """Takes the place of a transaction's verbs: keeps the most hundreds of instructions that SQLite's machine has done
    for a statement."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx)
        self.work: dict[str, int] = {}

    def _count(self, verb: Callable[..., R], sql: str, args: tuple[Any, ...]) -> R:
        ticks = itertools.count()
        self.connection.set_progress_handler(lambda: next(ticks) < 0, 100)
        try:
            return verb(sql, *args)
        finally:
            self.connection.set_progress_handler(None, 0)
            self.work[sql] = max(self.work.get(sql, 0), next(ticks))

    def one(self, sql: str, *args: Any) -> Row | None:
        return self._count(self._tx.one, sql, args)

    def all(self, sql: str, *args: Any) -> list[Row]:
        return self._count(self._tx.all, sql, args)

    def run(self, sql: str, *args: Any) -> int:
        return self._count(self._tx.run, sql, args)

    def hold(self, sql: str, *args: Any) -> Row | None:
        return self._count(self._tx.hold, sql, args)


async def asked_with(url: str, earlier: int, kind: type[T], monkeypatch: pytest.MonkeyPatch) -> T:
    """Ask everything hot of a database with so many earlier turns.

    What an operator asks for, and what is done beside by slices, is left out (`tests/bot/test_many_turns.py`).
    """
    for name in ("newest", "count", "report"):
        monkeypatch.setattr(feedback_list, name, lambda *_: None)
    monkeypatch.setattr(wanting, "answered", lambda *_: None)
    monkeypatch.setattr(joining, "forget_old", lambda *_: None)
    hot = (asked.the_turns, asked.the_questions, asked.the_joined, asked.the_places, asked.the_ratings)

    def ask(tx: Tx) -> T:
        seen = kind(tx)
        story = asked.Story(seen)  # type: ignore[arg-type]  # it has all the verbs
        list(chain.from_iterable(part(story) for part in hot))
        return seen

    database = open_database(url)
    try:
        for statement in FILL:
            await database.write(lambda tx, sql=statement: tx.run(f"{SERIES} {sql}", earlier))  # type: ignore[misc]
        await database.write(lambda tx: tx.run("ANALYZE"))
        return await database.write(ask)
    finally:
        database.close()


async def test_hot_queries_use_their_index(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    explained = await asked_with(url, EARLIER, Explained, monkeypatch)
    assert len(explained.seen) > 60
    assert explained.scans == {}, json.dumps(explained.scans, indent=1)


@about_sqlite
async def test_hot_queries_take_as_long_with_few_as_with_many_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan may name an index and still read all turns of an account."""
    few, many = [
        (await asked_with(f"sqlite:///{tmp_path}/{earlier}.db", earlier, Counted, monkeypatch)).work
        for earlier in (EARLIER // 2, EARLIER * 2)
    ]
    assert len(few) > 60
    assert {sql: (few[sql], work) for sql, work in many.items() if work > few[sql] + 2} == {}
