"""A loopback HTTP server that does what it is told, at the level of bytes: answer, cut, stall, lie.

server.script(reply(200, {"request_id": "r"}), cut_after_reading(), stall())   # one per request, the last one repeats
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Connection:
    """What an action may use: the two streams, and the request once it is read."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: Request
    released: asyncio.Event

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        self.writer.transport.abort()


Action: TypeAlias = Callable[[Connection], Awaitable[None]]


@dataclass
class ScriptedServer:
    """Plays its script. `requests` has what was read whole; `connections` counts the connections."""

    actions: list[Action] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    read_body: bool = True
    released: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *actions: Action) -> None:
        self.actions = list(actions)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    request = await self._read(reader)
                    self.requests.append(request)
                    action = self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]
                    await action(Connection(reader, writer, request, self.released))
                    if writer.is_closing():
                        return
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = b""
        if self.read_body:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, path, headers, body)


@asynccontextmanager
async def running() -> AsyncIterator[ScriptedServer]:
    """Serve on a free port; at the end, let go what is stalled and wait for every connection."""
    server = ScriptedServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.released.set()
        listener.close()
        tasks = list(server.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


def reply(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Action:
    """Answer properly; anything but bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def action(connection: Connection) -> None:
        lines = {"Content-Length": str(len(data)), "Content-Type": "application/json", **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await connection.write(f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode() + data)

    return action


def raw(data: bytes, *, then_cut: bool = True) -> Action:
    """Write these bytes, whatever they mean; then close as usual."""

    async def action(connection: Connection) -> None:
        await connection.write(data)
        if then_cut:
            connection.writer.close()

    return action


def cut() -> Action:
    """Reset the connection instead of an answer."""

    async def action(connection: Connection) -> None:
        connection.cut()

    return action


def stall(first: bytes = b"") -> Action:
    """Write the first bytes, then nothing more until the test ends."""

    async def action(connection: Connection) -> None:
        if first:
            await connection.write(first)
        await connection.released.wait()

    return action


def endless(head: bytes) -> Action:
    """Write the head, then a body that never ends, as long as it is read."""

    async def action(connection: Connection) -> None:
        await connection.write(head)
        while not connection.writer.is_closing():
            await connection.write(b"x" * 65536)

    return action
