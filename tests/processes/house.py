"""Several real bot processes on one PostgreSQL server, a crowd at a Slack over HTTP before them, an API behind them."""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from psycopg.rows import dict_row

from tests.crash.crowd import SECRET, TOKEN, Crowd
from tests.crash.process import start_bot
from tests.postgres import Server, a_server
from tests.processes.api import CountingApi, an_api
from tests.processes.pooler import Pooler, a_pooler

ADDRESS = re.compile(r'"(http://127\.0\.0\.1:\d+/)"')


class Replica:
    """One process of the bot, in a folder of its own."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self.url = ""
        self.process: asyncio.subprocess.Process | None = None
        self.frozen = False

    @property
    def alive(self) -> bool:
        """Whether it runs, and receives."""
        return bool(self.url) and self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        self.folder.mkdir(exist_ok=True)
        seen = len(ADDRESS.findall(self.log()))
        self.process = await start_bot(self.folder, **self.settings)
        async with asyncio.timeout(120):
            while len(found := ADDRESS.findall(self.log())) <= seen:
                assert self.process.returncode is None, self.log()[-3000:]
                await asyncio.sleep(0.1)
        self.url = found[-1]

    def log(self) -> str:
        """Return what it has written so far."""
        path = self.folder / "bot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def end(self, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end."""
        assert self.process is not None
        self.url = ""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.process.wait()

    def freeze(self) -> None:
        """Stop it where it is."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False


class SpreadCrowd(Crowd):
    """A crowd whose Slack delivers each event to any one of the processes, as a load balancer does."""

    def __init__(self, replicas: list[Replica], waits: tuple[float, ...] = (0.5, 1.0, 2.0)) -> None:
        self.replicas = replicas
        self.acknowledged: set[str] = set()
        super().__init__(waits)

    @property
    def events_url(self) -> str:
        """Where the next delivery goes."""
        there = [one for one in self.replicas if one.alive]
        return f"{random.choice(there).url}slack/events" if there else "http://127.0.0.1:9/"

    @events_url.setter
    def events_url(self, value: str) -> None:
        assert not value


class Cluster:
    """Everything together. `ask` asks at a pace; `settle` waits until all that was acknowledged has an answer."""

    def __init__(
        self, server: Server, url: str, crowd: SpreadCrowd, api: CountingApi, pooler: Pooler | None = None
    ) -> None:
        self.server = server
        self.url = url
        self.crowd = crowd
        self.api = api
        self.pooler = pooler
        self.asking = False
        self._number = 0

    @property
    def replicas(self) -> list[Replica]:
        return self.crowd.replicas

    async def ask(self, per_second: float, seconds: float, people: int = 200) -> None:
        """Let people ask, each in their own direct message, at this pace whatever happens."""
        loop = asyncio.get_running_loop()
        begin, count = loop.time(), round(per_second * seconds)
        for n in range(count):
            await asyncio.sleep(max(0.0, begin + n / per_second - loop.time()))
            self._number += 1
            self.crowd.ask(self._number % people, f"q{self._number}")

    async def ask_until_told(self, per_second: float) -> None:
        """Let people ask as long as `asking` is set."""
        while self.asking:
            await self.ask(per_second, 1.0)

    async def settle(self, seconds: float) -> None:
        """Wait until everything that people asked is answered."""
        await self.crowd.until(lambda: not self.crowd.delivering, seconds)
        try:
            await self.crowd.until(lambda: set(self.crowd.asked_at) <= set(self.crowd.answers), seconds)
        except TimeoutError:
            missing = sorted(set(self.crowd.asked_at) - set(self.crowd.answers))
            rows = self.rows("SELECT id, lane, attempt, intent, ready_at, state, outcome, reason FROM turns WHERE text"
                             " = ANY(%s)", missing)  # fmt: skip
            jobs = self.rows("SELECT status, now() - heartbeat AS age, payload FROM pgqueuer")
            raise AssertionError(f"{len(missing)} unanswered, {rows[:5]}, {jobs[:5]}") from None

    def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Ask the database."""
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            return connection.execute(sql.encode(), args or None).fetchall()

    def check(self) -> dict[str, Any]:
        """Hold what has happened to the promises; return the figures."""
        crowd = self.crowd
        twice = {name: times for name, times in crowd.answers.items() if times > 1}
        assert not twice, f"answered twice: {twice}"
        unknowns: Counter[str] = Counter()
        for row in self.rows(
            "SELECT turns.text, steps.unknowns FROM steps JOIN turns ON turns.id=steps.turn WHERE steps.kind='submit'"
        ):
            unknowns[row["text"]] += row["unknowns"]
        often = {name: n for name, n in self.api.submits.items() if n > 1 + unknowns[name]}
        assert not often, f"asked twice without an unknown outcome: {often}"
        waits = sorted(crowd.answered_at[name] - crowd.asked_at[name] for name in crowd.asked_at) or [0.0]
        return {
            "asked": len(crowd.asked_at),
            "resubmitted": sum(unknowns.values()),
            "p50": round(waits[len(waits) // 2], 2),
            "worst": round(waits[-1], 2),
            "again": crowd.again,
        }


@asynccontextmanager
async def a_cluster(
    folder: Path, processes: int = 3, *, delay: float = 1.0, sqlite: bool = False, pooled: int = 0, **settings: str
) -> AsyncIterator[Cluster]:
    """Start server, API, crowd and so many processes; with `sqlite` one process on a file, to compare with; `pooled`
    behind a PgBouncer with so many connections."""
    folder.mkdir(exist_ok=True)
    with a_server() as server, server.database() as url, ExitStack() as beside:
        pooler = beside.enter_context(a_pooler(server, pooled)) if pooled else None
        if pooler is not None:
            settings = {"BOT_DATABASE_URL": pooler.url(url), "BOT_DATABASE_DIRECT_URL": url, **settings}
        if sqlite:
            url = f"sqlite:///{folder}/bot.db"
        replicas: list[Replica] = []
        crowd = SpreadCrowd(replicas)
        async with an_api(delay) as api, crowd:
            for number in range(processes):
                replicas.append(
                    Replica(
                        folder / f"bot{number}",
                        {
                            "BOT_DATABASE_URL": url,
                            "UPPZY_BASE_URL": f"{api.url}/api/v1",
                            "SLACK_BOT_TOKEN": TOKEN,
                            "SLACK_SIGNING_SECRET": SECRET,
                            "SLACK_API_URL": crowd.api_url,
                            **settings,
                        },
                    )
                )
            cluster = Cluster(server, url, crowd, api, pooler)
            try:
                await asyncio.gather(*(one.start() for one in replicas))
                yield cluster
            finally:
                for one in replicas:
                    if one.process is not None and one.process.returncode is None:
                        one.thaw()
                        await one.end()


async def metric(replica: Replica, name: str) -> float:
    """Add up a metric of one process."""
    async with aiohttp.ClientSession() as session, session.get(f"{replica.url}metrics") as reply:
        text = await reply.text()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"uppzy_bot_{name}"))


def note(name: str, figures: dict[str, Any]) -> None:
    """Print figures where a person looks for them."""
    print(f"\n{name}: {json.dumps(figures)} at {time.strftime('%H:%M:%S')}")
