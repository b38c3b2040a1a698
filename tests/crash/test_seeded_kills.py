"""kill -9 at seeded moments under load: nothing lost, nothing doubled; SIGTERM, SIGSTOP, and a dead API."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bot.testing.slack.payloads import BOT_USER
from tests.crash.process import Machine, a_machine

RecordProperty = Callable[[str, object], None]
MARK = re.compile(r"answer to (q\d+-\d+)")


def answers(machine: Machine) -> Counter[str]:
    """Count the answers people see, by question."""
    return Counter(mark for post in machine.slack.answers() for mark in MARK.findall(str(post["blocks"])))


async def ask(machine: Machine, name: str, chance: random.Random) -> None:
    """Let somebody ask in a thread of their own, or in a DM."""
    machine.assistant.script(contains=name, answer=f"answer to {name}", delay=chance.choice((0.05, 0.2, 0.6)))
    if chance.random() < 0.5:
        await machine.slack.say(f"U{chance.randint(1, 3)}", f"C{chance.randint(1, 2)}", f"<@{BOT_USER}> {name}")
    else:
        number = chance.randint(1, 3)
        await machine.slack.say(f"U{number}", f"D{number}", name)


def _more_than(machine: Machine, posts: int) -> bool:
    return len(machine.slack.posts) > posts


def _all_answered(machine: Machine, asked: list[str]) -> bool:
    return set(answers(machine)) >= set(asked)


async def seeded(folder: Path, seed: int, kills: int, questions: int) -> dict[str, float]:
    """Ask in bursts and kill in the middle of each; return the figures."""
    chance = random.Random(seed)
    asked: list[str] = []
    first_posts: list[float] = []
    async with a_machine(folder) as machine:
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 1)
        for n in range(kills):
            names = [f"q{n}-{k}" for k in range(questions)]
            asked += names
            for name in names:
                await ask(machine, name, chance)
                await asyncio.sleep(chance.random() * 0.05)
            await asyncio.sleep(chance.random() * 1.2)
            await machine.kill()
            posts, waiting = len(machine.slack.posts), sum(answers(machine).values()) < len(asked)
            began = time.monotonic()
            await machine.boot()
            if waiting:
                await machine.slack.until(partial(_more_than, machine, posts), 60)
                first_posts.append(time.monotonic() - began)
            if n % 10 == 9:
                await machine.slack.until(partial(_all_answered, machine, asked), 120)
        await machine.slack.until(lambda: set(answers(machine)) >= set(asked), 120)
        await asyncio.sleep(1.0)
        seen, submits = answers(machine), machine.asked()
        return {
            "kills": kills,
            "questions": len(asked),
            "lost": len(set(asked) - set(seen)),
            "doubled": sum(count - 1 for count in seen.values()),
            "asked_more_than_twice": sum(count > 2 for count in submits.values()),
            "asked_twice": sum(count == 2 for count in submits.values()),
            "violations": len(machine.slack.violations),
            "restart_to_first_post_p50": sorted(first_posts)[len(first_posts) // 2] if first_posts else 0.0,
        }


def judge(figures: dict[str, float], record: RecordProperty) -> None:
    record("kills", figures)
    assert figures["lost"] == figures["doubled"] == figures["asked_more_than_twice"] == figures["violations"] == 0


async def test_seeded_kills_lose_and_double_nothing(tmp_path: Path, record_property: RecordProperty) -> None:
    judge(await seeded(tmp_path, seed=1, kills=3, questions=6), record_property)


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
async def test_two_hundred_seeded_kills(seed: int, tmp_path: Path, record_property: RecordProperty) -> None:
    judge(await seeded(tmp_path, seed=100 + seed, kills=20, questions=8), record_property)


async def test_sigterm_stores_and_exits_with_0_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with a_machine(tmp_path, delay=1.5) as machine:
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "D1", "When does the shop open?")
        await machine.assistant.requests.wait("chat_async", 1)
        began = time.monotonic()
        assert await machine.kill(signal.SIGTERM) == 0
        assert time.monotonic() - began < 10
        assert machine.slack.answers() == []
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.answers(), 30)
        assert machine.asked() == {"When does the shop open?": 1}


async def test_a_frozen_process_goes_on_where_it_was(tmp_path: Path) -> None:
    async with a_machine(tmp_path, delay=1.0) as machine:
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "D1", "When does the shop open?")
        await machine.assistant.requests.wait("chat_async", 1)
        assert machine.process is not None
        machine.process.send_signal(signal.SIGSTOP)
        await machine.slack.say("U2", "D2", "How long do I have to return a bicycle?")
        await asyncio.sleep(3.0)
        machine.process.send_signal(signal.SIGCONT)
        await machine.slack.until(lambda: len(machine.slack.answers()) == 2, 60)
        await asyncio.sleep(1.0)
        assert len(machine.slack.answers()) == 2
        assert set(machine.asked().values()) == {1}


async def api_down(folder: Path, seconds: float, questions: int) -> dict[str, float]:
    """Let the API be down while people ask; return the figures."""
    async with a_machine(folder, BOT_HTTP_PORT="0") as machine:
        rate: list[float] = []

        async def refuse(_method: str, _path: str) -> None:
            from tests.crash.tap import Cut

            rate.append(time.monotonic())
            if down.is_set():
                raise Cut

        async def no_connection() -> None:
            runner = machine.api_tap._runner
            assert runner is not None
            await asyncio.gather(*(site.stop() for site in list(runner.sites)))
            assert runner.server is not None
            await runner.server.shutdown(0)  # connections from before, too

        down = asyncio.Event()
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        port = int(machine.api_tap.url.rsplit(":", 1)[1])
        await no_connection()
        chance = random.Random(7)
        names = [f"q0-{n:04}" for n in range(questions)]
        for name in names:
            await ask(machine, name, chance)
            await asyncio.sleep(seconds / questions / 2)
        await machine.slack.until(lambda: len(machine.slack.made("reactions.add")) >= questions, 60)
        await asyncio.sleep(seconds / 2)
        ready, checks = await machine.ready()
        machine.api_tap.before = refuse
        from aiohttp import web

        assert machine.api_tap._runner is not None
        await web.TCPSite(machine.api_tap._runner, "127.0.0.1", port, reuse_address=True).start()
        began = time.monotonic()
        await machine.slack.until(lambda: set(answers(machine)) >= set(names), 300)
        took = time.monotonic() - began
        await asyncio.sleep(1.0)
        orders = [
            [mark for post in machine.slack.answers(f"D{n}") for mark in MARK.findall(str(post["blocks"]))]
            for n in (1, 2, 3)
        ]
        return {
            "questions": questions,
            "lost": len(set(names) - set(answers(machine))),
            "doubled": sum(count - 1 for count in answers(machine).values()),
            "asked_twice": sum(count > 1 for count in machine.asked().values()),
            "out_of_order": sum(order != sorted(order, key=names.index) for order in orders),
            "readyz": ready,
            "degraded": float(checks["api"] == "degraded"),
            "seconds_to_recover": took,
            "requests_per_second_after": len(rate) / max(took, 0.001),
        }


def judge_outage(figures: dict[str, float]) -> None:
    print("\nAPI down:", " · ".join(f"{name} {value:g}" for name, value in figures.items()))
    assert figures["lost"] == figures["doubled"] == figures["asked_twice"] == figures["out_of_order"] == 0
    assert figures["readyz"] == 200
    assert figures["degraded"] == 1


async def test_an_outage_of_the_api_is_waited_for(tmp_path: Path) -> None:
    judge_outage(await api_down(tmp_path, seconds=6, questions=20))


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_a_minute_without_the_api_and_two_hundred_questions(tmp_path: Path) -> None:
    judge_outage(await api_down(tmp_path, seconds=60, questions=200))
