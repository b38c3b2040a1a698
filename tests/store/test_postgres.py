"""What only a server can do to a store: go away, come back, cut connections, be shared, be set up carelessly."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import psycopg
import pytest

from bot.errors import ConfigError, Unavailable
from bot.store import open_database, postgres, steps, turns
from bot.store.database import OpenDatabase, Tx
from bot.store.migrations import steps_for
from bot.store.postgres import PostgresDatabase
from bot.store.steps import StepName, StepRow
from tests.postgres import Server, a_server
from tests.store.asked import Story

pytestmark = pytest.mark.needs_package("postgresql")


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    with server.database() as url:
        yield url


@contextmanager
def opened(url: str) -> Iterator[OpenDatabase]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


async def put(database: OpenDatabase, name: str) -> None:
    await database.write(lambda tx: tx.run("INSERT INTO vault VALUES (?, 'x')", name))


async def stored(database: OpenDatabase) -> list[str]:
    return [row["name"] for row in await database.read(lambda tx: tx.all("SELECT name FROM vault ORDER BY name"))]


def terminate(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name='uppzy-bot'"
            " AND datname=current_database()"
        )


async def test_a_restart_of_the_server_is_survived() -> None:
    with a_server() as server, opened(server.url()) as database:
        await put(database, "a")
        assert await stored(database) == ["a"]
        server.stop("immediate")
        for _ in range(2):
            with pytest.raises(Unavailable, match="server"):
                await put(database, "b")
            with pytest.raises(Unavailable, match="server"):
                await stored(database)
        assert not database.written_within(9)
        server.start()
        await put(database, "c")
        assert await stored(database) == ["a", "c"]


async def test_a_connection_that_was_cut_while_idle_is_no_error(url: str) -> None:
    with opened(url) as database:
        for name in ("a", "b"):
            await put(database, name)
            assert name in await stored(database)
            terminate(url)
        assert await stored(database) == ["a", "b"]


async def test_a_connection_that_is_cut_in_a_commit_fails_all_of_it_and_no_more(url: str) -> None:
    with opened(url) as database:
        await database.changed_elsewhere()

        def cut(tx: Tx) -> None:
            tx.run("INSERT INTO vault VALUES ('lost', 'x')")
            terminate(url)

        held = threading.Event()
        first = asyncio.create_task(database.write(lambda _: held.wait(30)))
        await asyncio.sleep(0.05)
        jobs = [asyncio.create_task(put(database, "before")), asyncio.create_task(database.write(cut))]
        jobs.append(asyncio.create_task(put(database, "after")))
        await asyncio.sleep(0)
        held.set()
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable] * 3
        await first
        await put(database, "next")
        assert await stored(database) == ["next"]


async def test_a_commit_of_which_nobody_knows_makes_the_engine_look(url: str) -> None:
    with opened(url) as database:
        await database.changed_elsewhere()
        assert isinstance(database, PostgresDatabase)
        commit = database._commit

        def cut() -> bool:
            terminate(url)
            return commit()

        database._commit = cut  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await put(database, "a")
        database._commit = commit  # type: ignore[method-assign]
        assert await database.changed_elsewhere()
        assert not await database.changed_elsewhere()


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[OpenDatabase, OpenDatabase]]:
    with opened(url) as one, opened(url) as other:
        yield one, other


async def test_who_decides_alone_never_misses_what_another_process_stores(url: str) -> None:
    """Both read, add and write; one that did not see the other's would take it back."""

    def add(tx: Tx, name: str) -> None:
        tx.alone("counter", name)
        row = tx.one("SELECT value FROM vault WHERE name=?", name)
        number = 0 if row is None else int(row["value"])
        time.sleep(0.0005)
        tx.run(
            "INSERT INTO vault VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
            *(name, str(number + 1)),
        )

    async with two(url) as both:
        names = ["a", "b", "c"]
        jobs = [
            database.write(lambda tx, name=name: add(tx, name), urgent=bool(n % 2))  # type: ignore[misc]
            for n in range(60)
            for place, database in enumerate(both)
            for name in (names if place else reversed(names))
        ]
        await asyncio.gather(*jobs)
        rows = await both[0].read(lambda tx: tx.all("SELECT value FROM vault"))
        assert [row["value"] for row in rows] == ["120"] * 3


async def test_rows_that_two_processes_change_crosswise_come_to_an_end(url: str) -> None:
    """One waits for what the other holds, and the other way round: the server ends one of them, and it is done anew."""
    async with two(url) as both:
        for name in ("a", "b"):
            await both[0].write(lambda tx, name=name: tx.run("INSERT INTO vault VALUES (?, '')", name))  # type: ignore[misc]
        met, began = threading.Barrier(2), set[str]()

        def change(tx: Tx, order: str) -> None:
            for name in order:
                tx.run("UPDATE vault SET value=value || ? WHERE name=?", order, name)
                if name == order[0] and order not in began:
                    began.add(order)
                    met.wait(20)

        await asyncio.gather(*(d.write(lambda tx, o=o: change(tx, o)) for d, o in zip(both, ("ab", "ba"), strict=True)))  # type: ignore[misc]
        rows = await both[0].read(lambda tx: tx.all("SELECT value FROM vault"))
        assert sorted(len(row["value"]) for row in rows) == [4, 4]


