"""FakeHost does what adapters' tests rely on, and the network is refused."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from bot.adapter import Host, HttpHandler
from bot.errors import Misconfigured, OutcomeUnknown, Unavailable
from bot.events import Deletion, MessageRef
from bot.telemetry.metrics import Metrics
from bot.testing.host import BODY_LIMIT, FakeHost
from bot.web.health import Health
from bot.web.server import Server
from tests import conftest


def deletion(event_id: str) -> Deletion:
    ref = MessageRef(channel="fake", account_id="A", conversation_id="C", message_id="1")
    return Deletion(event_id=event_id, ref=ref, sent_at=datetime(2026, 1, 2, tzinfo=UTC))


async def test_records_once_and_says_duplicate() -> None:
    host = FakeHost()
    typed: Host = host
    assert (await typed.handle(deletion("a"))).outcome == "accepted"
    assert (await typed.handle(deletion("a"))).outcome == "duplicate"
    assert len(host.events) == 1
    assert len(host.deliveries) == 2


async def test_fails_and_recovers() -> None:
    host = FakeHost()
    host.fail()
    with pytest.raises(Unavailable):
        await host.handle(deletion("a"))
    with pytest.raises(Unavailable):
        await host.set_aside("fake", "A", b"x", "unreadable")
    assert not host.events
    assert not host.set_aside_payloads
    host.recover()
    await host.handle(deletion("a"))
    await host.set_aside("fake", "A", b"x", "unreadable")
    await host.set_aside("fake", "A", b"x", "unreadable")
    assert len(host.events) == len(host.set_aside_payloads) == 1


async def test_holds_until_let_go() -> None:
    host = FakeHost()
    host.hold = asyncio.Event()
    task = asyncio.create_task(host.handle(deletion("a")))
    await host.wait_for(lambda: host.deliveries)
    assert not host.events
    assert not task.done()
    host.recover()
    assert (await task).outcome == "accepted"


async def test_serves_routes_with_the_body_limit() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async def too_long() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 65536 + 1):
            yield b"x" * 65536

    async with FakeHost() as host, aiohttp.ClientSession() as session:
        host.serve("POST", "/echo", echo)
        base = await host.start_http()
        with pytest.raises(RuntimeError):
            host.serve("POST", "/late", echo)
        async with session.post(f"{base}/echo", data=b"hello") as response:
            assert (response.status, await response.read()) == (200, b"hello")
        async with session.post(f"{base}/echo", data=io.BytesIO(b"x" * (BODY_LIMIT + 1))) as response:
            assert response.status == 413
        async with session.post(f"{base}/echo", data=too_long()) as response:
            assert response.status == 413
        async with session.get(f"{base}/nothing") as response:
            assert response.status == 404


class CoreServer:
    """The server of the core, as far as FakeHost must be like it."""

    def __init__(self) -> None:
        self._server = Server(host="127.0.0.1", port=0, metrics=Metrics(), health=Health(), drain_seconds=1)
        self.serve = self._server.add
        self.close = self._server.stop

    async def start_http(self) -> str:
        await self._server.start()
        return self._server.url.rstrip("/")


@pytest.fixture(params=[FakeHost, CoreServer])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeHost | CoreServer]:
    server: FakeHost | CoreServer = request.param()
    yield server
    await server.close()


async def test_a_later_handler_takes_the_place_of_the_former(server: FakeHost | CoreServer) -> None:
    """Before the server runs and while it does, as when an adapter is started again; a new path comes too late."""

    def says(word: str) -> HttpHandler:
        async def handler(_: web.Request) -> web.Response:
            return web.Response(text=word)

        return handler

    server.serve("POST", "/a", says("never"))
    server.serve("post", "/a", says("first"))
    server.serve("GET", "/a", says("of another method"))
    base = await server.start_http()
    async with aiohttp.ClientSession() as session:
        for word in ("first", "second", "third"):
            async with session.post(f"{base}/a") as response:
                assert await response.text() == word
            server.serve("POST", "/a", says({"first": "second"}.get(word, "third")))
        async with session.get(f"{base}/a") as response:
            assert await response.text() == "of another method"
    with pytest.raises(RuntimeError):
        server.serve("POST", "/b", says("late"))


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (Unavailable("Full."), 503, None),
        (Unavailable("Full.", retry_after=7.4), 503, "7"),
        (Unavailable("Full.", retry_after=0.1), 503, "1"),
        (OutcomeUnknown("Cut."), 503, None),
        (Misconfigured("Wrong."), 500, None),
        (ValueError("odd"), 500, None),
    ],
)
async def test_an_error_that_leaves_a_handler(
    server: FakeHost | CoreServer, error: Exception, status: int, retry_after: str | None
) -> None:
    async def fails(_: web.Request) -> web.Response:
        raise error

    server.serve("POST", "/a", fails)
    base = await server.start_http()
    async with aiohttp.ClientSession() as session, session.post(f"{base}/a", data=b"x") as response:
        assert (response.status, response.headers.get("Retry-After")) == (status, retry_after)


async def test_lease_pace_and_vault() -> None:
    host = FakeHost()
    order: list[int] = []

    async def work(n: int) -> None:
        async with host.lease("polling"):
            order.extend([n, n])
            await asyncio.sleep(0)
            order.append(n)

    await asyncio.gather(work(1), work(2))
    assert order == [1, 1, 1, 2, 2, 2]
    await host.pace("k", 30.0)
    await host.pace("k", 30.0)
    assert host.paces == [("k", 30.0), ("k", 30.0)]
    await host.vault.put("token", "t")
    assert await host.vault.get("token") == "t"
    await host.vault.put("token", None)
    assert await host.vault.get("token") is None
    host.vault.has_key = False
    with pytest.raises(Misconfigured):
        await host.vault.put("token", "t")


async def test_waiting_in_vain_says_what_arrived() -> None:
    with pytest.raises(AssertionError, match="events"):
        await FakeHost().wait_for(lambda: False, timeout=0.01)


def test_network_is_refused() -> None:
    with pytest.raises(ConnectionRefusedError), socket.socket() as s:
        s.connect(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.example.com", 443)
    assert len(conftest.refused) == 2
    conftest.refused.clear()
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 443)
