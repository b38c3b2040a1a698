"""Receiving by long polling: an offset confirms an update to Telegram only after it is stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from adapters.telegram.client import Client
from adapters.telegram.receive import Inbox
from bot.errors import BotError, Misconfigured, Unavailable
from bot.shared import Backoff

log = logging.getLogger(__name__)


DEAF_SECONDS: Final = 150.0
"""Without any answer of Telegram's, after which the connection of polling is made anew."""


async def poll(client: Client, inbox: Inbox, make_backoff: Callable[[], Backoff]) -> None:
    """Receive until cancelled.

    Raises:
        Misconfigured: the token is refused.
    """
    offset: int | None = None
    backoff = make_backoff()
    loop = asyncio.get_running_loop()
    asked_at: float | None = None  # first, since Telegram has answered
    while True:
        asked_at = asked_at or loop.time()
        try:
            async with asyncio.timeout_at(asked_at + DEAF_SECONDS):
                batch = await client.get_updates(offset)
        except TimeoutError:
            log.warning("Telegram has not answered for %.0f s; polling begins on a new connection.", DEAF_SECONDS)
            await client.renew_polling()
            asked_at = None
            continue
        except Misconfigured:
            raise
        except BotError as error:
            if error.status is not None:
                asked_at = None
            # A 409 too: whoever else polls or has set a webhook, a war over it would only lose updates to neither.
            await pause(backoff, error, "Receiving")
            continue
        asked_at = None
        if not batch:
            # Everything below the offset is confirmed. Without one the next call gives whatever waits, even if
            # Telegram has begun to count anew, as it does after a week without updates
            # (https://core.telegram.org/bots/api#update).
            offset = None
            backoff.reset()
            continue
        confirmed, failure = await _take_all(inbox, batch)
        offset = offset if confirmed is None else confirmed + 1
        if failure is not None:
            await pause(backoff, failure, "Storing updates")
        else:
            backoff.reset()


async def pause(backoff: Backoff, error: BotError, doing: str) -> None:
    """Log a failure and wait: as long as the back-off says, or as Telegram asks if that is longer."""
    asked = error.retry_after if isinstance(error, Unavailable) else None
    seconds = max(asked or 0.0, backoff.next())
    log.warning("%s failed, next attempt in %.1f s: %s", doing, seconds, error)
    await asyncio.sleep(seconds)


async def _take_all(inbox: Inbox, batch: Sequence[Mapping[str, Any]]) -> tuple[int | None, BotError | None]:
    """Take updates in, in order; return the last id that is safe, and what stopped us."""
    confirmed: int | None = None
    unnumbered = False
    for raw in batch:
        try:
            await inbox.take(raw)
        except Unavailable as error:
            return confirmed, error
        update_id = raw.get("update_id")
        if isinstance(update_id, int):
            confirmed = update_id
        else:
            unnumbered = True
    if unnumbered and confirmed is None:
        return None, Unavailable("An update without an id cannot be confirmed.", reason="garbage")
    return confirmed, None
