"""What several processes share: events, conversations, rights, the pace, a 429."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import pytest

from bot.testing.slack import payloads
from bot.testing.slack.delivery import sign
from tests.crash.crowd import SECRET
from tests.processes.house import a_cluster, note

pytestmark = pytest.mark.needs_package("postgresql")


async def deliver(url: str, payload: dict[str, object]) -> int:
    """Deliver an event as Slack does, again as long as the process is not ready for it; return the status."""
    body, stamp = json.dumps(payload).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": sign(SECRET, body, stamp),
    }
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.post(f"{url}slack/events", data=body, headers=headers) as reply:
                if reply.status != 503:
                    return reply.status
            await asyncio.sleep(0.2)


async def test_several_processes_are_one_bot(tmp_path: Path) -> None:
    async with a_cluster(tmp_path, delay=0.5) as cluster:
        urls = [one.url for one in cluster.replicas]
        # The same event at all of them at once is one turn.
        same = [
            payloads.event_callback(payloads.message(f"D{n}", f"U{n}", f"q{n}", payloads.next_ts())) for n in range(10)
        ]
        got = await asyncio.gather(*(deliver(url, payload) for payload in same for url in urls))
        assert set(got) == {200}
        await cluster.crowd.until(lambda: len(cluster.crowd.answers) == len(same), 60)
        assert cluster.rows("SELECT count(*) AS n FROM turns WHERE kind = 'question'")[0]["n"] == len(same)
        assert set(cluster.crowd.answers.values()) == {1}

        # The questions of one conversation, each through another process, are asked in order, one at a time.
        asked = [f"q{1000 + n}" for n in range(9)]
        for n, name in enumerate(asked):
            message = payloads.message("D77", "U77", name, payloads.next_ts())
            assert await deliver(urls[n % 3], payloads.event_callback(message)) == 200
        await cluster.crowd.until(lambda: set(asked) <= set(cluster.crowd.answers), 90)
        assert [name for name in next(o for o in cluster.api.order.values() if "q1000" in o)] == asked

        # A 429 that one process gets holds all of them back.
        begin = time.monotonic()
        cluster.api.limited_until = begin + 6
        held = [f"q{2000 + n}" for n in range(9)]
        for n, name in enumerate(held):
            message = payloads.message(f"D{200 + n}", f"U{200 + n}", name, payloads.next_ts())
            assert await deliver(urls[n % 3], payloads.event_callback(message)) == 200
            await asyncio.sleep(0.3)
        await cluster.crowd.until(lambda: set(held) <= set(cluster.crowd.answers), 60)
        calls = sum(begin < at < cluster.api.limited_until for at in cluster.api.calls)
        workers = cluster.rows("SELECT count(DISTINCT queue_manager_id) AS n FROM pgqueuer")[0]["n"]
        note("429", {"calls while limited": calls, "processes": workers})
        assert calls == 1, "whoever did not get the 429 asked all the same"
        cluster.check()

        # Jobs that are over leave nothing, but for the rights that are held.
        async with asyncio.timeout(20):
            while cluster.rows("SELECT id FROM pgqueuer WHERE entrypoint <> 'lease'"):
                await asyncio.sleep(0.1)
        assert cluster.rows("SELECT count(*) AS n FROM pgqueuer_log")[0]["n"] == 0
