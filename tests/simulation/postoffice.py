"""How events reach the bot: repeated, delayed, out of order, and again until they are acknowledged.

A channel that can be asked delivers every event by itself, like Slack; the other one in batches that are
confirmed as a whole and come again from their beginning, like Telegram.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from tests.simulation.channel import Channel
from tests.simulation.deeds import Delivery
from tests.simulation.loop import OWNER
from tests.simulation.process import Dead, Process

if TYPE_CHECKING:
    from tests.simulation.world import World

PATIENCE = 3.0
"""Seconds the platform waits for an acknowledgement."""
BATCH = 5


class PostOffice:
    """Delivers until acknowledged."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._queues: dict[str, list[Delivery]] = {}
        self._clerks: dict[str, asyncio.Task[None]] = {}
        self._under_way: Counter[str] = Counter()

    def take(self, delivery: Delivery) -> None:
        """Take in an event of a channel."""
        channel = delivery.channel
        if channel.can_be_asked:
            self.world.spawn(self._one(delivery))
            if self.world.weather.happens(f"{delivery.label} delivered twice", self.world.weather.twice):
                self.world.spawn(self._one(delivery))
            return
        self._queues.setdefault(channel.name, []).append(delivery)
        if channel.name not in self._clerks:
            self._clerks[channel.name] = self.world.spawn(self._batches(channel))

    def idle(self, dead: str) -> bool:
        """Whether everything is delivered, but what people of a channel say that is dead for good."""
        waiting = self._under_way + Counter({name: len(queue) for name, queue in self._queues.items()})
        return not any(count for name, count in waiting.items() if name != dead)

    async def _one(self, delivery: Delivery) -> None:
        self._under_way[delivery.channel.name] += 1
        weather, luck = self.world.weather, self.world.luck
        if weather.happens(f"{delivery.label} delayed", 1.0 if weather.disorder else 0.0):
            await asyncio.sleep(luck.dice(f"{delivery.label} delayed by").uniform(0.0, weather.disorder))
        wait = 1.0
        while not await self._hand_over(delivery) or weather.happens(
            f"acknowledgement of {delivery.label} lost", weather.unacknowledged
        ):
            await asyncio.sleep(wait * luck.dice(f"{delivery.label} again after").uniform(0.5, 1.5))
            wait = min(wait * 2, 15.0)
        self._under_way[delivery.channel.name] -= 1

    async def _batches(self, channel: Channel) -> None:
        weather, luck, queue = self.world.weather, self.world.luck, self._queues[channel.name]
        while True:
            await asyncio.sleep(luck.dice(f"next batch of {channel.name}").choice((0.05, 0.3)))
            batch = queue[:BATCH]
            for delivery in batch:
                if not await self._hand_over(delivery):
                    await asyncio.sleep(1.0)
                    break
            else:
                if not weather.happens(f"confirmation at {channel.name} lost", weather.unacknowledged):
                    del queue[: len(batch)]
            if not queue:
                del self._clerks[channel.name]
                return

    async def _hand_over(self, delivery: Delivery) -> bool:
        """Hand an event to the process that runs; whether it was acknowledged in time."""
        process = self.world.process
        if process is None or not process.alive:
            return False
        if delivery.handed_at is None:
            delivery.handed_at = self.world.now
        task = process.spawn(self._handle(process, delivery))
        await asyncio.wait((task,), timeout=PATIENCE)
        if not task.done() and self.world.weather.happens("connection closed in the middle", 0.3):
            task.cancel()  # the connection is closed, and its handler with it
        return task.done() and not task.cancelled() and task.exception() is None and task.result()

    async def _handle(self, process: Process, delivery: Delivery) -> bool:
        world = self.world
        assert OWNER.get() is process
        try:
            handled = await process.router.handle(delivery.event)
            process.must_live()
        except Dead:
            return False
        except Exception as error:
            kind = type(error).__name__
            world.note("not taken", delivery.label, kind)
            if kind != "Unavailable":
                world.complain(f"handle() raised {error!r}")
            return False
        delivery.outcomes.append(handled.outcome)
        delivery.limited |= handled.ended == "limited"
        if delivery.stored_at is None:
            delivery.stored_at = world.now
        world.note("taken", delivery.label, handled.ended or handled.outcome)
        return True
