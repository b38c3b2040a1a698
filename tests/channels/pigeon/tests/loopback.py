"""A strict pigeon on this machine: lines in, lines out."""

from __future__ import annotations

import itertools

import aiohttp
from aiohttp import web

from bot.render import is_blank
from bot.testing.wire import FailHow

TOKEN, NUMBER, PERSON, LIMIT = "pigeon-token", "+441000", "+442000", 1_600


class Pigeon:
    """The service, with one number of ours."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str, str]] = []
        self.sends = self.port = 0
        self.failure: FailHow | None = None
        self.retry_after = 0.0
        self.webhook_url = ""
        self._ids = itertools.count(1_000)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; again on the same port after `stop`."""
        app = web.Application()
        app.router.add_post("/{what}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port or self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no longer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def write(self, text: str) -> str:
        """Build the payload of a person's message."""
        number = next(self._ids)
        return "\n".join(
            [f"P{number}", f"2026-01-02T03:{number // 60 % 60:02}:{number % 60:02}+00:00", PERSON, NUMBER, text]
        )

    async def deliver(self, payload: str, token: str = TOKEN) -> int:
        """Deliver once and return the status."""
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.request("POST", self.webhook_url, data=payload.encode(), headers=headers) as response:
            return response.status

    async def _take(self, request: web.Request) -> web.Response:
        sending = request.match_info["what"] == "messages"
        self.sends += sending
        if self.failure == "rate_limited":
            return web.Response(status=429, headers={"Retry-After": f"{self.retry_after:.0f}"})
        if self.failure == "bad_token" or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if self.failure == "gone" and sending:
            return web.Response(status=410)
        line = self._send(await request.text()) if sending else NUMBER
        if self.failure == "cut_after_write" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=200 if line else 400, text=line)

    def _send(self, body: str) -> str:
        sender, to, text = body.split("\n", 2)
        if sender != NUMBER or not to.startswith("+") or is_blank(text) or len(text) > LIMIT:
            return ""
        self.posted.append((f"P{next(self._ids)}", to, text))
        return self.posted[-1][0]
