"""Load shedding: when too much waits to be stored, the next event is sent away at once and comes again."""

from __future__ import annotations

import asyncio

CROWD = 32
"""Fewer events that wait are no overload."""
LONGEST_WAIT = 0.25
"""Seconds the first of a crowd may have waited before the next ones are sent away."""
MOST = 256
"""More never wait; that 200 people ask at the same moment is no flood."""


class LoadShedder:
    """Who waits to be stored, and whether more may: not when many wait and the first of them has waited long.

    Those who wait must be told in time, and a rush that is over quickly is no overload.
    """

    def __init__(self) -> None:
        self._since: dict[object, float] = {}

    @property
    def overloaded(self) -> bool:
        """Whether the next event should be sent away at once."""
        waiting = len(self._since)
        if waiting < CROWD:
            return False
        first = next(iter(self._since.values()))
        return waiting >= MOST or asyncio.get_running_loop().time() - first > LONGEST_WAIT

    def enter(self, event: object) -> None:
        """An event waits from now on."""
        self._since[event] = asyncio.get_running_loop().time()

    def leave(self, event: object) -> None:
        """It need wait no longer."""
        del self._since[event]
