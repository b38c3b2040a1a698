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

from bot.adapter import Host
from bot.errors import Misconfigured, Unavailable
from bot.events import Deletion, MessageRef
from bot.testing.host import BODY_LIMIT, FakeHost
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
