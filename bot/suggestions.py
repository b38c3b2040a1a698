"""The site's suggested questions, from its widget configuration; asked seldom, and never missed when absent."""

from __future__ import annotations

import asyncio

from bot.api.client import ApiClient
from bot.errors import BotError

KEEP = 600.0
"""Seconds until they are asked for again."""


class Suggestions:
    """Call it for the questions, at most four; () when the site has none or the API does not tell."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._known: tuple[str, ...] = ()
        self._until = 0.0

    async def __call__(self) -> tuple[str, ...]:
        """Return them, at most ten minutes old."""
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            self._until = now + KEEP
            try:
                async with asyncio.timeout(2.0):
                    self._known = tuple((await self._api.widget_config()).suggestions)[:4]
            except (BotError, TimeoutError):
                self._until = now + 30.0
        return self._known
