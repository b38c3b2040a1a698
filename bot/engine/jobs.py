"""The jobs of pgqueuer that this process holds: a job for every lane with work, and one for every right that is held.

A job is held as long as its heartbeat is stored in time; then any process picks it anew. Each holds until a moment on a
clock that goes on while the process is frozen, a little before anybody else may pick the job.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from bot.engine.driver import Closed, Connect, ReconnectingDriver
from bot.shared import BackgroundTasks, since_boot
from bot.store import jobs as stored

STALE: Final = 8.0
"""Seconds after its last heartbeat in which nobody else picks a job. The library stores one every half of that."""
SAFETY: Final = 1 / 8
"""The last part of that in which the holder does nothing more."""
GRACE: Final = 5 / 8
"""The part of that for which nobody takes anything over once the database can be reached: those that live could not
store their heartbeats either, and do so before it is over."""
LOOK_EVERY: Final = 1.0
"""Seconds between two looks for jobs that nobody told of: those of dead processes, and where a notice was lost."""
BATCH: Final = 20
RESTART: Final = 0.5

log = structlog.get_logger(__name__)


def key_of(job: Job) -> str:
    """Return the lane, or the right, that a job stands for."""
    return (job.payload or b"").decode()


class Held:
    """A job that this process has picked; an `Ownership`."""

    def __init__(self, key: str, seconds: float) -> None:
        self.key = key
        self._seconds = seconds
        self._until = 0.0

    def renew(self, asked_at: float) -> None:
        """The database has stored a heartbeat that was asked for at this moment since boot."""
        self._until = asked_at + self._seconds

    @property
    def holds(self) -> bool:
        """Whether nobody else can have picked it yet."""
        return since_boot() < self._until


Handle: TypeAlias = Callable[[Held], Awaitable[None]]


class JobQueue:
    """Picks jobs and runs what is to be done for them; a `bot.store.jobs.Holder`.

    `still_wanted`: of these lanes, those that have work. `is_behind`: whether others had better pick what comes.
    """

    LANE: Final = stored.LANE
    LEASE: Final = stored.LEASE

    def __init__(
        self,
        connect: Connect,
        still_wanted: Callable[[Sequence[str]], Awaitable[Sequence[str]]],
        *,
        stale: float = STALE,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        self.stale = stale
        self._driver = ReconnectingDriver(connect)
        self._queries = _Queries(self._driver, self)
        self._manager = QueueManager(self._queries)
        self._still_wanted = still_wanted
        self._is_behind = is_behind
        self._held: dict[int, Held] = {}
        self._keys: dict[str, int] = {}
        self._wakes: list[Callable[[str], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None
        self._deferring = BackgroundTasks()

    def on(self, entrypoint: str, handle: Handle) -> None:
        """Do this for jobs of an entrypoint. Whatever it raises, the job is over, and is looked at again."""

        async def run(job: Job) -> None:
            if (held := self._held.get(job.id)) is not None:
                await handle(held)

        self._manager.entrypoint(entrypoint, accepts_context=False)(run)

    async def listen_for_more(self, callback: Callable[[str], None]) -> None:
        """Call back when more has come for a lane that is held here."""
        self._wakes.append(callback)
        await self.listen(stored.WAKE, callback)

    async def listen(self, channel: str, callback: Callable[[str], None]) -> None:
        """Call back for what another process tells on a channel."""
        await self._driver.add_listener(channel, lambda payload: callback(str(payload)))

    async def tell(self, channel: str, text: str) -> None:
        """Tell all processes something; it is lost to those whose connection is."""
        with contextlib.suppress(Closed):
            await self._driver.notify(channel, text)

    async def query(self, text: str, *args: object) -> list[dict[str, object]]:
        """Ask the database one statement by itself, with placeholders $1, $2 …, as often as it takes."""
        return await self._driver.fetch(text, *args)

    async def defer(self, entrypoint: str, keys: Sequence[str]) -> None:
        """See to it that there is a job for each key."""
        if keys and any(await self._queries.enqueue(*stored.as_jobs(entrypoint, keys), on_conflict="skip")):
            if self.picks:
                self._look()
            else:
                await self.tell(stored.NEW, stored.NEWS)

    async def defer_missing(self, entrypoint: str, keys: Sequence[str]) -> None:
        """See to it that there is a job for each key, most of which have one."""
        found = await self.query("SELECT dedupe_key FROM pgqueuer WHERE dedupe_key = ANY($1::text[])", list(keys))
        await self.defer(entrypoint, sorted({*keys} - {str(row["dedupe_key"]) for row in found}))

    @property
    def picks(self) -> bool:
        """Whether it picks what is deferred here itself, at once."""
        return self._loop is not None and not self._manager.shutdown.is_set() and not self._is_behind()

    def holds(self, lane: str) -> bool:
        """Whether the job of a lane is held here."""
        return lane in self._keys

    def come(self, deferred: stored.Deferred) -> None:
        """The writer has committed what it deferred."""
        if self._loop is not None and (deferred.new or deferred.held):
            with contextlib.suppress(RuntimeError):  # the loop is closed: the sweep of others finds it
                self._loop.call_soon_threadsafe(self._come, deferred)

    def _come(self, deferred: stored.Deferred) -> None:
        if deferred.new:
            self._look()
        for lane in deferred.held:
            if lane not in self._keys:  # it was over before more had come
                self._deferring.spawn(self.defer(stored.LANE, [lane]))
            for wake in self._wakes:
                wake(lane)

    def _look(self) -> None:
        if stored.NEW not in self._driver.heard:
            self._driver.hear(stored.NEW, stored.NEWS)

    def start(self) -> None:
        """Pick jobs from now on."""
        self._loop = asyncio.get_running_loop()
        self._running = self._loop.create_task(self._run(), name="queue")

    async def stop(self, seconds: float) -> None:
        """Pick nothing more, and let what is over be stored."""
        self._manager.shutdown.set()
        if self._running is not None:
            await asyncio.wait({self._running}, timeout=seconds)
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def close(self) -> None:
        """Let go of the database."""
        self._deferring.cancel()
        await self._driver.close()

    def pick_no_more(self) -> None:
        """Leave what comes to other processes."""
        self._manager.shutdown.set()

    async def _run(self) -> None:
        while not self._manager.shutdown.is_set():
            try:
                await self._manager.run(
                    dequeue_timeout=timedelta(seconds=LOOK_EVERY),
                    batch_size=BATCH,
                    heartbeat_timeout=timedelta(seconds=self.stale),
                    log_aggregation_interval=timedelta(0),
                )
            except Closed:
                return
            except Exception:
                log.exception("queue.ended")
                await asyncio.sleep(RESTART)

    def may_take_over(self, now: float) -> bool:
        """Whether those that live have had the time to store their heartbeats since the database was away."""
        return now - self._driver.reached_at >= self.stale * GRACE

    def picked(self, jobs: Sequence[Job], asked_at: float) -> None:
        """The database says that these are ours."""
        for job in jobs:
            if (held := self._held.get(job.id)) is None:
                held = self._held[job.id] = Held(key_of(job), self.stale * (1 - SAFETY))
                self._keys[held.key] = job.id
            held.renew(asked_at)

    def beaten(self, ids: Sequence[int], asked_at: float) -> None:
        """The heartbeats of these are stored."""
        for one in ids:
            if (held := self._held.get(one)) is not None:
                held.renew(asked_at)

    def lost(self, ids: Sequence[int]) -> list[int]:
        """Return those that may be another process's by now."""
        return [one for one in ids if one not in self._held or not self._held[one].holds]

    async def ended(self, jobs: Sequence[Job]) -> None:
        """These are over and stored: what has come for them meanwhile gets a job anew."""
        for job in jobs:
            held = self._held.pop(job.id, None)
            if held is not None and self._keys.get(held.key) == job.id:
                del self._keys[held.key]
        lanes = [key_of(job) for job in jobs if job.entrypoint == stored.LANE]
        if lanes:
            await self.defer(stored.LANE, sorted(await self._still_wanted(lanes)))

    @property
    def manager_id(self) -> Any:
        """Name this process as it stands with its jobs."""
        return self._manager.queue_manager_id


