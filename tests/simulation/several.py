"""Several processes on one store: a model of pgqueuer, owners that die, or freeze past their deadline and wake up,
late and lost notices, lost wake-ups, a database that is away.

What the model does the real library is held to by `tests/processes/test_jobs.py`. Its rows stand in the store's own
file, in a table of the library's name, so that the sweep's query is the real one. Nobody rates anything here.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from bot.app_home import AppHomePages
from bot.engine.cluster import Shared, once
from bot.engine.driver import AWAY
from bot.engine.jobs import GRACE, SAFETY, STALE, JobQueue
from bot.engine.queued import QueuedEngine
from bot.errors import Unavailable
from bot.store import jobs as stored
from bot.store.database import Tx
from bot.turns.worker import TurnWorker
from tests.simulation.disk import Disk
from tests.simulation.process import Dead, Parts, Process
from tests.simulation.run import Report, run
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.loop import VirtualLoop
    from tests.simulation.luck import Luck

T = TypeVar("T")
SLOTS: Final = 3
TAKEOVER: Final = 15.0
"""Seconds in which what a process left must be gone on with."""
SWEPT: Final = 5.0
"""Seconds in which a lane without a job must be found."""
WOKEN: Final = 5.0
"""Seconds in which a process that was frozen has found out what is not its own any more."""
FLUSH: Final = 0.1
"""Seconds until the library stores that a job is over."""


class Queue:
    """The rows. What is done here is done at once, as one statement of the database is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rows = world.platter
        self._rows.execute(
            "CREATE TABLE pgqueuer (id INTEGER PRIMARY KEY AUTOINCREMENT, dedupe_key TEXT NOT NULL UNIQUE,"
            " entrypoint TEXT NOT NULL, status TEXT NOT NULL, owner INTEGER, beat REAL)"
        )

    def defer(self, entrypoint: str, keys: Sequence[str]) -> list[str]:
        """Make a job for each key that has none; return those that had one."""
        there = []
        for key in sorted(keys):
            made = self._rows.execute(
                "INSERT INTO pgqueuer (dedupe_key, entrypoint, status) VALUES (?, ?, 'queued') ON CONFLICT DO NOTHING",
                (key, entrypoint),
            ).rowcount
            if not made:
                there.append(key)
        return there

    def pick(self, owner: int, stale: float) -> list[sqlite3.Row]:
        """Give a process what is queued, and what has no heartbeat any more."""
        now = self.world.now
        return self._rows.execute(
            "UPDATE pgqueuer SET status='picked', owner=?, beat=? WHERE status='queued' OR beat<? RETURNING *",
            (owner, now, now - stale),
        ).fetchall()

    def beat(self, owner: int, ids: Sequence[int], *, anybodys: bool = False) -> list[int]:
        """Store heartbeats of jobs that are still this process's; return which."""
        return [
            one
            for one in ids
            if self._rows.execute(
                "UPDATE pgqueuer SET beat=? WHERE id=? AND (owner=? OR ?)", (self.world.now, one, owner, anybodys)
            ).rowcount
        ]

    def end(self, owner: int, one: int) -> None:
        """Delete a job that is over, unless another process has it by now."""
        self._rows.execute("DELETE FROM pgqueuer WHERE id=? AND owner=?", (one, owner))


class SimHeld:
    """`bot.engine.jobs.Held` on the simulation's clock, which goes on while a process is frozen."""

    def __init__(self, world: World, key: str) -> None:
        self.key = key
        self._world = world
        self._until = 0.0

    def renew(self, asked_at: float) -> None:
        self._until = asked_at + STALE * (1 - SAFETY)

    @property
    def holds(self) -> bool:
        return self._world.now < self._until


