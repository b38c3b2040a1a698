"""The cheapest API that speaks the wire contract, in a process of its own: what is measured is the bot.

`python -m tests.benchmarks.loopback_api DELAY` prints its base URL, then serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiohttp import web


def make_app(delay: float, answer: str) -> web.Application:
    """Make the API; a request is completed `delay` seconds after its submit, and its answer names the question."""
    ready: dict[str, float] = {}
    submits: dict[str, float] = {}
    asked: dict[str, str] = {}
    told: dict[str, float] = {}
    counts = {"submits": 0, "polls": 0}

    async def submit(request: web.Request) -> web.Response:
        now = time.time()
        body = json.loads(await request.read())
        counts["submits"] += 1
        name = f"req_{counts['submits']}"
        ready[name] = now + delay
        asked[name] = body["message"]
        submits[body["message"]] = now
        return web.json_response({"request_id": name, "status": "pending"}, status=202)

    async def status(request: web.Request) -> web.Response:
        counts["polls"] += 1
        name = request.match_info["name"]
        if time.time() < ready[name]:
            return web.json_response({"request_id": name, "status": "processing"})
        told.setdefault(asked[name], time.time())
        return web.json_response({"request_id": name, "status": "completed", "answer": f"{asked[name]}: {answer}"})

    async def figures(_: web.Request) -> web.Response:
        return web.json_response(
            {**counts, "at": submits, "ready": {asked[name]: at for name, at in ready.items()}, "told": told}
        )

    async def feedback(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "feedback_submitted_at": "2026-01-01T00:00:00Z"})

    app = web.Application()
    app.router.add_post("/api/v1/m2m/sites/{site}/chat/async", submit)
    app.router.add_get("/api/v1/m2m/sites/{site}/chat/requests/{name}", status)
    app.router.add_post("/api/v1/m2m/sites/{site}/chat/feedback", feedback)
    app.router.add_get("/figures", figures)
    return app


async def serve(delay: float) -> None:
    """Serve until standard input closes."""
    runner = web.AppRunner(make_app(delay, "An answer of **two** sentences. It is short. " * 4), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
