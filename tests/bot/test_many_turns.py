"""A database with many stored turns: what is done beside the hot path goes by slices and by index."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.events import ContextItem
from bot.store import contexts, feedback_list, forgetting, retention
from bot.store.contexts import QuestionContext, pack_context
from bot.store.database import Row, Tx
from bot.store.file import connect
from bot.store.migrations import migrate
from bot.store.retention import DAY, PAGES, ROWS, TURNS
from tests.postgres import about_sqlite

pytestmark = about_sqlite

NOW = 1_800_000_000.0
TURN = (
    "INSERT INTO turns (id, reference, kind, lane, channel, account, conversation, thread, sent_to, question, asker,"
    " text, sent_at, accepted_at, state, outcome, finished_at) VALUES (?, ?, 'question', ?, 'slack', 'T1', ?, '', '{}',"
    " ?, ?, ?, ?, ?, 'done', 'answered', ?)"
)


def fill(tx: Tx, turns: int, days: float, people: int = 50) -> None:
    """Turns of so many people over so many days, each with a step, a receipt, an event and a rated answer."""
    for n in range(1, turns + 1):
        at, user = NOW - days * DAY * (1 - n / turns), f"U{n % people}"
        tx.run(TURN, n, f"R{n:07}", f"lane{n % 200}", f"C{n % 200}", f"m{n}", user, "words " * 20, at, at, at)
        tx.run("INSERT INTO steps (turn, kind, number, done_at, result) VALUES (?, 'send', 0, ?, ?)", n, at, "x" * 300)
        tx.run(
            "INSERT INTO receipts VALUES ('slack', 'T1', ?, ?, ?, 'answer', 0, ?, '{}')", f"C{n % 200}", f"b{n}", n, at
        )
        tx.run("INSERT INTO events VALUES ('slack', 'T1', ?, ?)", f"e{n}", at)
        tx.run(
            "INSERT INTO votes (turn, message, user_id, emoji, present, at) VALUES (?, 'b', ?, '👍', 1, ?)", n, user, at
        )
        rating = ("good", "bad", None)[n % 3]
        tx.run(
            "INSERT INTO feedback (turn, rating, submitted, held, outcome, changed_at)"
            " VALUES (?, ?, 'good', 'good', 'submitted', ?)",
            *(n, rating, at),
        )
        if n % 10 == 0:
            tx.run("INSERT INTO comments VALUES (?, ?, 'too long', ?, ?, NULL)", n, user, at, f"e{n}")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(connect(tmp_path / "bot.db")) as connection:
        migrate(connection)
        connection.execute("BEGIN")
        fill(Tx(connection), 3_000, 500.0)
        connection.execute("COMMIT")
        yield connection


def number(connection: sqlite3.Connection, what: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])


class Watched(Tx):
    """Runs statements, and keeps those whose plan reads a whole table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.scans: list[str] = []
        self._watched = connection

    def _look(self, sql: str, args: tuple[object, ...]) -> None:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")):
            for row in self._watched.execute(f"EXPLAIN QUERY PLAN {sql}", args):
                if row["detail"].startswith("SCAN") and " USING " not in row["detail"]:
                    self.scans.append(f"{row['detail']}: {sql}")

    def all(self, sql: str, *args: object) -> list[Row]:
        self._look(sql, args)
        return super().all(sql, *args)

    def run(self, sql: str, *args: object) -> int:
        self._look(sql, args)
        return super().run(sql, *args)


SMALL = {
    "invitations",
    "guesses",
    "epochs",
    "aliases",
    "cooldowns",
    "unreachable",
    "early_changes",
    "early_reactions",
    "dead",
}
"""Tables that may be read whole: they have a row for a place or a person, or what is kept some minutes."""


def test_no_slice_reads_a_whole_large_table(connection: sqlite3.Connection) -> None:
    tx = Watched(connection)
    slices = [*retention.old(30, 400, NOW), *(one for _, one in forgetting.person("slack", "T1", "U7", [7], []))]
    for one in slices:
        one(tx)
    feedback_list.newest(tx, 0.0, 100)
    scans = [scan for scan in tx.scans if scan.split()[1].rstrip(":") not in SMALL]
    assert not scans, "\n".join(scans)


