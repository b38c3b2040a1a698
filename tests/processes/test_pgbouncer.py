"""Behind PgBouncer, which lends a server's connection for one transaction: all but what needs a session of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes.house import a_cluster, note

pytestmark = pytest.mark.needs_package("postgresql", "pgbouncer")

CONNECTIONS = 2
"""Fewer than the writers and readers of two processes: they take turns, so nothing may stay in a session."""
OF_A_QUEUE = 2
"""Connections that each process has past the pooler: one listens, one holds what says that a bot runs here."""


async def test_the_promises_hold_and_only_what_listens_goes_past_it(tmp_path: Path) -> None:
    async with a_cluster(tmp_path, 2, delay=0.3, pooled=CONNECTIONS) as cluster:
        pooler = cluster.pooler
        assert pooler is not None
        await cluster.ask(10, 3)
        await cluster.settle(60)
        ports = {one["local_port"] for one in pooler.show("SERVERS")}
        ours = cluster.rows(
            "SELECT client_port, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
        past = [one for one in ours if one["client_port"] not in ports]
        assert len(past) == 2 * OF_A_QUEUE, past
        assert sum("LISTEN" in one["query"] for one in past) == 2
        assert 0 < len(ours) - len(past) <= CONNECTIONS

        pooler.stop()  # and everything that goes through it
        await cluster.ask(5, 2)
        pooler.start()
        await cluster.ask(10, 3)
        await cluster.settle(90)
        figures = cluster.check()
        note("behind PgBouncer", figures)
        assert figures["asked"] == 70
        said = "".join(one.log() for one in cluster.replicas)
        assert "prepared statement" not in said
        assert "engine.swept" not in said
