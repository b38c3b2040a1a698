"""One life of the bot: the core, put together as the composition root does, until it is killed or stopped."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from bot.api.gate import Gate
from bot.app_home import AppHomePages
from bot.context import Context
from bot.engine.inprocess import InProcessEngine
from bot.events import Event
from bot.intake.arrival import Accepted
from bot.intake.router import Router
from bot.ratings.submission import RatingSubmitter
from bot.shared import steady_clock
from bot.turns.worker import TurnWorker
from tests.simulation.api import Client
from tests.simulation.channel import SimAdapter
from tests.simulation.disk import Disk
from tests.simulation.loop import OWNER

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")


class Dead(BaseException):
    """The process this ran in has been killed."""


async def _nothing_suggested() -> tuple[str, ...]:
    return ()


class Process:
    """A process of the bot. Whatever it does outside itself asks `point` or `must_live` first."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.began = world.now
        self.died: float | None = None
        self.frozen: list[tuple[float, float]] = []
        self._context = contextvars.copy_context()
        self._context.run(OWNER.set, self)
        chance = random.Random(f"{world.seed} {number}")  # a simulation must be repeatable
        clients = {site: Client(self, world.api, Gate(chance), site) for site in ("ours", "hers")}
        self.disk = Disk(self)
        self.ctx = Context(
            config=world.config,
            db=self.disk,
            adapters={name: SimAdapter(self, channel) for name, channel in world.channels.items()},
            channels={name: channel.spec for name, channel in world.channels.items()},
            api_for=lambda route: clients["hers" if route else "ours"],
            metrics=world.metrics,
            clock=steady_clock(world.wall, world.loop.time),
            random=chance,
            secret="0" * 64,
        )
        parts = world.parts
        self.submitter = parts.submitter(self.ctx)
        worker = parts.worker(self.ctx, self.submitter.wake)
        self.engine = parts.engine(self.ctx, worker, self.submitter.wake)
        home = AppHomePages(self.ctx, _nothing_suggested)
        self.router = parts.router(self.ctx, self.engine, home.show, self.submitter.wake)
        self._loops: list[asyncio.Task[Any]] = []

    @property
    def alive(self) -> bool:
        return self.died is None

    def was_gone(self, since: float, by: float) -> bool:
        """Whether it could not store what it knew since then: it had died by then, or stood still meanwhile."""
        return (self.died is not None and self.died <= by) or any(a <= by and b >= since for a, b in self.frozen)

    @property
    def last_acts(self) -> list[float]:
        """The moment it died, and the one at which it stood still for good."""
        end = self.world.now if self.died is None else self.died
        return [*([] if self.died is None else [self.died]), *(a for a, b in self.frozen if b >= end)]

    def must_live(self) -> None:
        """Raise `Dead` when the process was killed: nothing it does reaches the world any more."""
        if self.died is not None:
            raise Dead

    async def point(self, where: str) -> None:
        """A moment at which a crash may come."""
        self.must_live()
        if self.world.crash_now(self, where):
            raise Dead

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something inside the process."""
        task: asyncio.Task[T] = self.world.loop.create_task(work, context=self._context.copy())
        return task

    def run(self, act: Callable[..., object], *args: object) -> None:
        """Call something inside the process as soon as it runs."""
        self.world.loop.call_soon(act, *args, context=self._context.copy())

    async def start(self) -> None:
        """Go on where the last process ended, then look after lanes and ratings."""
        await self.spawn(self.disk.open())
        await self.spawn(self.engine.start())
        self._loops = [self.spawn(self.engine.run()), self.spawn(self.submitter.run())]

    async def handle(self, event: Event) -> Accepted:
        """What a channel's adapter does with an event."""
        self.must_live()
        return await self.spawn(self.router.handle(event))

    def kill(self) -> None:
        """End at once: nothing more is sent, stored or cleaned up."""
        self.died = self.world.now
        for task in self.world.loop.tasks_of(self):
            task.cancel()

    async def stop(self) -> None:
        """End as SIGTERM does."""
        await self.spawn(self._stop())
        if self.alive:
            self.kill()

    async def _stop(self) -> None:
        await self.engine.drain(9.0)
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)


class Parts:
    """What a process is made of; a mutant puts other things in."""

    def __init__(self) -> None:
        self.world: type[World] | None = None
        self.worker: type[TurnWorker] = TurnWorker
        self.submitter: type[RatingSubmitter] = RatingSubmitter
        self.engine: type[InProcessEngine] = InProcessEngine
        self.router: type[Router] = Router
