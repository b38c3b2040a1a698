"""More questions than can be answered: what cannot be stored comes again, nothing is lost, nobody is pestered.

The bot is a real process with its database on disk, behind Slack's Events API over HTTP and before the cheapest API.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bot import notices
from tests.benchmarks.load import an_api, figures, p
from tests.crash.crowd import SECRET, TOKEN, Crowd
from tests.crash.process import start_bot

IDLE = re.compile(r"^\w*turns_in_flight 0(\.0)?$", re.M)
TOLD = notices.too_many(7).split("7")[0]


@dataclass
class Watch:
    """What an operator sees meanwhile: the process's memory in MB, and the word of /readyz."""

    memory: list[float] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    ready_seconds: list[float] = field(default_factory=list)


@dataclass
class Scene:
    """A bot under load."""

    crowd: Crowd
    watch: Watch
    api_url: str
    bot_url: str


@asynccontextmanager
async def a_scene(folder: Path, crowd: Crowd, delay: float, **settings: str) -> AsyncIterator[Scene]:
    """Start the API, the crowd's Slack and the bot, and watch it."""
    async with an_api(delay) as api_url, crowd:
        process = await start_bot(
            folder,
            UPPZY_BASE_URL=f"{api_url}/api/v1",
            SLACK_BOT_TOKEN=TOKEN,
            SLACK_SIGNING_SECRET=SECRET,
            SLACK_API_URL=crowd.api_url,
            **settings,
        )
        try:
            url = await _address(folder)
            crowd.events_url = f"{url}slack/events"
            scene = Scene(crowd, Watch(), api_url, url)
            watching = asyncio.create_task(_watch(scene.watch, url, process.pid))
            try:
                yield scene
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        finally:
            if process.returncode is None:
                process.terminate()
            assert await process.wait() == 0


async def _address(folder: Path) -> str:
    async with asyncio.timeout(60):
        while not (found := re.findall(r'"(http://127\.0\.0\.1:\d+/)"', (folder / "bot.log").read_text())):
            await asyncio.sleep(0.05)
    return str(found[-1])


async def _watch(watch: Watch, url: str, pid: int) -> None:
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    async with aiohttp.ClientSession() as session:
        while True:
            watch.memory.append(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page)
            began = time.monotonic()
            async with session.get(f"{url}readyz") as reply:
                watch.ready.append(reply.status)
            watch.ready_seconds.append(time.monotonic() - began)
            await asyncio.sleep(0.5)