def work_of_slices(path: Path, turns: int) -> list[tuple[str, int]]:
    """What the database's machine does for the first call of each slice, in thousands of its instructions; everybody
    has asked 60 times."""
    with contextlib.closing(connect(path)) as connection:
        migrate(connection)
        connection.execute("BEGIN")
        fill(Tx(connection), turns, 500.0, people=turns // 60)
        connection.execute("COMMIT")
        person = forgetting.person("slack", "T1", "U7", [7], [])
        slices = [*person, *((f"old {n}", one) for n, one in enumerate(retention.old(30, 400, NOW)))]
        found = []
        for name, one in slices:
            ticks: list[None] = []
            connection.set_progress_handler(partial(ticks.append, None), 1_000)
            connection.execute("BEGIN IMMEDIATE")
            one(Tx(connection))
            connection.execute("ROLLBACK")
            connection.set_progress_handler(None, 0)
            found.append((name, len(ticks)))
        return found


def test_a_slice_takes_as_long_with_few_as_with_many_turns(tmp_path: Path) -> None:
    few, many = work_of_slices(tmp_path / "few.db", 3_000), work_of_slices(tmp_path / "many.db", 12_000)
    assert 0 < max(work for _, work in few) < 30
    assert [one for one, less in zip(many, few, strict=True) if one[1] > less[1] + 2] == []


async def test_retention_takes_few_rows_a_time_and_all_in_the_end(connection: sqlite3.Connection) -> None:
    tx, largest = Tx(connection), 0

    async def write(one: retention.Slice) -> int:
        nonlocal largest
        before = connection.total_changes
        changed = one(tx)
        largest = max(largest, connection.total_changes - before)
        return changed

    await retention.in_slices(write, retention.old(30, 400, NOW))
    assert largest <= max(TURNS * 8, ROWS + 1)
    old, worded = NOW - 400 * DAY, NOW - 30 * DAY
    assert number(connection, f"turns WHERE accepted_at<{old}") == 0
    assert number(connection, f"turns WHERE accepted_at<{worded} AND text IS NOT NULL") == 0
    assert number(connection, "turns") == 2_401
    assert number(connection, f"turns WHERE accepted_at>={worded} AND text IS NOT NULL") == 181
    assert number(connection, "steps") == 181
    assert number(connection, f"events WHERE at<{worded}") == 0
    assert number(connection, f"comments WHERE at<{worded} AND text IS NOT NULL") == 0


async def test_an_open_turn_is_never_forgotten_and_holds_up_nothing(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE turns SET state='open' WHERE id<=30")

    async def write(one: retention.Slice) -> int:
        return one(Tx(connection))

    await retention.in_slices(write, retention.old(30, 400, NOW))
    assert number(connection, "turns WHERE state='open' AND text IS NOT NULL") == 30
    assert number(connection, f"turns WHERE accepted_at<{NOW - 400 * DAY}") == 30


async def test_who_is_quoted_in_many_questions_is_forgotten_in_slices(connection: sqlite3.Connection) -> None:
    """Who is quoted where is looked for by a read: the writer is not held up by a whole account's questions."""
    quote = ContextItem(kind="forward", text="words", author="Eve", author_id="U-quoted")
    context = pack_context(QuestionContext(items=(quote,)))
    connection.execute("UPDATE turns SET context=? WHERE id%2=0", (context,))
    connection.execute(
        "INSERT INTO question_parts SELECT channel, account, conversation, question, id, 0, '', '', NULL, ? FROM turns"
        " WHERE id%3=0",
        (context,),
    )
    tx = Tx(connection)
    found = contexts.quoting(tx, "slack", "T1", "U-quoted")
    assert found == [n for n in range(1, 3_001) if n % 2 == 0 or n % 3 == 0]
    for name, one in forgetting.person("slack", "T1", "U-quoted", found, []):
        before = connection.total_changes
        changed = one(tx)
        if name == "quoted" and changed:
            assert changed <= TURNS
            assert connection.total_changes - before <= 2 * TURNS
            assert one(tx) == 0
    for table in ("turns", "question_parts"):
        assert number(connection, f"{table} WHERE context LIKE '%U-quoted%'") == 0


async def test_a_person_is_forgotten_in_slices_and_nobody_else(connection: sqlite3.Connection) -> None:
    tx = Tx(connection)
    others = number(connection, "turns WHERE asker<>'U7'")
    for _, one in forgetting.person("slack", "T1", "U7", [7], []):
        changed = one(tx)
        assert changed <= max(TURNS, ROWS)
        while changed:
            changed = one(tx)
    for what in ("turns WHERE asker='U7'", "votes WHERE user_id='U7'", "comments WHERE user_id='U7'"):
        assert number(connection, what) == 0
    assert number(connection, "turns") == others
    assert number(connection, "steps WHERE turn NOT IN (SELECT id FROM turns)") == 0


def test_empty_pages_are_given_back_bit_by_bit(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SPARE_PAGES", 100)
    connection.executescript("DELETE FROM steps; DELETE FROM turns")
    tx = Tx(connection)
    (before,) = connection.execute("PRAGMA page_count").fetchone()
    while given := retention.give_back(tx):
        assert given <= PAGES
    (after,) = connection.execute("PRAGMA page_count").fetchone()
    (spare,) = connection.execute("PRAGMA freelist_count").fetchone()
    assert before - after >= 100
    assert spare <= 100


def test_the_report_counts_all_and_lists_the_newest(connection: sqlite3.Connection) -> None:
    tx = Tx(connection)
    report = feedback_list.report(tx, 0.0, 5)
    assert report["answers"] == 3_000
    assert report["channels"] == {"slack": {"good": 1000, "bad": 1000, "none": 1000, "good_share": 0.5}}
    assert report["outcomes"] == {"submitted": 3000}
    assert report["differ"] == 2_000, "bad ones and withdrawn ones were submitted as good"
    assert [entry["reference"] for entry in report["differs"]] == [f"R{n:07}" for n in (2999, 2998, 2996, 2995, 2993)]
    assert report["reasoned"] == 300
    assert report["reasons"][0] == {"reference": "R0003000", "reason": "too long"}
    assert len(report["reasons"]) == 5
    assert feedback_list.report(tx, NOW + 1, 5)["channels"] == {}
    entries, last = feedback_list.newest(tx, 0.0, 2)
    assert [entry["reference"] for entry in entries] == ["R0003000", "R0002999"]
    assert entries[0]["comments"] == ["too long"]
    assert [entry["reference"] for entry in feedback_list.newest(tx, 0.0, 2, last)[0]] == ["R0002998", "R0002997"]
    assert feedback_list.count(tx, NOW - 50 * DAY) == 301


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_a_slice_of_a_large_database_is_short(tmp_path: Path) -> None:
    """100,000 stored turns: the longest slice, in seconds on this machine; a platform waits for 3 s at most."""
    with contextlib.closing(connect(tmp_path / "bot.db")) as connection:
        migrate(connection)
        connection.execute("BEGIN")
        fill(Tx(connection), 100_000, 500.0)
        connection.execute("COMMIT")
        longest: list[float] = []

        async def write(one: retention.Slice) -> int:
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            changed = one(Tx(connection))
            connection.execute("COMMIT")
            longest.append(time.perf_counter() - began)
            return changed

        for _, one in forgetting.person("slack", "T1", "U7", [7], []):
            await retention.in_slices(write, (one,))
        forgot, longest = sorted(longest), []
        await retention.in_slices(write, retention.old(30, 400, NOW))
        longest.sort()
        for name, times in (("forget", forgot), ("retention", longest)):
            print(
                f"{name}: {len(times)} slices, p50 {times[len(times) // 2] * 1e3:.1f} ms,"
                f" longest {times[-1] * 1e3:.1f} ms"
            )
        assert max(longest[-1], forgot[-1]) < 0.5
