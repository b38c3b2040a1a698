"""A tap on a loopback connection: forwards HTTP, and lets a test act before a request or between act and reply.

`before(path)` runs when a request has arrived and nothing was forwarded; `after(path)` when the other side has acted
and its reply has not been sent. What they raise cuts the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web

Hook = Callable[[str, str], Awaitable[None]]


class Cut(Exception):
    """Cut the connection here."""


async def nothing(_method: str, _path: str) -> None:
    """Let it pass."""


class Tap:
    """One reverse proxy on a free loopback port."""

    def __init__(self, target: str) -> None:
        self.target = target.rstrip("/")
        self.before: Hook = nothing
        self.after: Hook = nothing
        self.url = ""
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Tap:
        self._session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        body = await request.read()
        try:
            await self.before(request.method, request.path)
            headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
            async with self._session.request(
                request.method, self.target + request.path_qs, data=body, headers=headers, allow_redirects=False
            ) as reply:
                answer = await reply.read()
                await self.after(request.method, request.path)
                kept = {
                    k: v
                    for k, v in reply.headers.items()
                    if k.lower() in ("content-type", "retry-after", "x-oauth-scopes")
                }
                return web.Response(body=answer, status=reply.status, headers=kept)
        except (Cut, aiohttp.ClientError, asyncio.CancelledError):
            if request.transport is not None:  # else the other side has cut already
                request.transport.abort()
            return web.Response(status=502)
