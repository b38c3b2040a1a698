"""One measured run of the core, in a process of its own: fake channel in memory, loopback API, SQLite on disk.

`python -m tests.benchmarks.load KIND FOLDER …` prints one JSON object. KINDS: see the functions below.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.events import Answer
from bot.telemetry.logging import configure
from tests import store_counts
from tests.fakes.adapter import FAKE, FakeAdapter
from tests.fakes.channel import FakeChannel
from tests.house import fake_config
from tests.started import Bot


@asynccontextmanager
async def an_api(delay: float) -> AsyncIterator[str]:
    """Start the loopback API in its own process; yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.loopback_api", str(delay)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield (await asyncio.to_thread(process.stdout.readline)).strip()
    finally:
        process.stdin.close()
        process.stdout.close()
        await asyncio.to_thread(process.wait)


@asynccontextmanager
async def a_bot(folder: Path, delay: float) -> AsyncIterator[tuple[Bot, FakeChannel, str]]:
    """Start a bot on a fresh database."""
    async with an_api(delay) as url:
        channel = FakeChannel(limit=4000)
        config = fake_config(f"{url}/api/v1", folder, BOT_LIMITS__OPEN_TURNS="100000")
        bot = Bot(config, channels=[FAKE], adapters={"fake": FakeAdapter(channel)})
        await bot.start()
        await channel.wait_for(lambda: channel.receiver is not None)
        try:
            yield bot, channel, url
        finally:
            await bot.stop()


async def figures(url: str) -> dict[str, Any]:
    """Ask the API what came."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/figures") as reply:
        found: dict[str, Any] = await reply.json()
    return found


def cpu() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss() -> float:
    """Return the megabytes this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def p(values: list[float], share: float) -> float:
    """Return a percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def paced(folder: Path, per_second: float = 10.0, seconds: float = 20.0) -> dict[str, float]:
    """10 turns/s, 40 sessions, answers after 0.5 s: event → submit, answer ready → posted, told by the API → posted.

    Of ready → posted the mean counts: with answers that all take the same time the schedule of polls, as it learns,
    lies just before or just after it, and the median jumps from 20 to 150 ms with which of the two is had more often.
    """
    started = time.time()
    async with a_bot(folder, 0.5) as (_bot, channel, url):
        started = time.time() - started
        said: dict[str, float] = {}
        acknowledged: list[float] = []
        posted: dict[str, float] = {}
        channel_post = channel.post

        async def post(conversation: Any, part: Any, *args: Any) -> Any:
            posted[part.raw.partition(":")[0]] = time.time()
            return await channel_post(conversation, part, *args)

        channel.post = post  # type: ignore[method-assign,assignment]  # the same call, with a stop-watch
        count = int(per_second * seconds)
        began, used = time.time(), cpu()
        for n in range(count):
            await asyncio.sleep(max(0.0, began + n / per_second - time.time()))
            said[f"q{n}"] = time.time()
            await channel.say(f"q{n}", user_id=f"U{n % 40}")
            acknowledged.append((time.time() - said[f"q{n}"]) * 1000)
        await channel.wait_for(lambda: len(channel.answers()) == count, 60)
        used = cpu() - used
        seen = await figures(url)
        to_submit = [(seen["at"][text] - at) * 1000 for text, at in said.items()]
        lag = [(posted[text] - seen["ready"][text]) * 1000 for text in said]
        ours = [(posted[text] - seen["told"][text]) * 1000 for text in said]
        return {
            "start_seconds": started, "ack_p50_ms": statistics.median(acknowledged),
            "ack_p99_ms": p(acknowledged, 0.99),
            "event_to_submit_p50_ms": statistics.median(to_submit), "event_to_submit_p99_ms": p(to_submit, 0.99),
            "ready_to_posted_mean_ms": statistics.mean(lag), "ready_to_posted_p99_ms": p(lag, 0.99),
            "told_to_posted_p50_ms": statistics.median(ours), "told_to_posted_p99_ms": p(ours, 0.99),
            "cpu_ms_per_turn": used * 1000 / count, "polls_per_answer": seen["polls"] / count,
        }  # fmt: skip


async def counted_turns(folder: Path) -> dict[str, float]:
    """What a turn asks of the store, at a pace at which no two share a commit by chance alone."""
    with store_counts.counted() as counts:
        figures = await paced(folder, 10.0, 8.0)
    return {**counts.per_turn(80), "polls_per_answer": figures["polls_per_answer"]}


async def sustained(folder: Path, turns: int = 3000, sessions: int = 1000, delay: float = 0.2) -> dict[str, float]:
    """As fast as it goes: 1,000 sessions, answers after 0.2 s, as many open as there are sessions."""
    async with a_bot(folder, delay) as (bot, channel, url):
        began, used = time.time(), cpu()
        for n in range(turns):
            while bot.engine.open_questions >= sessions:
                await asyncio.sleep(0.002)
            await channel.say(f"q{n}", user_id=f"U{n % sessions}")
        await channel.wait_for(lambda: len(channel.answers()) == turns, 300)
        wall, used = time.time() - began, cpu() - used
        seen = await figures(url)
        return {
            "turns_per_second": turns / wall, "cpu_ms_per_turn": used * 1000 / turns,
            "polls_per_answer": seen["polls"] / turns, "submits": seen["submits"], "rss_mb": rss(),
        }  # fmt: skip


async def traced(folder: Path, turns: int = 3000, sessions: int = 1000, delay: float = 0.2) -> dict[str, float]:
    """`sustained`, with every turn traced; the collector is a process of its own."""
    with a_collector() as url:
        os.environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        return await sustained(folder, turns, sessions, delay)


@contextmanager
def a_collector() -> Iterator[str]:
    """Start a collector that takes everything and reads nothing; yield its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.collector"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process:
        yield process.stdout.readline().strip()
        figures = process.communicate("end\n")[0]
    assert int(figures) > 0, "nothing was traced"


