"""A bot whose machine loses its power again and again, between a loopback Slack and the embedded assistant."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.testing.slack.payloads import BOT_USER
from tests.crash.process import RUN, Machine, a_machine
from tests.power.disk import Disk

MARK = re.compile(r"answer to (q\d+)\b")
IDLE = re.compile(r"^\w*turns_in_flight 0(\.0)?$", re.M)
MOMENTS = {"start": 45, "acknowledged": 3, "load": 60}
"""When a cut comes: while the bot starts (the first time it makes its database), as soon as an event is acknowledged,
under load; and the most operations of the disk before it. A commit is about twelve."""


@dataclass
class Figures:
    """What became of the questions. `refused`: the bot did not start again on what was left of its database.

    `told`: two cuts have fallen into the asking of a question, so nobody could tell twice whether it was asked, and the
    asker was told that there is no answer. That is the promise; an answer or a notice that is missing is `lost`.
    """

    cuts: int = 0
    asked: int = 0
    unanswered_at_cuts: int = 0
    events_acknowledged: int = 0
    given_up: int = 0
    told: int = 0
    lost: int = 0
    doubled: int = 0
    asked_more_than_twice: int = 0
    violations: int = 0
    refused: int = 0
    seconds: float = 0.0
    seen: Counter[str] = field(default_factory=Counter)
    disk: dict[str, int] = field(default_factory=dict)

    @property
    def broken(self) -> int:
        """How many promises were broken."""
        return self.given_up + self.lost + self.doubled + self.asked_more_than_twice + self.violations + self.refused

    def counts(self) -> dict[str, float]:
        """All of it as numbers by name."""
        own = {name: value for name, value in vars(self).items() if isinstance(value, int | float)}
        return {**own, **self.seen, **self.disk}


class Outages:
    """One machine and its disk; `figures` after the last cut."""

    def __init__(self, machine: Machine, disk: Disk, seed: int) -> None:
        self.machine = machine
        self.disk = disk
        self.seed = seed
        self._chance = random.Random(seed)
        self.figures = Figures()
        self._asked: list[str] = []

    def answers(self) -> Counter[str]:
        """Count the answers people see, by question."""
        return Counter(mark for post in self.machine.slack.answers() for mark in MARK.findall(str(post["blocks"])))

    async def ask(self) -> None:
        """Let somebody ask in a thread of their own, or in a DM."""
        name = f"q{len(self._asked)}"
        self._asked.append(name)
        delay = self._chance.choice((0.02, 0.1, 0.4))
        self.machine.assistant.script(contains=f"{name}.", answer=f"answer to {name}", delay=delay)
        person = self._chance.randint(1, 3)
        if self._chance.random() < 0.5:
            place = f"C{self._chance.randint(1, 2)}"
            await self.machine.slack.say(f"U{person}", place, f"<@{BOT_USER}> {name}.")
        else:
            await self.machine.slack.say(f"U{person}", f"D{person}", f"{name}.")

    async def receiving(self) -> bool:
        """Wait until the bot receives; False when it has ended, or never will."""
        process = self.machine.process
        assert process is not None
        await self.machine.slack.until(lambda: self.machine.slack.sockets.count or process.returncode is not None, 300)
        return process.returncode is None

    async def one(self, cut: int, questions: int) -> bool:
        """Start, load, cut. False when the bot did not start on what was there."""
        chance = random.Random(f"{self.seed} cut {cut}")  # of the cut alone: how busy the load is changes nothing
        moment = chance.choice(list(MOMENTS))
        operations, pause = chance.randint(0, MOMENTS[moment]), chance.random() * 0.5
        if moment == "start":
            self.disk.cut_after(operations)
        await self.machine.boot()
        process = self.machine.process
        assert process is not None
        if await self.receiving():
            taken = self.machine.slack.counts["acknowledged"]
            for _ in range(questions):
                await self.ask()
                await asyncio.sleep(self._chance.random() * 0.05 if moment == "load" else 0)
            if moment == "acknowledged":
                await self._acknowledged(taken + chance.randint(1, questions))
            elif moment == "load":
                await asyncio.sleep(pause)
            if moment != "start":
                self.disk.cut_after(operations)
            while process.returncode is None:  # the load goes on until the cut has come
                await self.ask()
                await asyncio.sleep(0.05)
        if await process.wait() != -signal.SIGKILL:
            return False
        self.figures.cuts += 1
        self.figures.unanswered_at_cuts += len(self._asked) - len(self.answers())
        self.figures.seen[f"cut: {moment}"] += 1
        self.figures.seen[f"kept: {self.disk.cut(chance)}"] += 1
        return True

    async def _acknowledged(self, number: int) -> None:
        """Return at once when so many events are acknowledged."""
        async with asyncio.timeout(120):
            while self.machine.slack.counts["acknowledged"] < number:
                await asyncio.sleep(0.001)

    async def run(self, cuts: int, questions: int) -> Figures:
        """Cut so often, then let everything come to its end and count."""
        began = time.monotonic()
        alive = True
        for cut in range(cuts):
            alive = alive and await self.one(cut, questions)
        if alive:
            self.machine.program = RUN  # without its bug: what is missing from now on was lost at the cut
            await self.machine.boot()
            alive = await self.receiving()
        if alive:
            await self._end()
        seen, asked = self.answers(), self.machine.asked()
        figures = self.figures
        figures.refused = int(not alive)
        figures.asked = len(self._asked)
        figures.events_acknowledged = self.machine.slack.counts["acknowledged"]
        figures.given_up = self.machine.slack.counts["lost"]
        told = {name for name in self._told() if asked[f"{name}."] == 2}
        figures.told = len(told)
        figures.lost = len(set(self._asked) - set(seen) - told) if alive else 0
        figures.doubled = sum(count - 1 for count in seen.values())
        figures.asked_more_than_twice = sum(count > 2 for count in asked.values())
        figures.violations = len(self.machine.slack.violations)
        figures.disk = self.disk.counts
        figures.seconds = time.monotonic() - began
        return figures

    def _told(self) -> set[str]:
        """Which questions have ended in a notice that people see."""
        shown = {post["ts"] for post in self.machine.slack.posts}
        failed = (
            "SELECT text, message FROM turns JOIN receipts ON turn = turns.id AND receipts.kind = 'failure'"
            " WHERE outcome = 'failed' AND reason LIKE 'Twice nobody could tell%'"
        )
        path = self.disk.root / "data" / "bot.db"
        if not path.exists():
            return set()
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return {text.strip(".") for text, message in db.execute(failed) if message in shown}

    async def _end(self) -> None:
        """Wait until Slack has delivered everything and the bot has nothing open."""
        async with asyncio.timeout(300), aiohttp.ClientSession() as session:
            idle = 0
            while idle < 2:
                await asyncio.sleep(0.1)
                url = re.findall(r'"(http://127\.0\.0\.1:\d+/)"', self.machine.log())[-1]
                async with session.get(f"{url}metrics") as reply:
                    quiet = self.machine.slack.nothing_under_way and IDLE.search(await reply.text())
                    idle = idle + 1 if quiet else 0


async def outages(folder: Path, seed: int, *, cuts: int, questions: int, bug: str = "") -> Figures:
    """Run one seed, with a deliberate bug of `bugs.py` if one is named."""
    disk = Disk(folder)
    async with a_machine(folder, BOT_DATABASE_URL=f"sqlite:///{disk.root}/data/bot.db") as machine:
        machine.settings.update(disk.environment)
        machine.program = ("-m", "tests.power.bugs", bug) if bug else RUN
        machine.slack.retries = (0.05,) * 60
        return await Outages(machine, disk, seed).run(cuts, questions)
