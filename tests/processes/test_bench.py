"""What a turn costs with one, two and three processes on PostgreSQL, beside one on SQLite in the same run.

Slack's HTTP events, a real server with everything on that keeps promises, answers after 0.2 s. Crowd and API stand in
the process of the test and share the machine's cores with all the rest.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from tests.benchmarks.load import p
from tests.processes.house import Cluster, a_cluster, note

pytestmark = [pytest.mark.bench, pytest.mark.needs_package("postgresql")]

OPEN_TURNS = "100000"
PEOPLE = 300
"""Who ask at once; each asks again once answered, so more than a turn a second each is not to be had."""


def used(pid: int) -> float:
    """Return the CPU seconds of a process and of those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / 100


def children(pid: int) -> list[int]:
    """List the processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def costs(cluster: Cluster) -> tuple[float, float]:
    """Return the CPU seconds of the bots, and of the database."""
    bots = sum(used(one.process.pid) for one in cluster.replicas if one.process is not None)
    return bots, sum(used(pid) for pid in (cluster.server.pid, *children(cluster.server.pid)))


async def as_fast_as_it_goes(cluster: Cluster, people: int, seconds: float) -> int:
    """Let everybody ask again as soon as they are answered; return how many were answered in that time."""
    end, answered = time.monotonic() + seconds, 0

    async def one(person: int) -> None:
        nonlocal answered
        number = 0
        while time.monotonic() < end:
            name = f"q{person:03}{number:05}"
            cluster.crowd.ask(person, name)
            await cluster.crowd.answer(name, 120)
            answered, number = answered + (time.monotonic() < end), number + 1

    await asyncio.gather(*(one(100 + n) for n in range(people)))
    return answered


@pytest.mark.parametrize("processes", [0, 1, 2, 3])
async def test_throughput_and_cpu_of_a_turn(tmp_path: Path, processes: int) -> None:
    async with a_cluster(
        tmp_path / "c", processes or 1, delay=0.2, sqlite=not processes, BOT_LIMITS__OPEN_TURNS=OPEN_TURNS
    ) as cluster:
        await as_fast_as_it_goes(cluster, 10, 2)  # warm
        idle = costs(cluster)
        await asyncio.sleep(5)
        still = costs(cluster)
        before, began = costs(cluster), time.monotonic()
        count = await as_fast_as_it_goes(cluster, PEOPLE, 15)
        seconds, after = time.monotonic() - began, costs(cluster)
        total = len(cluster.crowd.answers)
        await cluster.ask(20, 10)
        await cluster.crowd.until(lambda: set(cluster.crowd.asked_at) <= set(cluster.crowd.answers), 60)
        paced = list(cluster.crowd.asked_at)[-200:]
        to_submit = [cluster.api.submitted_at[name] - cluster.crowd.asked_at[name] for name in paced]
        bots, server = after[0] - before[0], after[1] - before[1]
        turns = max(1, total - len([n for n in cluster.crowd.answers if len(n) < 9]))
        note(
            f"{processes} on PostgreSQL" if processes else "SQLite",
            {
                "turns_s": round(count / 15, 1),
                "bot_ms": round(bots * 1000 / max(1, turns), 2),
                "database_ms": round(server * 1000 / max(1, turns), 2),
                "seconds": round(seconds, 1),
                "event_to_submit_p50_ms": round(p(to_submit, 0.5) * 1000, 1),
                "event_to_submit_p99_ms": round(p(to_submit, 0.99) * 1000, 1),
                "idle_bot_percent": round((still[0] - idle[0]) / 5 * 100 / max(1, processes), 2),
                "idle_database_percent": round((still[1] - idle[1]) / 5 * 100, 2),
            },
        )


FILL = (
    "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, sent_to, question, asker, text,"
    " sent_at, accepted_at, state, outcome, attempt, intent, finished_at) SELECT 'R' || n, 'question',"
    " 'l' || n %% 5000, 'slack', 'T', 'D' || n %% 5000, '', '{}', 'm' || n, 'U' || n %% 5000, '?', at, at, 'done',"
    " 'answered', 1, 1, at FROM (SELECT n, 1.7e9 - n AS at FROM generate_series(1, %s) AS n) AS old",
    "INSERT INTO steps (turn, kind, number, begun_at, done_at, result) SELECT id, step.name, 0, sent_at, sent_at, '[]'"
    " FROM turns, (VALUES ('submit'), ('poll'), ('intent'), ('send')) AS step (name)",
    "INSERT INTO receipts (channel, account, conversation, message, turn, kind, part, at, sent_to)"
    " SELECT 'slack', 'T', conversation, 'a' || id, id, 'answer', 0, sent_at, '{}' FROM turns",
    "ANALYZE",
)


@pytest.mark.timeout(600)
async def test_the_hot_path_with_many_stored_turns(tmp_path: Path) -> None:
    figures = {}
    for stored in (1_000, 1_000_000):
        async with a_cluster(tmp_path / str(stored), 1, delay=0.2, BOT_LIMITS__OPEN_TURNS=OPEN_TURNS) as cluster:
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                for text in FILL:
                    connection.execute(text.encode(), (stored,) if "%s" in text else None)
                size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            await as_fast_as_it_goes(cluster, 10, 3)  # warm
            await cluster.ask(20, 15)
            await cluster.crowd.until(lambda: set(cluster.crowd.asked_at) <= set(cluster.crowd.answers), 60)
            paced = list(cluster.crowd.asked_at)[-300:]
            to_submit = [cluster.api.submitted_at[name] - cluster.crowd.asked_at[name] for name in paced]
            whole = [cluster.crowd.answered_at[name] - cluster.crowd.asked_at[name] for name in paced]
            assert size is not None
            figures[f"{stored:,}"] = {
                "event_to_submit_p50_ms": round(p(to_submit, 0.5) * 1000, 1),
                "answered_p50_ms": round(p(whole, 0.5) * 1000, 1),
                "bytes_a_turn": round(size[0] / stored),
            }
    note("stored turns", figures)
