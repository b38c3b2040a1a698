"""Receiving: each update is stored, or set aside, before Telegram is told that it arrived."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from telegram.error import ChatMigrated

from adapters.telegram.client import Client
from adapters.telegram.groups import Groups
from adapters.telegram.identity import Identity
from adapters.telegram.normalize import normalize
from bot.adapter import Host, HttpHandler
from bot.errors import BotError, Misconfigured, Unavailable
from bot.events import Event, Message

log = logging.getLogger(__name__)

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of the header, not the secret
ALBUMS_KEPT: Final = 1000
AGAIN_SECONDS: Final = "5"

Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Inbox:
    """Takes single updates in. `spawn` runs what may happen after the update is safe."""

    def __init__(
        self, client: Client, host: Host, identity: Identity, groups: Groups, spawn: Spawn, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._host = host
        self._identity = identity
        self._groups = groups
        self._spawn = spawn
        self._now = now
        self._captioned: OrderedDict[str, None] = OrderedDict()

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Store what the update means, or the update itself when it cannot be read.

        Raises:
            Unavailable: it is not stored; do not confirm it.
        """
        try:
            events = normalize(raw, self._identity, self._now())
        except Exception as error:
            # Whatever it is, it comes again for a day if it is not taken, and holds up all that come after it.
            await self._set_aside(raw, f"The update cannot be read ({type(error).__name__}).")
        else:
            for event in events:
                if not self._is_rest_of_album(raw, event):
                    await self._handle(raw, event)
        self._afterwards(raw)

    async def _handle(self, raw: Mapping[str, Any], event: Event) -> None:
        try:
            await self._host.handle(event)
        except Unavailable:
            raise
        except Exception as error:
            log.exception("An update could not be taken in and is set aside.")
            await self._set_aside(raw, f"Taking the update in failed ({type(error).__name__}).")

    async def _set_aside(self, raw: Mapping[str, Any], reason: str) -> None:
        try:
            body = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
        except (RecursionError, ValueError):
            # Nested so deeply that it can only just be read. It has to end here too, or its chat stands still.
            body = json.dumps({"update_id": raw.get("update_id"), "left_out": "nested too deeply"}).encode()
        await self._host.set_aside("telegram", self._client.account_id, body, reason)

    def _is_rest_of_album(self, raw: Mapping[str, Any], event: Event) -> bool:
        """Tell whether the caption of the same album has already asked, so that this picture needs no notice."""
        if not isinstance(event, Message) or not event.has_attachment:
            return False
        message = raw.get("message")
        group = message.get("media_group_id") if isinstance(message, dict) else None
        if not group:
            return False
        album = f"{event.conversation.conversation_id}:{group}"
        if not event.text:
            return album in self._captioned
        self._captioned[album] = None
        while len(self._captioned) > ALBUMS_KEPT:
            self._captioned.popitem(last=False)
        return False

    def _afterwards(self, raw: Mapping[str, Any]) -> None:
        """Do what Telegram's side of the conversation needs; nothing here may fail the update."""
        query = raw.get("callback_query")
        if isinstance(query, dict) and isinstance(query.get("id"), str):
            self._spawn(self._answer(query["id"]))
        if "message_reaction" in raw:
            self._groups.reactions += 1
        member = raw.get("my_chat_member")
        for update in (member, raw.get("message")):
            chat = update.get("chat") if isinstance(update, dict) else None
            if not isinstance(chat, dict) or chat.get("type") not in ("group", "supergroup"):
                continue
            chat_id = str(chat.get("id"))
            status = _status(member)
            if status:
                self._groups.set_status(chat_id, status)
            elif self._groups.is_new(chat_id):
                self._spawn(self._groups.look(chat_id))

    async def _answer(self, query_id: str) -> None:
        """End the button's spinning. An old click cannot be answered any more, which is nobody's trouble."""
        try:
            async with self._client.call("answerCallbackQuery") as bot:
                await bot.answer_callback_query(query_id)
        except (BotError, ChatMigrated) as error:
            log.debug("a click is not answered: %s", error)


def _status(member: object) -> str:
    new = member.get("new_chat_member") if isinstance(member, dict) else None
    status = new.get("status") if isinstance(new, dict) else None
    return status if isinstance(status, str) else ""


class Backoff:
    """Pauses after failures: doubling from one second to thirty, or what Telegram asks for."""

    first = 1.0
    longest = 30.0

    def __init__(self) -> None:
        self._next = self.first

    def reset(self) -> None:
        """After a success."""
        self._next = self.first

    async def wait(self, error: BotError, doing: str) -> None:
        """Log and wait."""
        asked = error.retry_after if isinstance(error, Unavailable) else None
        pause = max(asked or 0.0, self._next)
        log.warning("%s failed, next attempt in %.0f s: %s", doing, pause, error)
        self._next = min(self._next * 2, self.longest)
        await asyncio.sleep(pause)


async def poll(client: Client, inbox: Inbox) -> None:
    """Receive by long polling until cancelled.

    Raises:
        Misconfigured: the token is refused.
    """
    offset: int | None = None
    backoff = Backoff()
    while True:
        try:
            batch = await client.get_updates(offset)
        except Misconfigured:
            raise
        except BotError as error:
            # A 409 too: whoever else polls or has set a webhook, a war over it would only lose updates to neither.
            await backoff.wait(error, "Receiving")
            continue
        if not batch:
            # Everything below the offset is confirmed. Without one the next call gives whatever waits, even if
            # Telegram has begun to count anew, as it does after a silent week.
            offset = None
            backoff.reset()
            continue
        confirmed, failure = await _take_all(inbox, batch)
        offset = offset if confirmed is None else confirmed + 1
        if failure is not None:
            await backoff.wait(failure, "Storing updates")
        else:
            backoff.reset()


async def _take_all(inbox: Inbox, batch: Any) -> tuple[int | None, BotError | None]:
    """Take updates in, in order; return the last id that is safe, and what stopped us."""
    confirmed: int | None = None
    unnumbered = False
    for raw in batch:
        try:
            await inbox.take(raw)
        except Unavailable as error:
            return confirmed, error
        number = raw.get("update_id")
        if isinstance(number, int):
            confirmed = number
        else:
            unnumbered = True
    if unnumbered and confirmed is None:
        return None, Unavailable("An update without an id cannot be confirmed.", reason="garbage")
    return confirmed, None


def webhook(secret: str, inbox: Callable[[], Inbox | None]) -> HttpHandler:
    """Make the handler of POST /telegram/webhook; `inbox` gives None while the bot does not know yet who it is."""

    async def handler(request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            return web.Response(status=403)
        if request.content_type != "application/json":
            return web.Response(status=415)
        try:
            raw = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400)
        if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
            return web.Response(status=400)
        now = inbox()
        try:
            if now is None:
                raise Unavailable("The bot does not know yet who it is.", reason="starting")
            await now.take(raw)
        except Unavailable as error:
            log.warning("An update was not stored, Telegram will deliver it again: %s", error)
            return web.Response(status=503, headers={"Retry-After": AGAIN_SECONDS})
        return web.Response()

    return handler