async def bare(_folder: Path, turns: int = 3000, sessions: int = 1000, delay: float = 0.2) -> dict[str, float]:
    """The same turn without durability: submit, poll, render, post; nothing is stored."""
    channel, asked = FakeChannel(limit=4000), asyncio.Semaphore(sessions)
    adapter = FakeAdapter(channel)
    async with an_api(delay) as url:
        client = ApiClient(
            base_url=f"{url}/api/v1", api_key=SecretStr("demo"), tenant_id="demo", site_id="demo", gate=Gate()
        )

        async def turn(n: int) -> None:
            async with asked:
                message = channel.message(f"q{n}", user_id=f"U{n % sessions}")
                taken = await client.submit(f"s{n % sessions}", message.text)
                answer, wait = None, delay * 0.95
                while answer is None:
                    await asyncio.sleep(wait)
                    answer, wait = (await client.status(taken.request_id)).answer, 0.25
                for part in adapter.render(Answer(text=answer, asker_id=message.user_id)):
                    await adapter.send(message.conversation, part, f"{n:032x}", message.ref)

        began, used = time.time(), cpu()
        await asyncio.gather(*(turn(n) for n in range(turns)))
        wall, used = time.time() - began, cpu() - used
        await client.aclose()
    return {"turns_per_second": turns / wall, "cpu_ms_per_turn": used * 1000 / turns}


async def waiting(folder: Path, turns: int = 5000) -> dict[str, float]:
    """5,000 turns in flight, none of them ready; then idle with nothing to do, on the same database."""
    async with a_bot(folder, 3600.0) as (bot, channel, url):
        before = rss()
        for n in range(turns):
            await channel.say(f"q{n}", user_id=f"U{n}")
        async with asyncio.timeout(200):
            while (await figures(url))["submits"] < turns:
                await asyncio.sleep(0.5)
        used, polls, began = cpu(), (await figures(url))["polls"], time.time()
        await asyncio.sleep(10)
        span = time.time() - began
        return {
            "in_flight": bot.engine.open_questions, "rss_before_mb": before, "rss_mb": rss(),
            "cpu_percent": (cpu() - used) * 100 / span,
            "polls_per_second": ((await figures(url))["polls"] - polls) / span,
        }  # fmt: skip


async def idle(folder: Path, seconds: float = 20.0) -> dict[str, float]:
    """Nothing to do."""
    async with a_bot(folder, 0.2) as (_bot, _channel, _url):
        await asyncio.sleep(2)
        used, began = cpu(), time.time()
        await asyncio.sleep(seconds)
        return {"idle_cpu_percent": (cpu() - used) * 100 / (time.time() - began), "rss_mb": rss()}


KINDS: dict[str, Callable[[Path], Coroutine[Any, Any, dict[str, float]]]] = {
    "paced": paced,
    "counted": counted_turns,
    "sustained": sustained,
    "traced": traced,
    "bare": bare,
    "waiting": waiting,
    "idle": idle,
}

if __name__ == "__main__":
    configure(level="error", style="json")
    print(json.dumps(asyncio.run(KINDS[sys.argv[1]](Path(sys.argv[2])))))
