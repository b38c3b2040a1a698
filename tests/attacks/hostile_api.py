"""An API that answers honest questions, and those that name an attack with that attack; in a process of its own.

`python -m tests.attacks.hostile_api DELAY` prints its base URL, then serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import itertools
import json
import sys
import zlib
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from tests.benchmarks.loopback_api import make_app

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Attack = Callable[[web.Request], Awaitable[web.StreamResponse]]
NAME = "evil-"
HOLD = 3.0
"""Seconds for which a submit's connection is held where the question says `slowly`."""


@functools.cache
def twice_packed() -> bytes:
    """Pack a gigabyte, and what came of it again; a megabyte is packed once and repeated, for that takes no time."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    header = gzip.compress(b"", mtime=0)[:10]
    return gzip.compress(header + block * 1000 + packer.flush() + bytes(8))  # nobody reads as far as its checksum


async def stacked(_: web.Request) -> web.StreamResponse:
    """Answer with 1.8 KB that unpack to a gigabyte."""
    return web.Response(
        body=twice_packed(), headers={"Content-Encoding": "gzip, gzip"}, content_type="application/json"
    )


async def packed(_: web.Request) -> web.StreamResponse:
    """Answer with a megabyte that unpacks to a gigabyte."""
    headers = {"Content-Encoding": "gzip"}
    return web.Response(body=gzip.decompress(twice_packed()), headers=headers, content_type="application/json")


async def longid(_: web.Request) -> web.StreamResponse:
    """Answer with an id that fills the reply."""
    return web.json_response({"request_id": "x" * 3_900_000, "status": "pending"})


async def bigint(_: web.Request) -> web.StreamResponse:
    """Answer with numbers that no computer counts."""
    body = b'{"request_id": "r", "status": "processing", "confidence_score": %s}' % (b"9" * 4000)
    return web.Response(body=body, content_type="application/json")


async def interim(request: web.Request) -> web.StreamResponse:
    """Say that it goes on, for ever."""
    while request.transport is not None and not request.transport.is_closing():
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        await asyncio.sleep(0.001)
    return web.Response()


ATTACKS: Mapping[str, Attack] = {attack.__name__: attack for attack in (stacked, packed, longid, bigint, interim)}


def hostile(delay: float) -> web.Application:
    """Make the API. An attack named after `poll ` in a question begins with the polls, else with the submit."""
    app, numbers = make_app(delay, "An answer of **two** sentences. It is short. " * 4), itertools.count()

    @web.middleware
    async def attacking(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.get("name", "")
        if name.startswith(NAME):
            return await ATTACKS[name.split("-")[1]](request)
        if request.method == "POST" and request.path.endswith("/async"):
            words = json.loads(await request.read())["message"].split()
            attack = next((word for word in words if word in ATTACKS), None)
            if attack is not None and "poll" in words:
                name = f"{NAME}{attack}-{next(numbers)}"
                return web.json_response({"request_id": name, "status": "pending"}, status=202)
            if "slowly" in words:
                await asyncio.sleep(HOLD)  # and then answer as ever
            if attack is not None:
                return await ATTACKS[attack](request)
        return await handler(request)

    app.middlewares.append(attacking)
    return app


async def serve(delay: float) -> None:
    """Serve until standard input closes."""
    runner = web.AppRunner(hostile(delay), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
