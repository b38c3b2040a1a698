"""One message a second into a channel, answers before notices, and those before anything about progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from bot.shared import RankedPace

SECONDS_PER_POST: Final = 1.0
"""Slack's limit for posting into one channel, short bursts aside (docs.slack.dev, "Rate limits", posting messages)."""


class Pacer:
    """Lets posts through one by one per key."""

    def __init__(self) -> None:
        self._posts = RankedPace()

    async def enter(self, key: str, rank: int, pace: Callable[[str, float], Awaitable[None]]) -> None:
        """Return when the caller may post."""
        await self._posts.enter(key, rank, partial(pace, key, SECONDS_PER_POST))
