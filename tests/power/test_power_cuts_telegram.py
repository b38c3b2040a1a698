"""The power fails while Telegram delivers: every question it was told to forget is answered.

Twice only where a send was cut, for Telegram cannot be asked what became of it; each of those is counted.
"""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from bot.assistant.server import AssistantOptions, start
from bot.testing.telegram.platform import FakeTelegram, person
from tests.crash.process import RUN, start_bot
from tests.power.disk import Disk
from tests.power.outage import IDLE, MOMENTS

pytestmark = [
    pytest.mark.needs_package("gcc", "libc6-dev"),
    pytest.mark.skipif(sys.platform != "linux", reason="the shim is preloaded as Linux does it"),
]

ALL_MOMENTS = 77
"""A seed whose three cuts come at each moment once, and keep each kind of what was not synced once."""


class Outages:
    """A bot on a disk that loses its power, at a loopback Telegram that is polled."""

    def __init__(self, telegram: FakeTelegram, folder: Path, api: str, seed: int, bug: str) -> None:
        self.telegram = telegram
        self.folder = folder
        self.seed = seed
        self.disk = Disk(folder)
        self.figures: Counter[str] = Counter()
        self._program = ("-m", "tests.power.bugs", bug) if bug else RUN
        self._path = self.disk.root / "data" / "bot.db"
        self._settings = {
            "UPPZY_BASE_URL": api,
            "BOT_DATABASE_URL": f"sqlite:///{self._path}",
            **telegram.environment(),
            **self.disk.environment,
        }
        self._asked: set[tuple[int, int]] = set()

    async def ask(self) -> None:
        """Let somebody ask in their private chat."""
        number = len(self._asked)
        who = person(100 + number, f"P{number}")
        message = await self.telegram.world.say(self.telegram.world.private(who), who, f"question {number}")
        self._asked.add((message["chat"]["id"], message["message_id"]))

    def answers(self) -> Counter[tuple[int, int]]:
        """Count the answers people see, by question."""
        return Counter(
            (message["chat"]["id"], message["reply_to_message"]["message_id"])
            for message in self.telegram.world.by_bot()
            if message["text"].startswith("An answer.")  # a possible second copy says so
        )

    async def boot(self) -> asyncio.subprocess.Process:
        """Start the bot."""
        return await start_bot(self.folder, self._program, sys.executable, **self._settings)

    async def one(self, cut: int) -> None:
        """Start, load, cut."""
        chance = random.Random(f"{self.seed} cut {cut}")
        moment = chance.choice(list(MOMENTS))
        operations, pause = chance.randint(0, MOMENTS[moment]), chance.random() * 0.5
        if moment == "start":
            self.disk.cut_after(operations)
        process = await self.boot()
        polls = len(self.telegram.called("getUpdates"))
        while len(self.telegram.called("getUpdates")) == polls and process.returncode is None:
            await asyncio.sleep(0.02)
        if process.returncode is None:
            for _ in range(6):
                await self.ask()
            if moment == "acknowledged":
                left = chance.randint(0, 5)
                while len(self.telegram.updates.pending) > left:
                    await asyncio.sleep(0.001)
            elif moment == "load":
                await asyncio.sleep(pause)
            if moment != "start":
                self.disk.cut_after(operations)
            while process.returncode is None:  # the load goes on until the cut has come
                await self.ask()
                await asyncio.sleep(0.05)
        assert await process.wait() == -signal.SIGKILL, (self.folder / "bot.log").read_text()[-3000:]
        self.figures["cuts"] += 1
        self.figures[f"cut: {moment}"] += 1
        self.figures[f"kept: {self.disk.cut(chance)}"] += 1

    async def run(self, cuts: int) -> None:
        """Cut so often, then let everything come to its end and count."""
        began = time.monotonic()
        for cut in range(cuts):
            await self.one(cut)
        self._program = RUN  # without its bug: what is missing from now on was lost at the cut
        process = await self.boot()
        try:
            await self._end()
        finally:
            process.kill()
            await process.wait()
        answers = self.answers()
        with closing(sqlite3.connect(self._path)) as db:
            (unknown,) = db.execute("SELECT coalesce(sum(unknowns), 0) FROM steps WHERE kind='send'").fetchone()
        twice = sum(answers.values()) - len(answers)
        self.figures.update(questions=len(self._asked), lost=len(self._asked - set(answers)), twice=twice)
        self.figures.update({"sends unknown": unknown, "seconds": round(time.monotonic() - began)})
        self.figures.update(self.disk.counts)
        print("\npower cuts, Telegram:", " · ".join(f"{name} {number}" for name, number in self.figures.items()))

    async def _end(self) -> None:
        """Wait until nothing is left at Telegram and nothing is open in the bot."""
        log, before = self.folder / "bot.log", len(self.telegram.called("getUpdates"))
        async with asyncio.timeout(300), aiohttp.ClientSession() as session:
            while len(self.telegram.called("getUpdates")) < before + 2:
                await asyncio.sleep(0.1)
            url = re.findall(r'"(http://127\.0\.0\.1:\d+/)"', log.read_text())[-1]
            idle = 0
            while idle < 2:
                await asyncio.sleep(0.1)
                async with session.get(f"{url}metrics") as reply:
                    quiet = not self.telegram.updates.pending and IDLE.search(await reply.text())
                    idle = idle + 1 if quiet else 0


async def outages(folder: Path, seed: int, *, cuts: int, bug: str = "") -> Counter[str]:
    """Run one seed, with a deliberate bug of `bugs.py` if one is named."""
    assistant = await start(AssistantOptions(port=0, delay=0.1))
    assistant.script(contains="question", answer="An answer.")
    try:
        async with FakeTelegram() as telegram:
            telegram.updates.longest_poll = 0.3
            machine = Outages(telegram, folder, assistant.base_url, seed, bug)
            await machine.run(cuts)
            return machine.figures
    finally:
        await assistant.close()


def judge(figures: Counter[str], cuts: int) -> None:
    assert figures["cuts"] == cuts
    assert figures["lost"] == 0
    assert figures["twice"] <= figures["sends unknown"], "twice without a count"


@pytest.mark.timeout(600)
async def test_power_cuts_lose_nothing(tmp_path: Path) -> None:
    judge(await outages(tmp_path, ALL_MOMENTS, cuts=3), 3)


@pytest.mark.timeout(600)
async def test_an_early_confirmation_is_found(tmp_path: Path) -> None:
    """By the seed that finds it at Slack; the other deliberate bugs are of the disk alone, and no channel's."""
    assert (await outages(tmp_path, 1, cuts=1, bug="told before the commit"))["lost"] > 0


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(4))
async def test_forty_power_cuts(seed: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    figures = await outages(tmp_path, seed, cuts=10)
    record_property("power cuts, Telegram", dict(figures))
    judge(figures, 10)