class _Queries(Queries):
    """The library's queries, each noted by whom it concerns."""

    def __init__(self, driver: ReconnectingDriver, jobs: JobQueue) -> None:
        super().__init__(driver)
        self._reached = driver
        self._jobs = jobs
        self._empty = False

    async def dequeue(self, *args: Any, **options: Any) -> list[Job]:
        if self._empty and stored.NEW not in self._reached.heard:
            self._empty = False
            return []  # the library asks until nothing comes: the last answer has said already that there is no more
        self._reached.heard.discard(stored.NEW)
        asked_at = since_boot()
        if not self._jobs.may_take_over(asked_at):
            options["heartbeat_timeout"] = timedelta(days=1)
        found = await super().dequeue(*args, **options)
        self._empty = 0 < len(found) < BATCH
        self._jobs.picked(found, asked_at)
        return found

    async def update_heartbeat(self, job_ids: list[Any]) -> None:
        """Store the heartbeats of what is still ours: the library's own query would keep another process's jobs alive,
        and let one that was frozen believe that it still holds them."""
        asked_at = since_boot()
        rows = await self.driver.fetch(
            "UPDATE pgqueuer SET heartbeat = NOW() WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2"
            " AND status = 'picked' RETURNING id",
            job_ids,
            self._jobs.manager_id,
        )
        self._jobs.beaten([int(str(row["id"])) for row in rows], asked_at)

    async def log_jobs(self, job_status: list[Any]) -> None:
        """Delete jobs that are over; one that another process has picked meanwhile is that one's."""
        ids = [job.id for job, _, _ in job_status]
        gone = set(lost := self._jobs.lost(ids)) - set(await self._mine(lost))
        ours = [one for one in job_status if one[0].id not in gone]
        if ours:
            await super().log_jobs(ours)
        await self._jobs.ended([job for job, _, _ in job_status])

    async def _mine(self, ids: list[int]) -> list[int]:
        """Of jobs whose time is over, those that nobody has picked in spite of that."""
        if not ids:
            return []
        rows = await self.driver.fetch(
            "SELECT id FROM pgqueuer WHERE id = ANY($1::bigint[]) AND queue_manager_id = $2", ids, self._jobs.manager_id
        )
        return [int(str(row["id"])) for row in rows]

    # An empty dequeue has just said that there is nothing: three more questions after each of them cost as much again.
    # What is deferred for later, which they are for, is not used here.

    async def eligible_queued_work(self, entrypoints: list[Any]) -> int:
        return 0

    async def queued_work(self, entrypoints: list[Any]) -> int:
        return 0

    async def next_deferred_eta(self, entrypoints: list[Any]) -> timedelta | None:
        return None