async def sustained(crowd: Crowd, people: int, seconds: float) -> float:
    """Let everybody ask again as soon as they are answered; return the answers per second."""
    end, count = time.monotonic() + seconds, 0

    async def one(person: int) -> None:
        nonlocal count
        number = 0
        while time.monotonic() < end:
            name = f"q9{person:05}{number:04}"
            crowd.ask(person + 1000 * (number // 8), name)  # as somebody else before the limit is reached
            await crowd.answer(name, 60)
            count, number = count + (time.monotonic() < end), number + 1

    await asyncio.gather(*(one(100_000 + n) for n in range(people)))
    return count / seconds


async def flood(crowd: Crowd, chance: random.Random, *, rate: float, seconds: float, people: int, talkers: int) -> int:
    """Ask at this rate, whatever comes of it; a tenth of it by a few talkers. Return how many questions that were."""
    began, number = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        while number < passed * rate:
            talks = chance.random() < 0.1
            crowd.ask(chance.randrange(talkers) if talks else 1000 + chance.randrange(people), f"q{number}")
            number += 1
        await asyncio.sleep(0.005)
    return number


def people_told(crowd: Crowd) -> dict[str, list[float]]:
    """Say where people were told that it is too much, and when."""
    told = {place: [at for at, text in seen if text.startswith(TOLD)] for place, seen in crowd.notices.items()}
    return {place: times for place, times in told.items() if times}


def outcome(scene: Scene, asked: list[str]) -> dict[str, float]:
    """Count what became of the questions, and what was seen meanwhile."""
    crowd, watch = scene.crowd, scene.watch
    told = people_told(crowd)
    waited = sorted(crowd.answered_at[name] - crowd.asked_at[name] for name in asked if name in crowd.answered_at)
    silent = sorted(crowd.signs[name] - crowd.taken_at[name] for name in asked if name in crowd.answers)
    statuses = [status for status, _ in crowd.replies]
    taken = [seconds for status, seconds in crowd.replies if status == 200]
    return {
        "asked": len(asked),
        "answered": sum(name in crowd.answers for name in asked),
        "doubled": sum(count > 1 for count in crowd.answers.values()),
        "refused_with_503": statuses.count(503),
        "timed_out": statuses.count(0),
        "otherwise": sum(status not in (200, 503, 0) for status in statuses),
        "redelivered": crowd.again,
        "ack_p50_ms": p(taken, 0.5) * 1000,
        "ack_p99_ms": p(taken, 0.99) * 1000,
        "reply_p99_ms": p([seconds for _, seconds in crowd.replies], 0.99) * 1000,
        "answer_p50_s": p(waited, 0.5),
        "silent_p50_s": p(silent, 0.5),
        "silent_p99_s": p(silent, 0.99),
        "people_told": len(told),
        "told": sum(map(len, told.values())),
        "most_told": max(map(len, told.values()), default=0),
        "memory_mb": max(watch.memory),
        "memory_first_mb": watch.memory[0],
        "not_ready": sum(status != 200 for status in watch.ready),
        "readyz_p99_ms": p(watch.ready_seconds, 0.99) * 1000,
    }


async def settle(scene: Scene, timeout: float) -> None:
    """Wait until everything is acknowledged and no turn is open, as the bot's own metric says."""
    async with asyncio.timeout(timeout), aiohttp.ClientSession() as session:
        while True:
            if not scene.crowd.delivering:
                async with session.get(f"{scene.bot_url}metrics") as reply:
                    if IDLE.search(await reply.text()):
                        return
            await asyncio.sleep(0.2)


def show(name: str, found: dict[str, float]) -> None:
    print(f"\n{name}:", " · ".join(f"{key} {value:,.5g}" for key, value in found.items()))


async def judge(scene: Scene, asked: list[str], found: dict[str, float]) -> None:
    """Judge by counts alone: what was asked was answered once, or belongs to a person over the limit, who was told."""
    crowd, seen = scene.crowd, await figures(scene.api_url)
    submitted = set(seen["at"])
    assert len(submitted) == seen["submits"], "a question was asked twice"
    assert found["doubled"] == found["otherwise"] == found["not_ready"] == 0
    assert {name for name in asked if name in submitted} == {name for name in asked if name in crowd.answers}
    assert found["refused_with_503"] > 0, "the load was no overload"
    assert found["people_told"] > 0


async def test_more_than_can_be_taken_comes_again_and_is_answered(tmp_path: Path) -> None:
    """The short form: 30 open questions are the limit, and 150 come at once."""
    crowd = Crowd(waits=(0.2, 0.5))
    limits = {"BOT_LIMITS__OPEN_TURNS": "30", "BOT_LIMITS__PER_PERSON_PER_MINUTE": "4"}
    async with a_scene(tmp_path, crowd, 0.3, **limits) as scene:
        began = time.monotonic()
        people = [*(1000 + n for n in range(120)), *(n % 2 for n in range(30))]
        for number, person in enumerate(people):
            crowd.ask(person, f"q{number}")
        asked = [f"q{n}" for n in range(len(people))]
        await crowd.until(lambda: sum(name in crowd.answers for name in asked[:120]) == 120, 90)
        await settle(scene, 90)
        await crowd.until(lambda: len(people_told(crowd)) == 2, 30)  # notices wait behind answers
        found = outcome(scene, asked)
        show("overload, short", found)
        await judge(scene, asked, found)
        minutes = (time.monotonic() - began) // 60 + 1
        assert found["people_told"] == 2
        assert found["most_told"] <= minutes
        assert found["answered"] <= 120 + 2 * 4 * minutes


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(1800)
async def test_three_times_the_sustained_load_for_a_minute(tmp_path: Path) -> None:
    crowd, chance = Crowd(), random.Random(5)
    limits = {"BOT_LIMITS__OPEN_TURNS": "2000", "BOT_LIMITS__PER_PERSON_PER_MINUTE": "10"}
    async with a_scene(tmp_path, crowd, 0.5, **limits) as scene:
        calm = await sustained(crowd, people=150, seconds=15)
        crowd.replies.clear()
        began = time.monotonic()
        number = await flood(crowd, chance, rate=3 * calm, seconds=60, people=3000, talkers=10)
        asked = [f"q{n}" for n in range(number)]
        await settle(scene, 1200)
        found = {"sustained_per_second": calm, **outcome(scene, asked)}
        show("overload", found)
        await judge(scene, asked, found)
        assert found["most_told"] <= (time.monotonic() - began) / 60 + 1, "somebody was told twice in a minute"
        assert found["ack_p99_ms"] < 1000
        assert found["memory_mb"] < 500
