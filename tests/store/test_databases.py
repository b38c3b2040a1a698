"""What both databases must do: work that fails, what is urgent, many openings at once, others that write."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from bot.errors import ConfigError, Unavailable
from bot.store import open_admin, open_database
from bot.store.database import OpenDatabase, Tx
from bot.store.writer import GROUP_SECONDS

OPEN = "import sys; from bot.store import open_database; open_database(sys.argv[1]).close()"


@pytest.fixture
def database(url: str) -> Iterator[OpenDatabase]:
    database = open_database(url)
    yield database
    database.close()


class TestDatabase:
    """Each of these runs on both."""

    def test_many_processes_may_open_a_new_one_at_once(self, url: str) -> None:
        running = [subprocess.Popen([sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE) for _ in range(6)]
        for process in running:
            _, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors.decode()

    async def test_work_that_fails_undoes_only_itself(self, database: OpenDatabase) -> None:
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

    async def test_work_that_comes_after_the_end_is_refused_and_keeps_nobody_waiting(
        self, database: OpenDatabase
    ) -> None:
        database.close()
        async with asyncio.timeout(10):
            with pytest.raises(Unavailable):
                await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('v', 'x')"))

    async def test_urgent_work_takes_turns_with_all_the_rest(self, database: OpenDatabase) -> None:
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

    async def test_one_commit_ends_when_its_time_is_up_and_the_rest_comes_in_the_next(
        self, database: OpenDatabase
    ) -> None:
        held = threading.Event()
        first = asyncio.create_task(database.write(lambda _: held.wait(30)))
        await asyncio.sleep(0.05)
        told: list[str] = []

        async def put(name: str, seconds: float) -> None:
            def work(tx: Tx) -> None:
                tx.run("INSERT INTO vault VALUES (?, 'x')", name)
                time.sleep(seconds)

            await database.write(work)
            found = await database.read(
                lambda tx: [row["name"] for row in tx.all("SELECT name FROM vault ORDER BY name")]
            )
            told.append(f"{name} of {len(found)}")

        slow = asyncio.create_task(put("a", 2 * GROUP_SECONDS))
        next_one = asyncio.create_task(put("b", 0.3))
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, slow, next_one)
        assert told == ["a of 1", "b of 2"], "the first was told only with the second"

    async def test_an_operators_command_is_noticed_and_our_own_is_not(self, url: str, database: OpenDatabase) -> None:
        assert not await database.changed_elsewhere()
        await database.write(lambda tx: tx.run("INSERT INTO vault VALUES ('a', 'b')"))
        assert not await database.changed_elsewhere()
        async with open_admin(url) as admin:
            await admin.purge(None)
        assert await database.changed_elsewhere()
        assert not await database.changed_elsewhere()

    async def test_a_statement_that_fails_undoes_only_its_own_work(self, database: OpenDatabase) -> None:
        """On PostgreSQL it would fail everything after it in the same commit."""
        held = threading.Event()
        first = asyncio.create_task(database.write(lambda _: held.wait(30)))
        await asyncio.sleep(0.05)
        names = ["a", "b", "a", "c"]

        async def put(name: str) -> None:
            await database.write(lambda tx: tx.run("INSERT INTO vault VALUES (?, 'x')", name))

        jobs = [asyncio.create_task(put(name)) for name in names]
        await asyncio.sleep(0)
        held.set()
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(result).__name__ for result in results[:2] + results[3:]] == ["NoneType"] * 3
        assert "Unique" in type(results[2]).__name__ or "UNIQUE" in str(results[2])
        await first
        rows = await database.read(lambda tx: tx.all("SELECT name FROM vault ORDER BY name"))
        assert [row["name"] for row in rows] == ["a", "b", "c"]

    async def test_values_come_back_as_they_were_stored(self, database: OpenDatabase) -> None:
        raw, text = bytes(range(256)), "é 😀 %s %% ' \\ \x01 \u2028"
        at = 1_800_000_000.123456

        def put(tx: Tx) -> None:
            tx.run(
                "INSERT INTO dead (reference, turn, channel, account, kind, reason, at, raw) VALUES (?,?,?,?,?,?,?,?)",
                *("R", 2**53 + 1, "c", "", True, text, at, raw),
            )
            tx.run("INSERT INTO cooldowns VALUES ('for ever', ?)", math.inf)

        await database.write(put)
        row = await database.read(lambda tx: tx.one("SELECT * FROM dead WHERE reason=?", text))
        assert row is not None
        found = (row["turn"], row["account"], row["reason"], row["at"], bytes(row["raw"]), row["session_id"])
        assert found == (2**53 + 1, "", text, at, raw, None)
        assert await database.read(lambda tx: tx.one("SELECT 1 FROM cooldowns WHERE at>?", 1e300))

    async def test_words_are_ordered_byte_by_byte(self, database: OpenDatabase) -> None:
        names = ["a", "B", "é", "_", "Z", "10", "9"]
        for name in names:
            await database.write(lambda tx, name=name: tx.run("INSERT INTO vault VALUES (?, '')", name))  # type: ignore[misc]
        rows = await database.read(lambda tx: tx.all("SELECT name FROM vault ORDER BY name"))
        assert [row["name"] for row in rows] == sorted(names, key=str.encode)

    async def test_one_bot_at_a_time_holds_it(self, url: str, database: OpenDatabase) -> None:
        other = open_database(url)
        with database.alone(), pytest.raises(ConfigError, match="no other bot"), other.alone():
            raise AssertionError("two at a time")
        with other.alone():
            pass
        other.close()
