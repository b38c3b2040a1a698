"""How long people wait after a kill: from the start of the new process to its first post."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import pytest

from tests.crash.process import Machine, a_machine

RESTARTS = 9


async def restarted(machine: Machine, number: int) -> tuple[float, float]:
    """Kill while the API has the question; return the seconds to the first call and to the first post."""
    submits = len(machine.assistant.requests.of("chat_async"))
    await machine.slack.say("U1", "D1", f"When does the shop open? ({number})")
    await machine.assistant.requests.wait("chat_async", submits + 1)
    await asyncio.sleep(0.1)
    await machine.kill()
    await asyncio.sleep(0.7)  # the answer is ready: what is measured is the bot
    calls, posts = len(machine.slack.calls), len(machine.slack.posts)
    began = time.monotonic()
    await machine.boot()
    await machine.slack.until(lambda: len(machine.slack.calls) > calls, 60)
    first_call = time.monotonic() - began
    await machine.slack.until(lambda: len(machine.slack.posts) > posts, 60)
    first_post = time.monotonic() - began
    await machine.slack.until(lambda: machine.slack.sockets.count >= 2, 60)
    return first_call, first_post


@pytest.mark.bench
@pytest.mark.timeout(600)
async def test_restart_to_the_first_post(tmp_path: Path) -> None:
    """No send waits that nobody knows the outcome of: those are looked up after five seconds first."""
    async with a_machine(tmp_path, delay=0.5) as machine:
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2, 60)
        found = [await restarted(machine, number) for number in range(RESTARTS)]
    calls, posts = zip(*found, strict=True)
    print(
        f"\nrestart: first call after {statistics.median(calls):.2f} s, first post after "
        f"{statistics.median(posts):.2f} s (p50 of {RESTARTS}), {max(posts):.2f} s at worst"
    )
    assert statistics.median(posts) < 2.0
