"""How fast an event is acknowledged, with the real core and SQLite on disk; `make bench`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.fakes import slack_payloads as payloads
from tests.slack_house import slack_house

EVENTS = 500
PER_SECOND = 50
LIMIT_MS = 50.0


@pytest.mark.bench
@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_acknowledgement_at_fifty_events_a_second(tmp_path: Path, transport: str) -> None:
    """Every event is a question, so that each is stored. The answers are slow: what is measured is accepting."""
    async with slack_house(tmp_path, socket_mode=transport == "socket", delay=30.0) as house:
        took: list[float] = []

        async def deliver(number: int) -> None:
            user = f"U{number}"
            event = payloads.message(f"D{number}", user, f"question {number}", payloads.next_ts())
            payload = payloads.event_callback(event)
            began = time.perf_counter()
            assert await house.slack.delivery.deliver(payload, "events_api")
            took.append((time.perf_counter() - began) * 1000)

        loop = asyncio.get_running_loop()
        start, tasks = loop.time(), []
        for number in range(EVENTS):
            await asyncio.sleep(max(0.0, start + number / PER_SECOND - loop.time()))
            tasks.append(asyncio.create_task(deliver(number)))
        await asyncio.gather(*tasks)
        took.sort()
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99) - 1]
        print(f"acknowledgement over {transport}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {took[-1]:.1f} ms")
        assert p99 < LIMIT_MS
