"""Why there was no connection, in words: of real sockets, as every channel and the API's client tell it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.shared import Connector, not_connected
from tests.network.outside import Authority


async def why(url: str, **options: object) -> str:
    async with aiohttp.ClientSession(connector=Connector()) as http:
        with pytest.raises((aiohttp.ClientError, OSError, TimeoutError)) as raised:
            await http.get(url, **options)  # type: ignore[arg-type]
    return not_connected(raised.value)


@asynccontextmanager
async def deaf() -> AsyncIterator[int]:
    """A port whose queue of connections is full: nobody accepts, nobody refuses."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        held = [socket.socket() for _ in range(4)]
        for one in held:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in held:
            one.close()


async def test_each_cause_has_its_words(tmp_path: Path) -> None:
    assert await why("http://127.0.0.1:9/") == "connection refused"
    assert await why("http://localhost:9/") == "connection refused"
    assert await why("https://api.nowhere.invalid/") == "no such name"
    assert await why("http://[::1") == "its address cannot be used"
    async with deaf() as port:
        patience = aiohttp.ClientTimeout(sock_connect=0.2)
        assert await why(f"http://127.0.0.1:{port}/", timeout=patience) == "no connection in time"
    plain = await asyncio.start_server(_end, "127.0.0.1", 0)
    port = plain.sockets[0].getsockname()[1]
    async with plain:
        assert await why(f"https://127.0.0.1:{port}/") == "no secure connection"
        authority = Authority(tmp_path)
        assert await why(f"https://127.0.0.1:{await authority.tls(port)}/") == "its certificate is not trusted"
        await authority.close()


async def _end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()