class SimQueue:
    """`bot.engine.jobs.JobQueue` for one process, over the model."""

    LANE: Final = stored.LANE
    LEASE: Final = stored.LEASE
    stale = STALE
    beats_for_others = False

    def __init__(self, process: SeveralProcess) -> None:
        self._process = process
        self._world = process.world
        self._handles: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self._listeners: dict[str, list[Callable[[str], None]]] = {}
        self._held: dict[int, SimHeld] = {}
        self._reached_at: float | None = None
        self._news = asyncio.Event()
        self._picks = True
        self._tasks: list[asyncio.Task[None]] = []

    def on(self, entrypoint: str, handle: Callable[[Any], Awaitable[None]]) -> None:
        self._handles[entrypoint] = handle

    async def listen(self, channel: str, callback: Callable[[str], None]) -> None:
        self._listeners.setdefault(channel, []).append(callback)

    async def listen_for_more(self, callback: Callable[[str], None]) -> None:
        await self.listen(stored.WAKE, callback)

    async def defer(self, entrypoint: str, keys: Sequence[str]) -> None:
        await self._database()
        self._world.deferred(self._process, self._world.queue.defer(entrypoint, keys))

    async def defer_missing(self, entrypoint: str, keys: Sequence[str]) -> None:
        await self.defer(entrypoint, keys)

    @property
    def picks(self) -> bool:
        return self._picks

    def start(self) -> None:
        self._tasks = [self._process.spawn(self._pick()), self._process.spawn(self._beat())]

    def pick_no_more(self) -> None:
        self._picks = False

    async def stop(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._held:
                    await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()

    def hear(self, channel: str, text: str) -> None:
        """A notice has come."""
        if channel == "jobs":
            self._news.set()
        for callback in self._listeners.get(channel, ()):
            callback(text)

    async def _database(self) -> None:
        """Wait until the database can be asked."""
        asked_at = self._world.now
        while True:
            await asyncio.sleep(self._world.luck.dice("the queue asks").uniform(0.0, 0.02))
            self._process.must_live()
            if not self._world.weather.disk_is_down(self._world.now):
                if self._reached_at is None or self._world.now - asked_at > AWAY:
                    self._reached_at = self._world.now
                return
            await asyncio.sleep(0.3)

    async def _pick(self) -> None:
        while self._picks:
            self._news.clear()
            asked_at = self._world.now
            await self._database()
            if not self._picks:
                return
            takes_over = self._reached_at is not None and self._world.now - self._reached_at >= self.stale * GRACE
            for row in self._world.queue.pick(self._process.number, self.stale if takes_over else math.inf):
                if (held := self._held.get(row["id"])) is not None:
                    held.renew(asked_at)  # still at it here
                    continue
                held = self._held[row["id"]] = SimHeld(self._world, row["dedupe_key"])
                held.renew(asked_at)
                self._process.spawn(self._run(row["id"], row["entrypoint"], held))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._news.wait()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(STALE / 2 * self._world.luck.dice("heartbeat").uniform(1.0, 1.3))
            asked_at = self._world.now
            await self._database()
            kept = self._world.queue.beat(self._process.number, list(self._held), anybodys=self.beats_for_others)
            for one in kept:
                if one in self._held:
                    self._held[one].renew(asked_at)

    async def _run(self, one: int, entrypoint: str, held: SimHeld) -> None:
        await self._handles[entrypoint](held)
        await asyncio.sleep(self._world.luck.dice("job over").uniform(0.0, FLUSH))
        await self._database()
        self._world.queue.end(self._process.number, one)
        self._held.pop(one, None)
        await self._look_again(entrypoint, held.key)

    async def _look_again(self, entrypoint: str, key: str) -> None:
        found: list[str] | None = None if entrypoint == stored.LANE else []
        while found is None:
            try:
                found = await self._process.disk.read(lambda tx: stored.with_work(tx, [key]))
            except Unavailable:
                await asyncio.sleep(0.3)
        await self.defer(stored.LANE, found)


class WakingTx(Tx):
    """Notes which lanes are woken."""

    __slots__ = ("woken",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.woken: set[str] = set()

    def wake(self, lane: str) -> None:
        self.woken.add(lane)


class SeveralDisk(Disk):
    """A commit defers the jobs of the lanes that it has woken."""

    def _commit(self, work: Callable[[Tx], T]) -> T:
        world = cast("SeveralWorld", self._world)
        there: list[str] = []
        tx = self._tx = WakingTx(world.platter)

        def with_jobs(_: Tx) -> T:
            result = work(tx)
            # One may be lost: the job was there when it was looked for, and was deleted before this is committed.
            kept = [lane for lane in sorted(tx.woken) if not world.loses_a_wake()]
            there.extend(world.queue.defer(stored.LANE, kept))
            return result

        result = super()._commit(with_jobs)
        if tx.woken:
            world.deferred(cast("SeveralProcess", self._process), there)
        return result


class SeveralProcess(Process):
    """One of several: works for the jobs that it picks."""

    world: SeveralWorld

    def __init__(self, world: SeveralWorld, number: int, slot: int) -> None:
        super().__init__(world, number)
        self.slot = slot
        parts = cast("SeveralParts", world.parts)
        self.disk = SeveralDisk(self)
        self.ctx.db = self.disk
        self.queue = parts.queue(self)
        self._cluster = Shared(cast("JobQueue", self.queue))
        worker: TurnWorker = parts.worker(self.ctx, self.submitter.wake)
        self.queued = parts.queued(self.ctx, worker, self.submitter.wake, cast("JobQueue", self.queue))
        self.router = parts.router(self.ctx, self.queued, AppHomePages(self.ctx, _nothing).show, self.submitter.wake)

    async def start(self) -> None:
        await self.spawn(self.disk.open())
        await self.spawn(self.queued.start())
        self._loops = [
            self.spawn(self.queued.run()),
            self.spawn(once(self._cluster, "ratings", self.submitter.run)),
            self.spawn(once(self._cluster, "left over", self.queued.remove_left_over)),
        ]

    async def _stop(self) -> None:
        await self.queued.drain(9.0)
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.queue.stop(2.0)


async def _nothing() -> tuple[str, ...]:
    return ()


class SeveralParts(Parts):
    """What the processes are made of; a mutant puts other things in."""

    def __init__(self) -> None:
        super().__init__()
        self.world = SeveralWorld
        self.queue: type[SimQueue] = SimQueue
        self.queued: type[QueuedEngine] = QueuedEngine


class SeveralWorld(World):
    """A world with several processes; each event goes to any of those that answer."""

    def __init__(self, loop: VirtualLoop, luck: Luck, parts: Parts) -> None:
        self._slots: list[SeveralProcess | None] = [None] * SLOTS
        self._gone: list[tuple[float, float]] = []
        super().__init__(loop, luck, parts)
        self.queue = Queue(self)
        self.voters.moods = 0.0
        self._lost_notices = luck.option("notices lost", 0.0, lambda dice: dice.choice((0.0, 0.1, 0.5)))
        self._lost_wakes = luck.option("wake-ups lost", 0.0, lambda dice: dice.choice((0.0, 0.1, 0.3)))
        self._freezes = luck.option("freezes instead of crashes", 0.5, lambda dice: dice.choice((0.0, 0.5, 1.0)))

    def is_shaken(self, begin: float, end: float) -> bool:
        """Whether a process ended, or stood still, from some time before."""
        return any(a <= end and b >= begin for a, b in self._gone)

    async def on_wire(self, process: Process, seconds: float, act: Callable[[], T]) -> T:
        """What is written acts in its time, whatever has become of the process by then."""
        done: asyncio.Future[T] = self.loop.create_future()

        def arrive() -> None:
            result = act()
            if not done.done():
                done.set_result(result)

        self.later(seconds, arrive)
        result = await done
        process.must_live()
        return result

    @property
    def process(self) -> Process | None:
        """Any process that answers."""
        there = [one for one in self._slots if one is not None and one.alive and not self.loop.is_frozen(one)]
        return self.luck.dice("event goes to").choice(tuple(there)) if there else None

    @process.setter
    def process(self, _: Process | None) -> None:
        pass

    def _at_rest(self) -> bool:
        """Who wakes up finds out what others did meanwhile, and takes away what it shows."""
        woken = (end for life in self.lives if life.alive for _, end in life.frozen)
        return super()._at_rest() and all(end + WOKEN < self.now for end in woken)

    def loses_a_wake(self) -> bool:
        """Whether a lane gets no job, and waits for the sweep."""
        lost = self.luck.happens("a wake-up is lost", self._lost_wakes)
        if lost:
            self._gone.append((self.now, self.now + SWEPT))
        return lost

    def deferred(self, by: SeveralProcess, there: Sequence[str]) -> None:
        """A process has deferred jobs and looks for them itself, or tells everybody; holders of `there` hear that more
        came. What others are told comes sooner or later or not at all."""
        for one in self._slots:
            if one is by and by.queue.picks:
                self._tell(by, there)
            elif one is not None and not self.luck.happens("a notice is lost", self._lost_notices):
                late = self.luck.dice("notice after").choice((0.0, 0.01, 0.3))
                self.later(late, partial(self._tell, one, there, new=not by.queue.picks))

    def _tell(self, one: SeveralProcess, there: Sequence[str], *, new: bool = True) -> None:
        if one.alive:
            if new:
                one.run(one.queue.hear, "jobs", "")
            for lane in there:
                one.run(one.queue.hear, stored.WAKE, lane)

    def kill(self, process: Process, where: str = "") -> None:
        if not process.alive:
            return
        self.note("CRASH", where, process.number)
        self.crashed.append(self.now)
        self.loop.thaw(process)
        process.kill()
        self._again(cast("SeveralProcess", process))

    def _again(self, process: SeveralProcess) -> None:
        self._slots[process.slot] = None
        self._gone.append((self.now, self.now + TAKEOVER))
        self.spawn(self._start_slot(process.slot, self._down_for((0.01, 0.3, 2.0, 8.0, 25.0))))

    async def _start_after(self, seconds: float) -> None:
        await asyncio.gather(*(self.spawn(self._start_slot(slot, seconds + slot * 0.01)) for slot in range(SLOTS)))

    async def _start_slot(self, slot: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while self._slots[slot] is None:
            if not any(self._slots):  # while nobody lived, nobody could take over
                self._gone.append((self.now, self.now + TAKEOVER))
            process = self._slots[slot] = SeveralProcess(self, len(self.lives) + 1, slot)
            self.note("START", process.number)
            self.lives.append(process)
            try:
                await process.start()
            except Unavailable:
                process.kill()
                self._slots[slot] = None
            except (asyncio.CancelledError, Dead):
                return
            await asyncio.sleep(1.0)

    def _victim(self) -> SeveralProcess | None:
        there = [one for one in self._slots if one is not None and one.alive and not self.loop.is_frozen(one)]
        return self.luck.dice("who").choice(tuple(there)) if there else None

    async def _stop_gracefully(self) -> None:
        process = self._victim()
        if process is None:
            return
        self.note("SIGTERM", process.number)
        self._gone.append((self.now, self.now + TAKEOVER))
        with contextlib.suppress(asyncio.CancelledError, Dead):
            await process.stop()
        self.note("stopped", process.number)
        if self._slots[process.slot] is process:
            process.kill()
            self._again(process)

    def _crash(self) -> None:
        process = self._victim()
        if process is None:
            return None
        if not self.luck.happens("freezes", self._freezes):
            return self.kill(process, "by plan")
        seconds = self.luck.dice("frozen for").choice((1.0, 6.0, 7.5, 9.0, 12.0, 40.0))
        self.note("FREEZE", process.number, seconds)
        process.frozen.append((self.now, self.now + seconds))
        self._gone.append((self.now, self.now + max(seconds, TAKEOVER)))
        self.crashed.append(self.now)
        self.loop.freeze(process)
        self.later(seconds, lambda: self._thaw(process))
        return None

    def _thaw(self, process: SeveralProcess) -> None:
        if process.alive:
            self.note("THAW", process.number)
            self.loop.thaw(process)


ALONE: Final = {"upgraded from schema": 0, "two processes overlap": False, "clock set": None}
"""What one process alone is put through elsewhere."""


def run_several(seed: int) -> Report:
    """Run one seed with several processes."""
    return run(seed, SeveralParts(), fixed=ALONE)
