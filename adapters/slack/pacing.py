"""One message a second into a channel, and answers before anything about progress."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

SECONDS_PER_POST: Final = 1.0
"""Slack's limit for posting into one channel."""


@dataclass(slots=True)
class _Gate:
    waiting: list[tuple[int, int]] = field(default_factory=list)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    busy: bool = False


class Turnstile:
    """Lets posts through one by one per key, the lowest rank first, then in call order."""

    def __init__(self) -> None:
        self._gates: dict[str, _Gate] = {}
        self._numbers = itertools.count()

    async def enter(self, key: str, rank: int, pace: Callable[[str, float], Awaitable[None]]) -> None:
        """Return when the caller may post."""
        gate = self._gates.setdefault(key, _Gate())
        me = (rank, next(self._numbers))
        heapq.heappush(gate.waiting, me)
        try:
            async with gate.moved:
                await gate.moved.wait_for(lambda: not gate.busy and gate.waiting[0] == me)
                gate.busy = True
            try:
                await pace(key, SECONDS_PER_POST)
            finally:
                gate.busy = False
        finally:
            gate.waiting.remove(me)
            heapq.heapify(gate.waiting)
            if gate.waiting:
                async with gate.moved:
                    gate.moved.notify_all()
            else:
                self._gates.pop(key, None)
