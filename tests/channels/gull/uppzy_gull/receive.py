"""Receiving by webhook: who may call it, and 200 only after the event is stored or the payload set aside.

What cannot be stored now leaves `handle` as `Unavailable`, of which the server makes 503.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from aiohttp import web

from bot.adapter import Host
from bot.shared import BackgroundTasks
from uppzy_gull.ids import CHANNEL_NAME
from uppzy_gull.normalize import normalize

STOP_SECONDS = 5.0


class Webhook:
    """Takes signed deliveries to the core while it is open."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._host: Host | None = None
        self._tasks = BackgroundTasks()

    def open(self, host: Host) -> None:
        """Begin to receive."""
        self._host = host

    async def close(self) -> None:
        """Stop receiving; what is under way may end."""
        self._host = None
        await self._tasks.drain(STOP_SECONDS)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a delivery; what was begun ends although the caller is gone."""
        raw = await request.read()
        signature = hmac.new(self._secret, raw, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(request.headers.get("Gull-Signature", "").encode("utf-8", "replace"), signature):
            return web.Response(status=403)
        if self._host is None:
            return web.Response(status=503)
        await self._tasks.spawn(_take(self._host, raw))
        return web.Response()


async def _take(host: Host, raw: bytes) -> None:
    account, event = "", None
    try:
        payload = json.loads(raw)
        account = str(payload["account"])
        event = normalize(payload)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        await host.set_aside(CHANNEL_NAME, account, raw, f"The delivery cannot be read ({type(error).__name__}).")
    if event is not None:
        await host.handle(event)
