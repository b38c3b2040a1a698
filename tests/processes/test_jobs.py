"""The contract with the queue library, on a real server: what the engine relies on, and the faults it has to bear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pgqueuer.queries import Queries

from bot.engine.cluster import Shared
from bot.engine.jobs import GRACE, Held, JobQueue
from bot.errors import Unavailable
from bot.shared import since_boot
from bot.store import jobs as stored
from bot.store.database import Tx
from bot.store.postgres import PostgresDatabase
from tests.postgres import Server, a_server

pytestmark = pytest.mark.needs_package("postgresql")

STALE = 2.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server() as server:
        yield server


@pytest.fixture
def db(server: Server) -> Iterator[PostgresDatabase]:
    with server.database() as url:
        db = PostgresDatabase(url)
        db.open()
        yield db
        db.close()


class Holder:
    """A process as far as the queue knows: holds each lane it picks until told, or until it is lost."""

    def __init__(self, db: PostgresDatabase) -> None:
        self.held: dict[str, Held] = {}
        self.over: dict[str, asyncio.Event] = {}
        self.wanted: set[str] = set()
        self.queue = JobQueue(db.connect_queue, self._still_wanted, stale=STALE)
        self.cluster = Shared(self.queue)
        self.queue.on(stored.LANE, self._hold)

    async def _still_wanted(self, lanes: Sequence[str]) -> Sequence[str]:
        return [lane for lane in lanes if lane in self.wanted]

    async def _hold(self, held: Held) -> None:
        self.held[held.key] = held
        await self.over.setdefault(held.key, asyncio.Event()).wait()
        del self.held[held.key]

    def finish(self, lane: str) -> None:
        self.over.setdefault(lane, asyncio.Event()).set()
        self.over.pop(lane)

    async def die(self) -> None:
        """Store nothing more, as after kill -9 or while frozen."""
        await self.queue.close()


@asynccontextmanager
async def holders(db: PostgresDatabase, count: int) -> AsyncIterator[list[Holder]]:
    made = [Holder(db) for _ in range(count)]
    for one in made:
        one.queue.start()
    try:
        yield made
    finally:
        for one in made:
            for event in one.over.values():
                event.set()
            await one.queue.stop(1.0)
            await one.queue.close()


async def until(done: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.02)


async def count(db: PostgresDatabase, where: str = "true") -> int:
    row = await db.read(lambda tx: tx.one(f"SELECT count(*) AS n FROM pgqueuer WHERE {where}"))
    return int(row["n"]) if row else 0


def waking(*lanes: str) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        for lane in lanes:
            tx.wake(lane)

    return work


def is_held(held: Held) -> bool:
    """Whether it is held now: what was known a moment ago says nothing."""
    return held.holds


async def test_the_schema_is_the_librarys_own(db: PostgresDatabase) -> None:
    """A newer library whose tables differ needs a step of ours first."""
    async with await db.connect_queue() as connection:
        plan = await Queries.from_psycopg_connection(connection).plan_upgrade()
    assert not plan.statements


async def test_a_lane_is_held_by_one_and_its_job_is_there_once(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        for _ in range(3):
            await db.write(waking("lane-1", "lane-2"))
        await until(lambda: len(one.held) + len(other.held) == 2)
        await asyncio.sleep(0.3)
        assert not one.held.keys() & other.held.keys()
        assert await count(db) == 2
        for holder in (one, other):
            for lane in list(holder.held):
                holder.finish(lane)
        async with asyncio.timeout(10):
            while await count(db):
                await asyncio.sleep(0.05)


async def test_what_was_undone_defers_nothing_and_what_stays_does(db: PostgresDatabase) -> None:
    def fails(tx: Tx) -> None:
        tx.wake("undone")
        raise ValueError

    kept, undone = db.write(waking("kept")), db.write(fails)
    assert [type(x) for x in await asyncio.gather(kept, undone, return_exceptions=True)] == [type(None), ValueError]
    assert await count(db) == 1


async def test_whoever_holds_a_lane_is_told_that_more_has_come(db: PostgresDatabase) -> None:
    async with holders(db, 1) as (one,):
        told: list[str] = []
        await one.queue.listen(stored.WAKE, told.append)
        await db.write(waking("lane-1"))
        await until(lambda: "lane-1" in one.held)
        await asyncio.sleep(0.2)
        await db.write(waking("lane-1"))
        await until(lambda: told == ["lane-1"])


async def test_what_comes_between_the_last_look_and_the_end_of_a_job_gets_one_anew(db: PostgresDatabase) -> None:
    async with holders(db, 1) as (one,):
        await db.write(waking("lane-1"))
        await until(lambda: "lane-1" in one.held)
        first = one.held["lane-1"]
        one.wanted = {"lane-1"}  # came after the lane was found empty, and found a job there
        one.finish("lane-1")
        await until(lambda: one.held.get("lane-1", first) is not first)
        one.wanted = set()


async def test_a_dead_holders_job_is_anothers_in_time_and_not_before(db: PostgresDatabase) -> None:
    async with holders(db, 1) as (one,):
        await db.write(waking("lane-1"))
        await until(lambda: "lane-1" in one.held)
        held = one.held["lane-1"]
        async with holders(db, 1) as (other,):
            await asyncio.sleep(2 * STALE)
            assert not other.held, "it was taken from somebody who lives"
            assert is_held(held)
            await one.die()
            died = time.monotonic()
            while is_held(held):
                assert "lane-1" not in other.held, "two held it at once"
                await asyncio.sleep(0.01)
            await until(lambda: "lane-1" in other.held)
            assert time.monotonic() - died < STALE + 4


async def test_one_that_was_frozen_neither_ends_nor_keeps_anothers_job(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        await db.write(waking("lane-1"))
        await until(lambda: one.held or other.held)
        frozen = next(holder for holder in (one, other) if holder.held)
        awake = next(holder for holder in (one, other) if not holder.held)
        held = frozen.held["lane-1"]
        # As if its heartbeats had stayed away: the other one picks the job while the first still works on it. The first
        # one looks for jobs too, for it is not really frozen: then once more.
        async with asyncio.timeout(30):
            while "lane-1" not in awake.held:
                await frozen.queue.query(
                    "UPDATE pgqueuer SET heartbeat = now() - interval '1 hour', queue_manager_id = $1"
                    " WHERE queue_manager_id = $2 RETURNING id",
                    awake.queue.manager_id,
                    frozen.queue.manager_id,
                )
                await asyncio.sleep(0.1)
        await asyncio.sleep(STALE)
        assert not held.holds, "its heartbeats still count"
        frozen.finish("lane-1")
        await asyncio.sleep(0.5)
        assert await count(db, "status = 'picked'") == 1
        assert awake.held["lane-1"].holds


async def test_who_has_just_reached_the_database_takes_nothing_over(db: PostgresDatabase) -> None:
    """When the database was away, the heartbeats of those that live are old too: they get the time to store them."""
    await db.write(waking("lane-1"))
    async with await db.connect_queue() as connection:
        await connection.execute(
            "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(), heartbeat = now() - interval"
            " '1 minute'"
        )
    began = time.monotonic()
    async with holders(db, 1) as (one,):
        await until(lambda: one.held)
        assert time.monotonic() - began >= STALE * GRACE


async def test_the_queue_goes_on_when_its_connections_are_cut(db: PostgresDatabase, server: Server) -> None:
    async with holders(db, 2) as (one, other):
        for round_ in range(3):
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 't%' AND datname IS NOT NULL"
            )
            lane = f"lane-{round_}"
            async with asyncio.timeout(20):
                while True:
                    try:
                        await db.write(waking(lane))
                        break
                    except Unavailable:
                        await asyncio.sleep(0.1)
            await until(lambda: len(one.held) + len(other.held) == round_ + 1)  # noqa: B023


async def test_a_right_is_one_processs_and_the_nexts_when_that_ends(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        inside: list[str] = []
        most = 0

        async def hold(cluster: Shared, name: str, seconds: float) -> None:
            nonlocal most
            async with cluster.lease("poller"):
                inside.append(name)
                most = max(most, len(inside))
                await asyncio.sleep(seconds)
                inside.remove(name)

        await asyncio.wait_for(
            asyncio.gather(hold(one.cluster, "a", 0.5), hold(other.cluster, "b", 0.5), hold(one.cluster, "c", 0.2)), 30
        )
        assert most == 1


async def test_places_are_shared_out(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        inside = 0

        async def hold(cluster: Shared) -> None:
            nonlocal inside
            async with cluster.lease("sockets", 3):
                inside += 1
                await asyncio.sleep(60)

        tasks = [
            asyncio.create_task(hold(cluster)) for cluster in (one.cluster, one.cluster, other.cluster, other.cluster)
        ]
        await until(lambda: inside == 3)
        await asyncio.sleep(1.0)
        assert inside == 3
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_right_that_is_lost_ends_what_it_was_for_and_another_has_it(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        held = asyncio.Event()

        async def hold() -> None:
            async with one.cluster.lease("poller"):
                held.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(hold())
        await held.wait()
        await one.die()
        began = since_boot()
        async with asyncio.timeout(20), other.cluster.lease("poller"):
            assert since_boot() - began < STALE + 4
            assert task.done(), "two held it at once"
        with pytest.raises(Unavailable):
            await task


async def test_the_pace_of_a_key_is_kept_by_all_together(db: PostgresDatabase) -> None:
    async with holders(db, 2) as (one, other):
        began = time.monotonic()
        await asyncio.gather(*(cluster.pace("chat", 0.2) for cluster in (one.cluster, other.cluster) for _ in range(3)))
        assert time.monotonic() - began >= 0.2 * 5 - 0.05