async def test_an_attempt_that_was_overtaken_stores_nothing_more(url: str) -> None:
    """Also when the takeover comes between the look at the fence and the write."""
    async with two(url) as (one, other):
        turn = await one.write(lambda tx: Story(tx).new("L", "words"))
        found = await one.write(lambda tx: turns.take(tx, "L", 1.0))
        assert found is not None
        mine, inside = found[0], threading.Event()

        def save(tx: Tx, name: StepName, seconds: float) -> None:
            turns.fence(tx, mine, 1.0)
            inside.set()
            time.sleep(seconds)
            steps.save(tx, turn.id, name, StepRow(begun_at=1.0))

        first = asyncio.create_task(one.write(lambda tx: save(tx, StepName("submit"), 0.3)))
        await asyncio.to_thread(inside.wait, 10)
        taken = await other.write(lambda tx: turns.take(tx, "L", 2.0))
        await first
        assert taken is not None
        assert set(taken[1]) == {StepName("submit")}, "the takeover did not see what was stored before it"
        with pytest.raises(turns.Fenced):
            await one.write(lambda tx: save(tx, StepName("poll"), 0))
        assert set(await one.read(lambda tx: steps.of_turn(tx, turn.id))) == {StepName("submit")}


async def test_a_process_that_is_frozen_in_a_transaction_is_thrown_out(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "BEGIN", postgres.BEGIN.replace(b"'5s'", b"'100ms'"))

    def freeze(tx: Tx) -> None:
        tx.run("INSERT INTO vault VALUES ('frozen', 'x')")
        time.sleep(0.5)

    with opened(url) as database:
        with pytest.raises(Unavailable):
            await database.write(freeze)
        await put(database, "frozen")


async def test_a_lock_that_somebody_forgot_is_unavailable_and_passes(url: str) -> None:
    with opened(url) as database:
        with psycopg.connect(url) as forgotten:
            forgotten.execute("LOCK TABLE vault")
            with pytest.raises(Unavailable, match="lock"):
                await put(database, "a")
        await put(database, "b")


async def test_few_connections_and_nothing_that_a_pooler_would_mix_up(url: str) -> None:
    database = open_database(url, direct_url=f"{url}?connect_timeout=9")
    with closing(database):
        assert isinstance(database, PostgresDatabase)
        with database.alone():
            for n in range(30):
                await put(database, f"v{n}")
                await stored(database)
            with psycopg.connect(url) as other:
                row = other.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name='uppzy-bot'"
                    " AND datname=current_database()"
                ).fetchone()
            assert row is not None
            assert row[0] <= 3
            for tx in (database._writing, database._reading):
                assert tx is not None
                assert tx.all("SELECT name FROM pg_prepared_statements") == []
                assert tx.all("SELECT name FROM pg_settings WHERE source='session' AND name<>'client_encoding'") == []


async def test_a_column_that_a_newer_version_adds_is_no_lasting_trouble_for_what_is_prepared(url: str) -> None:
    with opened(url) as database:
        assert isinstance(database, PostgresDatabase)
        for _ in range(5):
            await database.write(lambda tx: tx.all("SELECT * FROM vault"))
            await database.read(lambda tx: tx.all("SELECT * FROM vault"))
        assert database._writing is not None
        prepared = database._writing.all("SELECT statement FROM pg_prepared_statements")
        assert "SELECT * FROM vault" in {row["statement"] for row in prepared}
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("ALTER TABLE vault ADD COLUMN more TEXT")
        with pytest.raises(Unavailable, match="cached plan"):
            await database.write(lambda tx: tx.all("SELECT * FROM vault"))
        await put(database, "a")
        rows = await database.write(lambda tx: tx.all("SELECT * FROM vault"))
        assert [row["more"] for row in rows] == [None]
        assert len(await database.read(lambda tx: tx.all("SELECT * FROM vault"))) == 1


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_would_forget_is_refused(server: Server, url: str, name: str) -> None:
    server.execute(f"ALTER SYSTEM SET {name}=off")
    server.execute("SELECT pg_reload_conf()")
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            deadline = time.monotonic() + 20
            while connection.execute(f"SHOW {name}".encode()).fetchone() != ("off",):  # the server takes a moment
                assert time.monotonic() < deadline
        with pytest.raises(ConfigError, match=f"{name} on: without, a power cut"):
            open_database(url)
    finally:
        server.execute(f"ALTER SYSTEM RESET {name}")
        server.execute("SELECT pg_reload_conf()")


def test_a_database_in_another_encoding_is_refused(server: Server) -> None:
    server.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(ConfigError, match="encoding is UTF8"):
        open_database(server.url("ascii"))


def test_what_cannot_be_reached_is_said_in_one_sentence_without_the_password(server: Server) -> None:
    for url in (
        server.url("nowhere"),
        "postgresql://bot:pass-word-1@127.0.0.1:1/bot",
        "postgresql://bot:pass-word-1@127.0.0.1:1/bot?no_such_option=1",
        "postgresql://bot:pass%2Dword%2D1@[::1/bot",
    ):
        with pytest.raises(ConfigError) as raised:
            open_database(url)
        assert "BOT_DATABASE_URL" in str(raised.value)
        assert "word" not in str(raised.value).replace("user:password@", "").replace("password authentication", "")
        assert "\n" not in str(raised.value)


def test_a_newer_schema_is_refused_and_not_touched(url: str) -> None:
    open_database(url).close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO migrations (version, name) VALUES (9999, 'later')")
    with pytest.raises(ConfigError, match=r"a newer one wrote it \(schema 9999, here \d+\): start that one"):
        open_database(url)


def test_steps_of_the_schema_have_names_and_are_done_once(url: str) -> None:
    for _ in range(2):
        open_database(url).close()
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT version, name FROM migrations ORDER BY version").fetchall()
    assert rows == [(step.number, step.name) for step in steps_for("postgresql")]
