"""A person's page about the bot, where the channel has one: their own recent questions, nothing of other people's.

It is shown as well as possible and never stored: the next opening shows it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.context import Context
from bot.errors import BotError
from bot.events import Home, HomeOpened
from bot.store import history

RECENT = 8
log = structlog.get_logger(__name__)


class HomePages:
    """Sends `Home` when somebody opens it. `suggestions` asks the site for its suggested questions."""

    def __init__(self, ctx: Context, suggestions: Callable[[], Awaitable[tuple[str, ...]]]) -> None:
        self.ctx = ctx
        self._suggestions = suggestions
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, event: HomeOpened) -> None:
        """Send the page in the background."""
        task = asyncio.get_running_loop().create_task(self._show(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Drop what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show(self, event: HomeOpened) -> None:
        place = event.conversation
        adapter = self.ctx.adapters.get(place.channel)
        if adapter is None:
            return
        try:
            recent = await self.ctx.db.read(
                lambda tx: history.recent(tx, place.channel, place.account_id, event.user_id, RECENT)
            )
            home = Home(user_id=event.user_id, recent=recent, suggestions=await self._suggestions())
            for index, part in enumerate(adapter.render(home)):
                await adapter.send(place, part, f"{self.ctx.random.getrandbits(120):030x}{index:02x}", None)
        except BotError as error:
            log.info("home.failed", reason=error.reason)
