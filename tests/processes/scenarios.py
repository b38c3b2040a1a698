"""Scenarios drawn from a seed, on a real PostgreSQL: engines with the real queue and store, a worker that only notes.

What the simulation does with its model of the library happens here to the library itself: processes that die, or are
cut off longer than their jobs wait for them, connections that end, notices and jobs that get lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from bot.context import Context
from bot.engine import TakenTurn
from bot.engine.jobs import JobQueue
from bot.engine.queued import QueuedEngine
from bot.errors import Unavailable
from bot.sessions import Address
from bot.store import jobs as stored
from bot.store import turns
from bot.store.postgres import PostgresDatabase
from bot.store.steps import StepName, StepRow, sending_step
from bot.store.turns import NewTurn, Turn
from bot.telemetry.metrics import Metrics
from bot.turns.attempt import TurnAttempt
from bot.turns.steps import AGAIN, Again, Begin, Effect
from tests.fakes.channel import ACCOUNT, NAME, dm
from tests.house import fake_config
from tests.postgres import Server

T = TypeVar("T")
STALE = 2.0
PROCESSES = 3
LANES = 4
TURNS = 24
SHAKEN = 4.0
"""Seconds in which things go wrong."""
MOST = 60.0
"""Seconds after which a turn that has not ended is lost, on a machine that does other things too."""


@dataclass(slots=True)
class World:
    """What was done outside: each act with its lane, in order; and what went wrong."""

    acts: list[tuple[str, str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Act(Effect[str]):
    """Something outside that takes a moment."""

    def __init__(self, world: World, turn: Turn, name: StepName, seconds: float) -> None:
        self.name = name
        self.until = asyncio.get_running_loop().time() + MOST
        self._world, self._turn, self._seconds = world, turn, seconds

    async def act(self, begin: Begin) -> str:
        await begin()
        self._world.acts.append((self._turn.lane, self._turn.text or "", self.name.kind))
        await asyncio.sleep(self._seconds)
        return "done"

    async def unknown(self, row: StepRow) -> Again:
        return AGAIN


class Noting:
    """A worker whose turns are two acts."""

    def __init__(self, ctx: Context, world: World, chance: random.Random) -> None:
        self._ctx, self._world, self._chance = ctx, world, chance

    async def work(self, taken: TakenTurn) -> None:
        attempt = TurnAttempt(self._ctx, taken)
        wait = self._chance.uniform
        await attempt.run(Act(self._world, taken.turn, StepName("submit"), wait(0.0, 0.4)))
        await attempt.run(Act(self._world, taken.turn, sending_step("answer", 0), wait(0.0, 0.1)), end="answered")

    async def dead_letter(self, taken: TakenTurn, why: str) -> None:
        raise AssertionError(why)

    def show_progress(self, turn: Turn, *, is_new: bool) -> None: ...

    def end_progress(self, turn: Turn) -> None: ...

    def leave_progress(self, turn: Turn) -> None: ...

    async def drain(self) -> None: ...


class Member:
    """One process, as far as store, queue and engine are concerned."""

    def __init__(self, world: World, url: str, folder: Path, chance: random.Random) -> None:
        self._chance = chance
        self._cut_until = 0.0
        self.alive = True
        self.db = PostgresDatabase(url)
        self.db.open()
        config = fake_config("http://127.0.0.1:1", folder, BOT_DATABASE_URL=url)
        ctx = Context(
            config=config,
            db=self.db,
            adapters={},
            channels={},
            api_for=_no_api,
            metrics=Metrics(),
            clock=time.time,
            random=chance,
            secret="0" * 64,
        )
        self.queue = self.db.holder = JobQueue(self._connect, self._still_wanted, stale=STALE)
        self.engine = QueuedEngine(ctx, Noting(ctx, world, chance), lambda: None, self.queue)
        self._run: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.engine.start()
        self._run = asyncio.create_task(self.engine.run())

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if time.monotonic() < self._cut_until:
            raise psycopg.OperationalError("cut off")
        return await self.db.connect_queue()

    async def _still_wanted(self, lanes: Sequence[str]) -> Sequence[str]:
        return await self.db.read(lambda tx: stored.with_work(tx, lanes))

    async def accept(self, turn: NewTurn) -> None:
        """Take a question in. Raises `Unavailable`, and then it may be stored all the same."""
        made = await self.db.write(lambda tx: turns.insert(tx, turn), urgent=True)
        self.engine.accepted([made], [])

    def cut_off(self, seconds: float) -> None:
        """Let the queue reach the database no more for a while; the store still does."""
        self._cut_until = time.monotonic() + seconds

    async def die(self) -> None:
        """End in the middle of everything: nothing more is stored of what the queue holds."""
        self.alive = False
        await self.queue.close()
        tasks = [task for task in (self._run, *self.engine._lanes.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.queue.stop(0.5)
        await asyncio.to_thread(self.db.close)

    async def stop(self) -> None:
        """End as SIGTERM does."""
        self.alive = False
        await self.engine.drain(5.0)
        if self._run is not None:
            self._run.cancel()
            await asyncio.gather(self._run, return_exceptions=True)
        await self.queue.stop(2.0)
        await self.queue.close()
        await asyncio.to_thread(self.db.close)


def _no_api(route: str) -> Any:
    raise AssertionError(route)


class Scenario:
    """One of them: `run` plays it, and returns what was wrong."""

    def __init__(self, seed: int, server: Server, url: str, folder: Path) -> None:
        self.world = World()
        self._chance = random.Random(seed)
        self._server, self._url, self._folder = server, url, folder
        self._members: list[Member] = []

    async def run(self) -> list[str]:
        try:
            for _ in range(PROCESSES):
                self._members.append(await self._begin())
            begin = asyncio.get_running_loop().time()
            await asyncio.gather(self._people(), self._trouble(begin + SHAKEN))
            return await self._judged()
        finally:
            await asyncio.gather(*(one.stop() for one in self._members if one.alive))

    async def _begin(self) -> Member:
        while True:
            with contextlib.suppress(Exception):  # connections are being cut
                member = Member(self.world, self._url, self._folder, self._chance)
                try:
                    await member.start()
                except Exception:
                    await member.die()
                    raise
                return member
            await asyncio.sleep(0.2)

    async def _people(self) -> None:
        for number in range(TURNS):
            await asyncio.sleep(self._chance.uniform(0.0, 2 * SHAKEN / TURNS))
            name = f"q{number:02}"
            lane = f"lane-{self._chance.randrange(LANES)}"
            conversation = dm(lane)
            turn = NewTurn(
                reference=f"R{number:07}",
                kind="question",
                lane=lane,
                address=Address(NAME, ACCOUNT, conversation.conversation_id),
                conversation=conversation,
                sent_at=float(number),
                accepted_at=time.time(),
                question=name,
                asker="U",
                text=name,
            )
            await self._taken_in(turn)

    async def _taken_in(self, turn: NewTurn) -> None:
        """Deliver it until somebody has stored it; it is known again, as events are."""
        while True:
            there = [one for one in self._members if one.alive]
            if there:
                # The second where a commit whose reply was lost came to its end only now.
                with contextlib.suppress(Unavailable, psycopg.errors.UniqueViolation):
                    if not await self._rows("SELECT 1 FROM turns WHERE reference = %s", turn.reference):
                        await self._chance.choice(there).accept(turn)
                    return
            await asyncio.sleep(0.1)

    async def _trouble(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        kinds = (self._kill, self._kill, self._cut, self._terminate, self._lose_a_job, self._lose_notices)
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(0.1, 1.2))
            kind = self._chance.choice(kinds)
            self.world.counts[kind.__name__.strip("_").replace("_", " ")] += 1
            await kind()

    async def _kill(self) -> None:
        there = [number for number, one in enumerate(self._members) if one.alive]
        number = self._chance.choice(there)
        await self._members[number].die()
        await asyncio.sleep(self._chance.choice((0.0, 0.5)))
        self._members[number] = await self._begin()

    async def _cut(self) -> None:
        self._chance.choice(self._members).cut_off(self._chance.choice((0.5, 3.0, 5.0)))
        await self._terminate()

    async def _terminate(self) -> None:
        name = self._url.rsplit("/", 1)[1]
        text = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        await asyncio.to_thread(self._server.execute, text)

    async def _lose_a_job(self) -> None:
        await self._rows("DELETE FROM pgqueuer WHERE status = 'queued' RETURNING id")

    async def _lose_notices(self) -> None:
        one = self._chance.choice(self._members)
        one.queue._driver.hear = lambda channel, payload: None  # type: ignore[method-assign]

    async def _rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        def ask() -> list[tuple[Any, ...]]:
            with psycopg.connect(self._url, autocommit=True) as connection:
                return connection.execute(sql.encode(), args or None).fetchall()

        while True:
            try:
                return await asyncio.to_thread(ask)
            except psycopg.OperationalError:
                await asyncio.sleep(0.1)

    async def _until(self, done: Callable[[list[tuple[Any, ...]]], bool], sql: str) -> list[tuple[Any, ...]]:
        end = time.monotonic() + MOST
        while not done(rows := await self._rows(sql)) and time.monotonic() < end:
            await asyncio.sleep(0.2)
        return rows

    async def _judged(self) -> list[str]:
        wrong = []
        open_turns = await self._until(lambda rows: not rows, "SELECT text, lane FROM turns WHERE state = 'open'")
        if open_turns:
            wrong.append(f"never ended: {open_turns}")
        if jobs := await self._until(lambda rows: not rows, "SELECT * FROM pgqueuer WHERE entrypoint = 'lane'"):
            wrong.append(f"jobs left: {jobs}")
        known = {
            (text, kind): unknowns
            for text, kind, unknowns in await self._rows(
                "SELECT turns.text, steps.kind, steps.unknowns FROM steps JOIN turns ON turns.id = steps.turn"
            )
        }
        for (text, kind), times in Counter((text, kind) for _, text, kind in self.world.acts).items():
            again = known.get((text, kind), 0)
            self.world.counts["acts"] += times
            self.world.counts["unknown outcomes"] += again
            if times > 1 + again:
                wrong.append(f"{kind} of {text} was done {times} times, and unknown {again} times")
        for number in range(LANES):
            asked = list(dict.fromkeys(t for lane, t, kind in self.world.acts if lane == f"lane-{number}"))
            if asked != sorted(asked):
                wrong.append(f"lane {number} was asked in the order {asked}")
        return wrong
