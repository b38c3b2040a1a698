"""A person's page about the bot, where the channel has one: their own recent questions, nothing of other people's.

It is shown as well as possible and never stored: the next opening shows it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from bot.context import Context
from bot.errors import BotError
from bot.events import Home, HomeOpened
from bot.sessions import Address
from bot.shared import BackgroundTasks
from bot.store import questions

RECENT = 8
KEEP_SUGGESTIONS = 600.0
"""Seconds until the site's suggested questions are asked for again."""
ASK_AGAIN = 30.0
"""Seconds until they are asked for again when the API did not tell."""

log = structlog.get_logger(__name__)


class AppHomePages:
    """Sends `Home` when somebody opens it. `suggestions` asks the site for its suggested questions."""

    def __init__(self, ctx: Context, suggestions: Callable[[], Awaitable[tuple[str, ...]]]) -> None:
        self.ctx = ctx
        self._suggestions = suggestions
        self._tasks = BackgroundTasks()

    def show(self, event: HomeOpened) -> None:
        """Send the page in the background."""
        self._tasks.spawn(self._show(event))

    async def drain(self) -> None:
        """Drop what is under way."""
        await self._tasks.drain()

    async def _show(self, event: HomeOpened) -> None:
        where = event.conversation
        adapter = self.ctx.adapters.get(where.channel)
        if adapter is None:
            return
        try:
            recent = await self.ctx.db.read(
                lambda tx: questions.recent_of(tx, where.channel, where.account_id, event.user_id, RECENT)
            )
            language = await self._language(event)
            suggestions = await self._suggestions()
            home = Home(user_id=event.user_id, recent=recent, suggestions=suggestions, language=language)
            for number, part in enumerate(adapter.render(home)):
                await adapter.send(where, part, f"{self.ctx.random.getrandbits(120):030x}{number:02x}", None)
        except BotError as error:
            log.info("home.failed", reason=error.reason)

    async def _language(self, event: HomeOpened) -> str:
        """The page is the person's own, so its language is theirs."""
        where = event.conversation
        locale = event.locale or await self.ctx.people.locale_of(where.channel, where.account_id, event.user_id)
        address = Address(where.channel, where.account_id, where.conversation_id)
        return self.ctx.language(replace(where, is_direct=True), self.ctx.route_of(address)[1], locale)


class Suggestions:
    """The site's suggested questions: at most four, () when the API does not tell. `fetch` asks it for them."""

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._fetch = fetch
        self._known: tuple[str, ...] = ()
        self._until = 0.0

    async def __call__(self) -> tuple[str, ...]:
        """Return them, at most ten minutes old."""
        now = asyncio.get_running_loop().time()
        if now >= self._until:
            self._until = now + KEEP_SUGGESTIONS
            try:
                async with asyncio.timeout(2.0):
                    self._known = tuple(await self._fetch())[:4]
            except (BotError, TimeoutError):
                self._until = now + ASK_AGAIN
        return self._known
