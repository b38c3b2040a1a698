"""Receiving: each delivery of the platform is stored, or set aside, before the platform is told that it arrived."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from typing import Any, Final

from adapters.playground.errors import our_errors
from adapters.playground.ids import ACCOUNT, CHANNEL_NAME
from adapters.playground.normalize import normalize
from adapters.playground.platform import PendingPayload, Platform
from bot.adapter import Host
from bot.errors import Unavailable
from bot.events import Reaction
from bot.shared import BackgroundTasks

STOP_SECONDS: Final = 5.0
"""How long a delivery under way may take after receiving was cancelled."""

_log = logging.getLogger(__name__)


class Inbox:
    """Takes the platform's deliveries to the core, in order."""

    def __init__(self, platform: Platform, host: Host) -> None:
        self._platform = platform
        self._host = host
        self._tasks = BackgroundTasks()

    async def take_all(self) -> bool:
        """Take in what is pending; False when something is left and should be tried again later."""
        complete = True
        with our_errors():
            items = self._platform.pending()
        for item in items:
            try:
                await self._to_its_end(self._take(item))
            except Unavailable:
                return False  # nothing can be stored now; the order is kept
            except Exception as error:
                # One delivery that the core stumbles over must not hold up those behind it.
                _log.error("A delivery of the playground failed with %s; it is tried again.", type(error).__name__)
                complete = False
        return complete

    async def _take(self, item: PendingPayload) -> None:
        try:
            events = normalize(json.loads(item.payload))
        except (ValueError, KeyError, AttributeError) as error:
            reason = f"The playground's delivery cannot be read ({type(error).__name__})."
            await self._host.set_aside(CHANNEL_NAME, ACCOUNT, item.payload.encode(), reason)
            events = ()
        for event in events:
            handled = await self._host.handle(event)
            if handled.ask_why and isinstance(event, Reaction):
                self._platform.ask_why(event.target.message_id, event.user_id)
        with our_errors():
            self._platform.acknowledge(item)

    async def _to_its_end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for the work; when cancelled meanwhile, let it end first, within what a shutdown allows."""
        task = self._tasks.spawn(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await self._tasks.drain(STOP_SECONDS)
            raise
