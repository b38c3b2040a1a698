"""What is safely stored can wait: turns begin one after another, only as fast as the database keeps up.

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

CROWD = 32
"""Fewer who wait are no rush."""
PATIENCE = 0.25
"""Seconds the first of a crowd may have waited before the next ones are sent away."""
MOST = 256
"""More never wait; that 200 people ask at the same moment is no flood."""


class Rush:
    """Who waits, and whether more may: not when many wait and the first of them has waited long.

    Those who wait must be told in time, and a rush that is over quickly is no overload.
    """

    def __init__(self) -> None:
        self._since: dict[object, float] = {}

    @property
    def full(self) -> bool:
        """Whether the next one should be sent away at once."""
        waiting = len(self._since)
        if waiting < CROWD:
            return False
        first = next(iter(self._since.values()))
        return waiting >= MOST or asyncio.get_running_loop().time() - first > PATIENCE

    def enter(self, who: object) -> None:
        """Somebody waits from now on."""
        self._since[who] = asyncio.get_running_loop().time()

    def leave(self, who: object) -> None:
        """They need wait no longer."""
        del self._since[who]


class Keeper(Protocol):
    """What work begun adds to: the database."""

    @property
    def behind(self) -> bool:
        """Whether so much waits already that nothing more should begin."""
        ...


class Calm:
    """The way in for work that can wait, first come, first served: a few at a time.

    None while the database is behind: what has begun comes to its end, and does not stand half done in a growing queue.
    """

    def __init__(self, keeper: Keeper, *, together: int = TOGETHER) -> None:
        self._keeper = keeper
        self._together = together
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """Return when it is this caller's turn to begin."""
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        if self._task is None:
            self._task = loop.create_task(self._let_in(), name="calm")
        await mine

    async def _let_in(self) -> None:
        try:
            while self._waiting:
                if self._keeper.behind:
                    await asyncio.sleep(PAUSE)
                    continue
                begun = 0
                while self._waiting and begun < self._together:
                    if not (one := self._waiting.popleft()).done():
                        one.set_result(None)
                        begun += 1
                await asyncio.sleep(0)
        finally:
            self._task = None
