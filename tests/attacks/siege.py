"""A real bot under attack: a crowd that asks all the while, what they notice, and what is left open afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.testing.slack import payloads
from tests.benchmarks.load import p
from tests.crash.crowd import SECRET, TOKEN, Crowd
from tests.crash.process import ROOT, start_bot

PER_SECOND = 10.0
"""Questions of the crowd, whatever else happens."""
DELAY = 0.5
"""Seconds that the API takes for an answer."""


class Askers(Crowd):
    """A crowd that also says what is no question, anywhere."""

    def say(self, channel: str, user: str, words: str, name: str = "") -> None:
        """Say something to the bot; with a name it is a question whose answer is waited for."""
        ts = payloads.next_ts()
        text = words if channel.startswith("D") else f"<@{payloads.BOT_USER}> {words}"
        event = payloads.message(channel, user, text, ts)
        self._names[ts] = name
        if name:
            self.asked_at[name] = time.monotonic()
            self._asked_in[channel].append(name)
        body = json.dumps(payloads.event_callback(event)).encode()
        task = asyncio.create_task(self._deliver(name, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass
class Figures:
    """What was noticed in a while: seconds of acknowledgements, of /healthz and until answers; megabytes."""

    acks: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    refused: int = 0

    def __str__(self) -> str:
        ms = {"ack": self.acks, "healthz": self.health}
        parts = [f"{name} p50 {p(took, 0.5) * 1000:.0f} p99 {p(took, 0.99) * 1000:.0f} ms" for name, took in ms.items()]
        answers = f"answers p50 {p(self.answers, 0.5):.2f} p99 {p(self.answers, 0.99):.2f} s"
        return " · ".join([*parts, answers, f"{self.refused} refused", f"{max(self.memory):.0f} MB"])


@dataclass
class Siege:
    """A bot, its crowd, and the means to watch it."""

    crowd: Askers
    url: str
    pid: int
    folder: Path
    number: int = 0

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    async def watched(self, seconds: float, *, per_second: float = PER_SECOND) -> Figures:
        """Let people ask for so long, and note what they, and an operator, notice."""
        found = Figures()
        before = len(self.crowd.replies)
        watch = asyncio.create_task(self._watch(found))
        names: list[str] = []
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while len(names) < passed * per_second:
                self.number += 1
                names.append(f"q7{self.number:06}")
                self.crowd.ask(50_000 + self.number, names[-1])
            await asyncio.sleep(0.005)
        with suppress(TimeoutError):
            await self.crowd.until(lambda: all(name in self.crowd.answers for name in names), 60)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        replies = self.crowd.replies[before:]
        found.acks = [took for status, took in replies if status == 200]
        found.refused = sum(status != 200 for status, _ in replies)
        found.answers = [self.crowd.answered_at.get(n, time.monotonic()) - self.crowd.asked_at[n] for n in names]
        return found

    async def _watch(self, found: Figures) -> None:
        page = os.sysconf("SC_PAGE_SIZE") / 1e6
        while True:
            found.memory.append(int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * page)
            began = time.monotonic()
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                timeout = aiohttp.ClientTimeout(total=20)  # each time a connection of its own
                async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{self.url}healthz") as reply:
                    await reply.read()
            found.health.append(time.monotonic() - began)
            await asyncio.sleep(0.1)

    def log(self) -> str:
        return (self.folder / "bot.log").read_text()

    def descriptors(self) -> int:
        """How many descriptors the bot has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    async def calm(self, most: int | None = None) -> int:
        """Wait until nothing is delivered or open any more; return how many descriptors are open then.

        Connections are kept for some seconds: wait for them too, until there are only `most`.
        """
        idle = re.compile(r"^\w*turns_in_flight 0(\.0)?$", re.M)
        async with asyncio.timeout(120), aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{self.url}metrics") as reply:
                    if not self.crowd.delivering and idle.search(await reply.text()):
                        break
                await asyncio.sleep(0.2)
        for _ in range(250):
            if most is None or self.descriptors() <= most:
                break
            await asyncio.sleep(0.1)
        return self.descriptors()


@asynccontextmanager
async def a_siege(folder: Path, *, descriptors: int | None = None, **settings: str) -> AsyncIterator[Siege]:
    """Start the API, the crowd and the bot. `descriptors`: what the bot may open at all."""
    crowd = Askers(waits=(0.3, 1.0, 3.0))
    async with a_process("tests.attacks.hostile_api", str(DELAY)) as api_url, crowd:
        process = await start_bot(
            folder,
            UPPZY_BASE_URL=f"{api_url}/api/v1",
            SLACK_BOT_TOKEN=TOKEN,
            SLACK_SIGNING_SECRET=SECRET,
            SLACK_API_URL=crowd.api_url,
            **settings,
        )
        if descriptors is not None:  # long before it asks how many it may open
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
        try:
            url = await _address(folder)
            crowd.events_url = f"{url}slack/events"
            yield Siege(crowd, url, process.pid, folder)
        finally:
            if process.returncode is None:
                process.terminate()
            assert await process.wait() == 0


async def _address(folder: Path) -> str:
    async with asyncio.timeout(60):
        while not (found := re.findall(r'"(http://127\.0\.0\.1:\d+/)"', (folder / "bot.log").read_text())):
            await asyncio.sleep(0.05)
    return str(found[-1])


@asynccontextmanager
async def a_process(module: str, *args: str) -> AsyncIterator[str]:
    """Run a module until the end of the block; yield its first line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *args),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def under(attack: str, port: int) -> AsyncIterator[None]:
    """Attack the port from another process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.attacks.attackers", attack, str(port)), cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    try:
        yield
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def compared(siege: Siege, attack: Callable[[], Awaitable[None]], seconds: float) -> tuple[Figures, Figures]:
    """Watch so long in quiet, then while the attack runs."""
    quiet = await siege.watched(seconds)
    running = asyncio.ensure_future(attack())
    await asyncio.sleep(1.0)
    try:
        return quiet, await siege.watched(seconds)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
