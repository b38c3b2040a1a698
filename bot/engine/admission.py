"""Admission control: what is stored begins one after another, only as fast as the database keeps up.

Without that, a rush of questions starts so many turns at once that there is no time left to take events in, the
platforms' deliveries time out and come again, and the load grows by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

TOGETHER = 4
"""How many begin in one round of the loop."""

PAUSE = 0.01
"""Seconds between two looks whether the database has caught up."""


class Backlog(Protocol):
    """What work that begins adds to: the database's queue of writes."""

    @property
    def behind(self) -> bool:
        """Whether so much waits already that nothing more should begin."""
        ...


class AdmissionQueue:
    """The way in for work that can wait, first come, first served: `together` at a time.

    None begins while the backlog is behind: what has begun comes to its end, and does not stand half done in a
    growing queue.
    """

    def __init__(self, backlog: Backlog, *, together: int = TOGETHER) -> None:
        self._backlog = backlog
        self._together = together
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Return when it is this caller's turn to begin."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        if self._task is None:
            self._task = loop.create_task(self._admit(), name="admission")
        await place

    async def _admit(self) -> None:
        try:
            while self._waiting:
                if self._backlog.behind:
                    await asyncio.sleep(PAUSE)
                    continue
                admitted = 0
                while self._waiting and admitted < self._together:
                    if not (place := self._waiting.popleft()).done():
                        place.set_result(None)
                        admitted += 1
                await asyncio.sleep(0)
        finally:
            self._task = None
