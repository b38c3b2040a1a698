"""How fast an event is acknowledged, by the bot as a process of its own with SQLite on disk; `make bench`."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from bot.testing.slack import payloads
from bot.testing.slack.platform import FakeSlack
from tests.cli.process import Running
from tests.slack_house import slack_environment

EVENTS = 500
PER_SECOND = 50
LIMIT_MS = 50.0


@pytest.mark.bench
@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_acknowledgement_at_fifty_events_a_second(tmp_path: Path, transport: str) -> None:
    """Every event is a question, so that each is stored. The answers are slow: what is measured is accepting.

    The assistant is a process of its own too: its work would hold up the clock of whoever measures.
    """
    assistant = Running("assistant", "serve", "--port", "0", "--delay", "60", cwd=tmp_path)
    base_url = await asyncio.to_thread(assistant.first_line)
    async with FakeSlack() as slack:
        port = _free_port()
        tokens = slack_environment(slack, base_url, tmp_path, socket_mode=transport == "socket")
        bot = Running("run", cwd=tmp_path, **{**tokens, "BOT_HTTP_PORT": str(port)})
        try:
            if transport == "http":
                slack.events_url = f"http://127.0.0.1:{port}/slack/events"
                await slack.until(lambda: slack.made("auth.test"), timeout=60)
            else:
                await slack.until(lambda: slack.sockets.count == 2, timeout=60)
            while not await slack.delivery.deliver(payloads.event_callback({"type": "warm_up"}), "events_api"):
                await asyncio.sleep(0.1)
            took = await _deliver(slack)
        finally:
            await asyncio.to_thread(bot.stop)
            await asyncio.to_thread(assistant.stop)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99) - 1]
    print(f"acknowledgement over {transport}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {took[-1]:.1f} ms")
    assert p99 < LIMIT_MS


async def _deliver(slack: FakeSlack) -> list[float]:
    """Deliver at the rate; return how long each took until it was acknowledged, in milliseconds, sorted."""
    took: list[float] = []

    async def deliver(number: int) -> None:
        event = payloads.message(f"D{number}", f"U{number}", f"question {number}", payloads.next_ts())
        began = time.perf_counter()
        assert await slack.delivery.deliver(payloads.event_callback(event), "events_api")
        took.append((time.perf_counter() - began) * 1000)

    loop = asyncio.get_running_loop()
    start, tasks = loop.time(), []
    for number in range(EVENTS):
        await asyncio.sleep(max(0.0, start + number / PER_SECOND - loop.time()))
        tasks.append(asyncio.create_task(deliver(number)))
    await asyncio.gather(*tasks)
    return sorted(took)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
