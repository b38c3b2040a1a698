"""One message a second into a channel, answers before notices, and those before anything about progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from bot.shared import PROGRESS_RANK, PaceSlots, RankedPace

SECONDS_PER_POST: Final = 1.0
"""Slack's limit for posting into one channel, short bursts aside (docs.slack.dev, "Rate limits", posting messages)."""
BURST: Final = 2
"""Posts that may go at once, or an answer would wait behind the notice that was to bridge its time."""


class Pacer:
    """Lets posts through one by one per key."""

    def __init__(self) -> None:
        self._posts = RankedPace()
        self._slots = PaceSlots(BURST)

    async def enter(self, key: str, rank: int, pace: Callable[[str, float], Awaitable[None]]) -> None:
        """Return when the caller may post."""
        if rank == PROGRESS_RANK:  # these leave a place free
            await pace(f"{key}:progress", BURST * SECONDS_PER_POST)
        await self._posts.enter(key, rank, lambda: pace(self._slots.next(key), BURST * SECONDS_PER_POST))
