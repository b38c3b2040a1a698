"""One message a second into a channel, and answers before anything about progress."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

SECONDS_PER_POST: Final = 1.0
"""Slack's limit for posting into one channel, short bursts aside (docs.slack.dev, "Rate limits", posting messages)."""


@dataclass(slots=True)
class _Gate:
    waiting: list[tuple[int, int]] = field(default_factory=list)
    admitted: set[tuple[int, int]] = field(default_factory=set)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    pacing: bool = False


class Pacer:
    """Lets posts through one by one per key: when the time has come, the lowest rank, then the one that came first.

    One of those who wait keeps the time for all, so an answer that comes meanwhile goes before the notice that
    began to wait.
    """

    def __init__(self) -> None:
        self._gates: dict[str, _Gate] = {}
        self._numbers = itertools.count()

    async def enter(self, key: str, rank: int, pace: Callable[[str, float], Awaitable[None]]) -> None:
        """Return when the caller may post."""
        gate = self._gates.setdefault(key, _Gate())
        me = (rank, next(self._numbers))
        heapq.heappush(gate.waiting, me)
        try:
            while me not in gate.admitted:
                async with gate.moved:
                    await gate.moved.wait_for(lambda: me in gate.admitted or not gate.pacing)
                    if me in gate.admitted:
                        break
                    gate.pacing = True
                await self._admit_next(key, gate, pace)
        finally:
            gate.admitted.discard(me)
            if me in gate.waiting:
                gate.waiting.remove(me)
                heapq.heapify(gate.waiting)
            if not (gate.waiting or gate.admitted or gate.pacing):
                self._gates.pop(key, None)

    async def _admit_next(self, key: str, gate: _Gate, pace: Callable[[str, float], Awaitable[None]]) -> None:
        try:
            await pace(key, SECONDS_PER_POST)
            gate.admitted.add(heapq.heappop(gate.waiting))
        finally:
            gate.pacing = False
            async with gate.moved:
                gate.moved.notify_all()
