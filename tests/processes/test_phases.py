"""Three real processes on one real PostgreSQL, through what befalls machines: nothing lost, nothing twice.

The phases are those of hardbyte's harness for queues (postgresql-job-queue-benchmarking), with the real turn.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.processes.house import Cluster, a_cluster, metric, note

pytestmark = pytest.mark.needs_package("postgresql")

TAKEOVER = 15.0
"""Seconds in which what a dead process was about is gone on with, beside the time an answer takes."""
HANDED_OVER = 5.0
"""Seconds that somebody waits for a process that was told to stop."""
ANSWER = 2.0
"""Seconds that an answer takes when nothing befalls anybody."""
BUSY = 4.0
"""How much longer all may take where the machine does other things: only the proof in full decides about time."""

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
)


async def killed(cluster: Cluster) -> None:
    """One process is gone without a word, and does not come back before its turns are gone on with."""
    await cluster.replicas[0].end()
    await asyncio.sleep(TAKEOVER)
    await cluster.replicas[0].start()


async def killed_again_and_again(cluster: Cluster) -> None:
    """One after the other, as soon as the last is back."""
    for number in range(3):
        await cluster.replicas[number].end()
        await cluster.replicas[number].start()


async def restarted(cluster: Cluster) -> None:
    """The database server crashes and comes back."""
    await asyncio.to_thread(cluster.server.stop, "immediate")
    await asyncio.to_thread(cluster.server.start)


async def backends_terminated(cluster: Cluster) -> None:
    """Every second all connections are cut."""
    for _ in range(6):
        cluster.server.execute(TERMINATE.format(name=cluster.url.rsplit("/", 1)[1]))
        await asyncio.sleep(1)


async def no_connections_left(cluster: Cluster) -> None:
    """Somebody takes all connections there are, and cuts ours: none can be opened for a while."""
    taken = []
    cluster.server.execute(TERMINATE.format(name=cluster.url.rsplit("/", 1)[1]))
    try:
        for _ in range(80):
            taken.append(psycopg.connect(cluster.url.replace("bot:", "crowd:"), connect_timeout=2))
    except psycopg.OperationalError:
        pass
    await asyncio.sleep(5)
    for connection in taken:
        connection.close()


async def idle_transaction(cluster: Cluster) -> None:
    """Somebody leaves a transaction open that has read everything, and holds a turn's row."""
    with psycopg.connect(cluster.url) as connection:
        connection.execute("SELECT count(*) FROM turns")
        connection.execute("SELECT id FROM turns WHERE state = 'done' LIMIT 1 FOR UPDATE")
        await asyncio.sleep(10)


async def frozen(cluster: Cluster) -> None:
    """One process stands still until others have taken over what it had, and then goes on."""
    cluster.replicas[1].freeze()
    await asyncio.sleep(12)
    cluster.replicas[1].thaw()
    await asyncio.sleep(1)


PHASES: dict[str, Callable[[Cluster], Awaitable[None]]] = {
    phase.__name__: phase
    for phase in (
        killed,
        killed_again_and_again,
        restarted,
        backends_terminated,
        no_connections_left,
        idle_transaction,
        frozen,
    )
}


async def through(cluster: Cluster, phase: str, per_second: float) -> dict[str, Any]:
    """Let people ask while it happens, then wait until all is answered; return the figures."""
    before = set(cluster.crowd.asked_at)
    cluster.asking = True
    asking = asyncio.create_task(cluster.ask_until_told(per_second))
    await asyncio.sleep(2)
    await PHASES[phase](cluster)
    await asyncio.sleep(1)
    cluster.asking = False
    await asking
    await cluster.settle(90)
    figures = cluster.check()
    waits = sorted(
        cluster.crowd.answered_at[name] - cluster.crowd.taken_at[name] for name in set(cluster.crowd.asked_at) - before
    )
    return {**figures, "asked": len(waits), "p50": round(waits[len(waits) // 2], 2), "worst": round(waits[-1], 2)}


async def test_a_dead_process_and_a_frozen_one_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as cluster:
        dead = await through(cluster, "killed", 5)
        note("killed", dead)
        assert dead["worst"] <= (TAKEOVER + ANSWER) * BUSY
        note("frozen", await through(cluster, "frozen", 5))
        late = [await metric(one, "late_acts_total") for one in cluster.replicas]
        assert sum(late) <= 1, "a frozen process acted after it woke up"


async def test_a_database_that_restarts_and_connections_that_end_lose_nothing(tmp_path: Path) -> None:
    async with a_cluster(tmp_path, 2) as cluster:
        for phase in ("restarted", "backends_terminated"):
            note(phase, await through(cluster, phase, 5))


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.parametrize("phase", PHASES)
async def test_a_phase_in_full(tmp_path: Path, phase: str) -> None:
    async with a_cluster(tmp_path) as cluster:
        figures = await through(cluster, phase, 20)
        note(phase, figures)
        assert phase != "killed" or figures["worst"] <= TAKEOVER + ANSWER


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(1800)
async def test_a_hundred_kills(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(1)
    async with a_cluster(tmp_path) as cluster:
        cluster.asking = True
        asking = asyncio.create_task(cluster.ask_until_told(5))
        for _ in range(100):
            await asyncio.sleep(chance.uniform(0.2, 2.0))
            victim = chance.choice(cluster.replicas)
            await victim.end()
            await victim.start()
        cluster.asking = False
        await asking
        await cluster.settle(120)
        figures = cluster.check()
        note("a hundred kills", figures)
        record_property("kills of several processes", {"kills": 100, **figures})


async def test_nobody_waits_for_a_rolling_restart(tmp_path: Path) -> None:
    assert (await rolled(tmp_path, 5))["worst"] <= (ANSWER + HANDED_OVER) * BUSY


@pytest.mark.prove
@pytest.mark.alone
async def test_nobody_waits_five_seconds_for_a_rolling_restart(tmp_path: Path) -> None:
    assert (await rolled(tmp_path, 20))["worst"] <= ANSWER + HANDED_OVER


async def rolled(folder: Path, per_second: float) -> dict[str, Any]:
    """Restart one process after the other while people ask; return the figures."""
    async with a_cluster(folder) as cluster:
        cluster.asking = True
        asking = asyncio.create_task(cluster.ask_until_told(per_second))
        for one in cluster.replicas:
            await asyncio.sleep(1)
            assert await one.end(signal.SIGTERM) == 0
            await one.start()
        cluster.asking = False
        await asking
        await cluster.settle(60)
        figures = cluster.check()
        note("rolling restart", figures)
        return figures
