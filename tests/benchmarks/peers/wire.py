"""The least HTTP that a loopback platform needs: it must cost less than what is measured."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Handler: TypeAlias = Callable[[str, str, dict[str, Any], Mapping[str, str]], Awaitable[Any]]
"""Takes method, path, body and headers; returns a JSON value, or a status and one."""


class Server(asyncio.Protocol):
    """One connection. Requests are answered in order, one at a time."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = b""
        self._waiting: deque[tuple[str, str, bytes, dict[str, str]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = self._body(headers, end + 4)
            if body is None:
                return
            self._waiting.append((method, path, body, headers))
        if self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer())

    def _body(self, headers: Mapping[str, str], start: int) -> bytes | None:
        """Cut the body off the buffer; None while it is not whole."""
        if headers.get("transfer-encoding") == "chunked":
            whole = b""
            while True:
                line_end = self._buffer.find(b"\r\n", start)
                if line_end < 0:
                    return None
                size = int(self._buffer[start:line_end], 16)
                if len(self._buffer) < line_end + 2 + size + 2:
                    return None
                whole += self._buffer[line_end + 2 : line_end + 2 + size]
                start = line_end + 2 + size + 2
                if size == 0:
                    self._buffer = self._buffer[start:]
                    return whole
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < start + length:
            return None
        body, self._buffer = self._buffer[start : start + length], self._buffer[start + length :]
        return body

    async def _answer(self) -> None:
        try:
            while self._waiting:
                method, path, body, headers = self._waiting.popleft()
                found = await self._handler(method, path, fields(body, headers.get("content-type", "")), headers)
                status, value = found if isinstance(found, tuple) else (200, found)
                content = json.dumps(value).encode()
                head = (
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
                )
                if self._transport is not None:
                    self._transport.write(head.encode() + content)
        finally:
            self._task = None


def fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Read a body: JSON, a form, or a form of parts as far as the Bot API's clients use it."""
    if not body:
        return {}
    if "json" in content_type:
        found: dict[str, Any] = json.loads(body)
        return found
    if "multipart" in content_type:
        boundary = content_type.partition("boundary=")[2].strip('"').encode()
        parts = (part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary)[1:-1])
        return {
            head.partition(b'name="')[2].partition(b'"')[0].decode(): value[:-2].decode() for head, _, value in parts
        }
    return {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}


async def serve(handler: Handler) -> tuple[asyncio.Server, int]:
    """Serve on a free port of the loopback; return the server and the port."""
    server = await asyncio.get_running_loop().create_server(lambda: Server(handler), "127.0.0.1", 0, backlog=4096)
    return server, server.sockets[0].getsockname()[1]


class Sender:
    """Posts JSON to one port over connections that are kept; for deliveries of events."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post once; return the status. Raises OSError or EOFError where nobody answers."""
        reader, writer = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status = int(answer.split(" ", 2)[1])
            await self._skip(reader, answer)
        except BaseException:
            writer.close()
            raise
        if "connection: close" in answer:
            writer.close()
        else:
            self._free.append((reader, writer))
        return status

    @staticmethod
    async def _skip(reader: asyncio.StreamReader, head: str) -> None:
        if "transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        elif "content-length:" in head:
            await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n", 1)[0]))

    def close(self) -> None:
        """Close the connections."""
        for _, writer in self._free:
            writer.close()
        self._free.clear()
