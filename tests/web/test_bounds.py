"""What comes from outside is bounded before any work: encodings, lengths, headers, connections."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web

from bot.telemetry.metrics import Metrics
from bot.web import Health, Server
from bot.web.connections import Connection
from bot.web.descriptors import RESERVED, Descriptors, share

Read = Callable[[bytes], Awaitable[bytes]]
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HALF = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.Response]] = echo, **options: Any
) -> AsyncIterator[Server]:
    settings: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "metrics": Metrics(), "health": Health()}
    server = Server(**settings | {"drain_seconds": 1} | options)
    server.add("POST", "/echo", handler)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def status_of(server: Server, request: bytes) -> int:
    """Send bytes; return the status of the response, which must come soon."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    try:
        async with asyncio.timeout(5):
            return int((await reader.readuntil(b"\r\n")).split()[1])
    finally:
        writer.close()


def head(*lines: str) -> bytes:
    return "\r\n".join(("POST /echo HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "gzip, gzip", "identity, gzip", "x"])
async def test_a_compressed_body_is_refused_before_it_is_read(encoding: str) -> None:
    read: list[bytes] = []

    async def handler(request: web.Request) -> web.Response:
        read.append(await request.read())
        return web.Response()

    async with serving(handler) as server:
        # Not a byte of the body is sent: who would wait for it would wait for ever.
        assert await status_of(server, head(f"Content-Encoding: {encoding}", "Content-Length: 7")) == 415
        packed = gzip.compress(b"x" * 1_000_000)
        whole = head(f"Content-Encoding: {encoding}", f"Content-Length: {len(packed)}") + packed
        assert await status_of(server, whole) == 415
        two = head("Content-Encoding: identity", f"Content-Encoding: {encoding}", "Content-Length: 7")
        assert await status_of(server, two) == 415
    assert read == []


async def test_the_identity_is_no_encoding() -> None:
    async with serving() as server:
        assert await status_of(server, head("Content-Encoding: identity", "Content-Length: 2") + b"ok") == 200


async def test_who_asks_before_sending_a_body_is_told_at_once() -> None:
    asks = "Expect: 100-continue"
    async with serving(body_bytes=1000) as server:
        assert await status_of(server, head(asks, "Content-Length: 1001")) == 413
        assert await status_of(server, head(asks, "Content-Encoding: gzip", "Content-Length: 10")) == 415
        assert await status_of(server, head(asks, "Content-Length: 10")) == 100


@pytest.mark.parametrize("size", ["10000000000000000", "ffffffffffffffff1", "-1", "zz"])
async def test_a_chunk_of_an_impossible_size_is_a_bad_request(size: str) -> None:
    chunked = head("Transfer-Encoding: chunked")
    async with serving() as server:
        assert await status_of(server, chunked + f"{size}\r\nabc".encode()) == 400
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(chunked + b"3\r\nabc\r\n")
        await asyncio.sleep(0.05)  # the handler waits for the rest already
        writer.write(f"{size}\r\nabc".encode())
        async with asyncio.timeout(5):
            assert b" 400 " in await reader.readuntil(b"\r\n")
        writer.close()


async def test_large_bodies_are_bounded_together_and_small_ones_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.bodies.SMALL", 10)
    monkeypatch.setattr("bot.web.bodies.MOST_LARGE", 250)
    async with serving() as server:
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        for _, writer in held:
            writer.write(head("Content-Length: 100") + b"x" * 99)
        await asyncio.sleep(0.1)
        assert await status_of(server, head("Content-Length: 100") + b"x" * 100) == 503
        assert await status_of(server, head("Content-Length: 10") + b"x" * 10) == 200
        for reader, writer in held:
            writer.write(b"x")
            async with asyncio.timeout(5):
                assert b" 200 " in await reader.readuntil(b"\r\n")
        assert await status_of(server, head("Content-Length: 100") + b"x" * 100) == 200
        for _, writer in held:
            writer.close()


# connections


async def opened(server: Server, data: bytes, count: int, source: str = "127.0.0.1") -> list[Opened]:
    """Open connections, each of which has sent this much, in order."""
    found = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(source, 0))
        writer.write(data)
        found.append((reader, writer))
        await asyncio.sleep(0.01)
    return found


async def is_cut(connection: Opened) -> bool:
    reader, writer = connection
    try:
        async with asyncio.timeout(0.2):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        writer.close()


@pytest.mark.parametrize("data", [b"", HALF, head("Content-Length: 10") + b"x"])
async def test_a_newcomer_finds_a_place_whatever_the_others_hold(data: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        async with serving(connections=8) as server:
            held = await opened(server, data, 4, "127.0.0.2") + await opened(server, data, 20, "127.0.0.3")
            for _ in range(3):
                assert await status_of(server, head("Content-Length: 2") + b"ok") == 200
            assert len(server.connected) <= 8
            assert not await is_cut(held[3]), "one peer may not push out all others"
            assert await is_cut(held[4])
            for _, writer in held:
                writer.close()
    full = [line for line in logs if line["event"] == "connections.full"]
    assert len(full) == 1, "one line a minute, however many are cut"


async def test_an_idle_connection_makes_room_and_one_at_work_never_does() -> None:
    release = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response(text="done")

    async with serving(slow, connections=4) as server:
        working = await opened(server, head("Content-Length: 0"), 2)
        await asyncio.sleep(0.05)
        more = await opened(server, b"", 2, "127.0.0.2")
        more += await opened(server, b"", 1, "127.0.0.3")
        assert await is_cut(more[0])
        refused = await opened(server, head("Content-Length: 0"), 1)  # this peer has all it may, and works on it
        assert await is_cut(refused[0])
        release.set()
        for reader, _ in working:
            async with asyncio.timeout(5):
                assert b" 200 " in await reader.readuntil(b"done")
        fresh = await opened(server, b"", 1)
        assert await is_cut(working[0]), "it was idle"
        assert not await is_cut(fresh[0])
        for _, writer in working + more:
            writer.close()


async def test_a_header_that_is_late_is_cut_and_a_quiet_connection_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.connections.HEADER_SECONDS", 0.2)
    monkeypatch.setattr("bot.web.connections.SWEEP_EVERY", 0.05)
    async with serving() as server:
        silent, half = (await opened(server, b"", 1))[0], (await opened(server, HALF, 1))[0]
        ((reader, writer),) = await opened(server, head("Content-Length: 2") + b"ok", 1)
        slow_body = (await opened(server, head("Content-Length: 2") + b"o", 1))[0]
        async with asyncio.timeout(5):
            assert await silent[0].read() == b""
            assert await half[0].read() == b""
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.4)
        writer.write(head("Content-Length: 2") + b"ok")  # kept alive between requests
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.write(HALF)  # but not within one
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        slow_body[1].write(b"k")
        assert (await slow_body[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        for _, other in (silent, half, slow_body, (reader, writer)):
            other.close()


async def test_nothing_is_kept_of_connections_that_have_ended() -> None:
    async with serving(connections=50) as server:
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(f"{server.url}healthz") as reply:
                    assert reply.status == 200
        for data in (b"", HALF, b"no http\r\n\r\n", head("Content-Length: 9") + b"x"):
            for _, writer in await opened(server, data, 10):
                writer.transport.abort()
        async with asyncio.timeout(5):
            while len(server.connected):
                await asyncio.sleep(0.01)
        assert server.connected.is_empty


def test_both_sides_and_the_rest_fit_into_what_may_be_open() -> None:
    for limit in (400, 1024, 4096, 20_000):
        shares = share(limit)
        assert shares.incoming + shares.outgoing + RESERVED <= limit
    assert share(400) == Descriptors(72, 72)


async def test_what_cannot_be_accepted_is_one_line_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with serving():
        with structlog.testing.capture_logs() as logs:
            for _ in range(100):
                asyncio.get_running_loop().call_exception_handler(
                    {
                        "message": "socket.accept() out of system resource",
                        "exception": OSError(24, "Too many open files"),
                    }
                )
    assert [line["event"] for line in logs] == ["connections.none_accepted"]
    assert caplog.records == []


class OfAnotherLoop:
    """A transport that is none of asyncio's classes, as uvloop's are."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_a_transport_is_known_by_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Connection.connection_made
    monkeypatch.setattr(Connection, "connection_made", lambda self, transport: made(self, OfAnotherLoop(transport)))  # type: ignore[arg-type]
    async with serving() as server:
        assert await status_of(server, head("Content-Length: 2") + b"hi") == 200
