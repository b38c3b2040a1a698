"""Receiving by webhook: who may call it, and 200 only after the update is stored."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

from adapters.telegram.ids import CHANNEL_NAME
from adapters.telegram.receive import Inbox
from bot.adapter import Host, HttpHandler
from bot.errors import Unavailable

log = logging.getLogger(__name__)

WEBHOOK_PATH: Final = "/telegram/webhook"
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of the header, not the secret
"""https://core.telegram.org/bots/api#setwebhook, `secret_token`; there is no signature of the body."""
AGAIN_SECONDS: Final = "5"
"""`Retry-After`, which Telegram's server heeds up to an hour (telegram-bot-api, WebhookActor.cpp)."""


def webhook(secret: str, host: Host, inbox: Callable[[], Inbox | None]) -> HttpHandler:
    """Make the handler of POST /telegram/webhook; `inbox` gives None while the bot does not know yet who it is.

    `host` hears of every request that is not Telegram's.
    """

    async def handler(request: web.Request) -> web.Response:
        header = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(header.encode("utf-8", "replace"), secret.encode()):
            if header:
                host.note_refused(CHANNEL_NAME, "secret", "is TELEGRAM_WEBHOOK_SECRET what Telegram was told?")
            else:
                host.note_refused(CHANNEL_NAME, "unsigned")
            return web.Response(status=403)
        if request.content_type != "application/json":
            return web.Response(status=415)
        try:
            raw = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.Response(status=400)
        if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
            return web.Response(status=400)
        current = inbox()
        try:
            if current is None:
                raise Unavailable("The bot does not know yet who it is.", reason="starting")
            await current.take(raw)
        except Unavailable as error:
            log.warning("An update was not stored, Telegram will deliver it again: %s", error)
            return web.Response(status=503, headers={"Retry-After": AGAIN_SECONDS})
        return web.Response()

    return handler
