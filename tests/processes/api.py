"""The smallest M2M API that counts what it is asked, by words, and can say 429."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler


class CountingApi:
    """`submits`: how often each question came; `order`: in which order, by session; `calls`: when each call came.

    Until `limited_until`, on the monotonic clock, every call is answered 429 with the seconds that are left.
    """

    def __init__(self, delay: float) -> None:
        self.url = ""
        self.delay = delay
        self.submits: Counter[str] = Counter()
        self.order: dict[str, list[str]] = {}
        self.submitted_at: dict[str, float] = {}
        self.calls: list[float] = []
        self.limited_until = 0.0
        self._ready: dict[str, tuple[float, str]] = {}

    def _limited(self) -> web.Response | None:
        self.calls.append(time.monotonic())
        left = self.limited_until - time.monotonic()
        if left <= 0:
            return None
        return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": str(math.ceil(left))})

    async def submit(self, request: web.Request) -> web.Response:
        if (limited := self._limited()) is not None:
            return limited
        body = await request.json()
        message = str(body["message"])
        self.submits[message] += 1
        self.submitted_at.setdefault(message, time.monotonic())
        self.order.setdefault(str(body["session_id"]), []).append(message)
        name = f"r{len(self._ready)}"
        self._ready[name] = (time.monotonic() + self.delay, message)
        return web.json_response({"request_id": name, "status": "pending"}, status=202)

    async def status(self, request: web.Request) -> web.Response:
        if (limited := self._limited()) is not None:
            return limited
        name = request.match_info["name"]
        at, message = self._ready[name]
        if time.monotonic() < at:
            return web.json_response({"request_id": name, "status": "processing"})
        return web.json_response({"request_id": name, "status": "completed", "answer": f"The answer to {message}."})


@asynccontextmanager
async def served(submit: Handler, status: Handler) -> AsyncIterator[str]:
    """Serve the two endpoints of a chat on a free loopback port; yield the address."""
    app = web.Application()
    app.router.add_post("/api/v1/m2m/sites/{site}/chat/async", submit)
    app.router.add_get("/api/v1/m2m/sites/{site}/chat/requests/{name}", status)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await asyncio.shield(runner.cleanup())


@asynccontextmanager
async def an_api(delay: float) -> AsyncIterator[CountingApi]:
    """Serve it on a free loopback port."""
    api = CountingApi(delay)
    async with served(api.submit, api.status) as api.url:
        yield api
