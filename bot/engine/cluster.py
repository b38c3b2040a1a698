"""What the processes of one database share: rights that one of them holds, the pace of a channel, what the API said.

With SQLite one process is all processes (`Alone`); on PostgreSQL a right is a job of the queue, held as long as its
heartbeats are stored and then anybody's, and the pace stands in the database (`Shared`).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from bot.context import Cluster
from bot.engine.ownership import must_hold
from bot.errors import Unavailable
from bot.shared import BackgroundTasks
from bot.store import paces

if TYPE_CHECKING:
    from bot.engine.jobs import Held, JobQueue

MOST_KEYS: Final = 10_000
"""Keys of `pace` above which those are forgotten whose rows are empty."""
ASK_EVERY: Final = 2.0
"""Seconds between two looks whether a right has become free without anybody telling."""
LOOK_EVERY: Final = 0.5
"""Seconds between two looks whether a right is still held."""
FORGET_EVERY: Final = 60.0
RESTART_AFTER: Final = 1.0
"""Seconds before a right that was lost is asked for again."""
SHUT: Final = "uppzy_shut"
"""The channel of notices on which processes tell each other that the API wants to be left alone."""

log = structlog.get_logger(__name__)


class ApiGates(Protocol):
    """The gates of the API keys in use, by names that do not tell what the keys are."""

    told: Callable[[str, float], None]
    """To be called when the API has asked to be left alone for so many seconds."""

    def hold(self, name: str, seconds: float) -> None:
        """Shut a gate because another process was asked to."""
        ...


class EngineCluster(Cluster, Protocol):
    """A cluster that takes gates too."""

    async def share(self, gates: ApiGates) -> None:
        """Let the gates of all processes shut together when the API says 429 to one of them."""
        ...


async def once(cluster: Cluster, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something that never ends in one process at a time: here, as soon as no other does it."""
    while True:
        try:
            async with cluster.lease(name):
                await work()
        except Unavailable as error:
            log.warning("once.lost", what=name, reason=str(error))
            await asyncio.sleep(RESTART_AFTER)


class Alone:
    """The one process of its database."""

    def __init__(self) -> None:
        self._leases: dict[str, asyncio.Semaphore] = {}
        self._next: dict[str, float] = {}

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Hold a right; see `Cluster.lease`."""
        return self._lease(name, places)

    @asynccontextmanager
    async def _lease(self, name: str, places: int) -> AsyncIterator[None]:
        async with self._leases.setdefault(name, asyncio.Semaphore(places)):
            yield

    async def pace(self, key: str, seconds: float) -> None:
        """Wait for the next free place in the key's row: one every `seconds`, in call order."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(now, self._next.get(key, 0.0))
        self._next[key] = at + seconds
        if len(self._next) > MOST_KEYS:
            self._next = {known: until for known, until in self._next.items() if until > now}
        if at > now:
            await asyncio.sleep(at - now)

    async def share(self, gates: ApiGates) -> None:
        """Nothing: there is nobody else."""


class _Grant:
    """A right on its way from the queue to whoever waits for it. `lost` is called when it is held no more."""

    def __init__(self, held: Held) -> None:
        self.held = held
        self.over = asyncio.Event()
        self.lost: Callable[[], None] = lambda: None


class Shared:
    """One of several processes of a database."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._waiting: dict[str, deque[asyncio.Future[_Grant]]] = {}
        self._name = secrets.token_hex(8)
        self._telling = BackgroundTasks()
        self._wanted: dict[str, str] = {}
        self._more = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        queue.on(queue.LEASE, self._offer)

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Hold a right; see `Cluster.lease`."""
        return self._lease(name, places)

    @asynccontextmanager
    async def _lease(self, name: str, places: int) -> AsyncIterator[None]:
        grant = await self._wait_for(name, places)
        try:
            async with asyncio.timeout(None) as scope:
                grant.lost = lambda: scope.reschedule(asyncio.get_running_loop().time())
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            raise Unavailable(f"Another process may hold {name} now.", reason="lease") from None
        finally:
            grant.over.set()

    async def _wait_for(self, name: str, places: int) -> _Grant:
        future: asyncio.Future[_Grant] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(future)
        self._wanted |= {f"lease:{name}#{place}": name for place in range(places)}
        if self._asking is None:
            self._asking = self._telling.spawn(self._ask())
        self._more.set()
        try:
            return await future
        except BaseException:
            if future.done() and not future.cancelled():
                future.result().over.set()
            else:
                self._waiting[name].remove(future)
            raise

    async def _ask(self) -> None:
        """See to it that there is a job for every right that somebody waits for here, as long as somebody does."""
        while True:
            self._more.clear()
            keys = [key for key, name in self._wanted.items() if self._waiting[name]]
            if keys:
                await self._queue.defer_missing(self._queue.LEASE, keys)
            await _either(self._more, ASK_EVERY)

    async def _offer(self, held: Held) -> None:
        """Give a right to who waits for it here, as long as it is held; where nobody does it is others'."""
        waiting = self._waiting.get(held.key.removeprefix("lease:").rpartition("#")[0])
        if not waiting:
            return None
        grant = _Grant(held)
        waiting.popleft().set_result(grant)
        while not grant.over.is_set():
            if not held.holds:
                return grant.lost()
            await _either(grant.over, LOOK_EVERY)
        return None

    def leave(self) -> None:
        """Ask for nothing more."""
        self._telling.cancel()

    async def pace(self, key: str, seconds: float) -> None:
        """Wait for the next free place in the key's row, which all processes share, by the database's clock."""
        row = (await self._queue.query(paces.RESERVE, key, seconds))[0]
        if (wait := float(str(row["wait"]))) > 0:
            await asyncio.sleep(wait)
        must_hold()  # the wait may have been long, and the call comes right after it

    async def forget_paces(self) -> None:
        """Forget the keys that nobody uses any more, again and again, until cancelled. In one process at a time."""
        while True:
            await self._queue.query(paces.FORGET)
            await asyncio.sleep(FORGET_EVERY)

    async def share(self, gates: ApiGates) -> None:
        """Tell the others of a 429, and hear of theirs."""

        def hear(text: str) -> None:
            name, seconds, process = json.loads(text)
            if process != self._name:
                gates.hold(str(name), float(seconds))

        def tell(name: str, seconds: float) -> None:
            self._telling.spawn(self._queue.tell(SHUT, json.dumps([name, seconds, self._name])))

        await self._queue.listen(SHUT, hear)
        gates.told = tell


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
