"""A running assistant, and a small client that says what came back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
import orjson
import pytest

from bot.assistant.server import AssistantOptions, RunningAssistant, start

Start = Callable[..., Awaitable[RunningAssistant]]


class Reply(NamedTuple):
    """A response; `body` is parsed JSON where it is JSON, else text."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to an assistant over real HTTP."""

    session: aiohttp.ClientSession
    base_url: str
    site: str = "/m2m/sites/demo"

    async def call(self, method: str, path: str, *, key: str | None = "demo", **options: Any) -> Reply:
        headers = {**({"X-API-Key": key} if key is not None else {}), **options.pop("headers", {})}
        async with self.session.request(
            method, self.base_url + path, headers=headers, allow_redirects=False, **options
        ) as response:
            text = await response.read()
            try:
                body = orjson.loads(text)
            except orjson.JSONDecodeError:
                body = text.decode(errors="replace")
            return Reply(response.status, body, dict(response.headers))

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return await self.call("POST", path, json=body, **options)

    async def patch(self, path: str, body: Any = None, **options: Any) -> Reply:
        return await self.call("PATCH", path, json=body, **options)

    async def ask(self, message: str, session_id: str = "s1", **fields: Any) -> Reply:
        return await self.post(f"{self.site}/chat", {"session_id": session_id, "message": message, **fields})

    async def submit(self, message: str, session_id: str = "s1", **fields: Any) -> str:
        reply = await self.post(f"{self.site}/chat/async", {"session_id": session_id, "message": message, **fields})
        assert reply.status == 202, reply
        return str(reply.body["request_id"])

    async def status(self, request_id: str) -> Reply:
        return await self.get(f"{self.site}/chat/requests/{request_id}")

    async def ended(self, request_id: str) -> Any:
        """Poll until a request has ended."""
        async with asyncio.timeout(30):
            while True:
                reply = await self.status(request_id)
                assert reply.status == 200, reply
                if reply.body["status"] in ("completed", "failed"):
                    return reply.body
                await asyncio.sleep(0.02)

    async def upload(self, name: str, data: bytes, **fields: str) -> Reply:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
        for field, value in fields.items():
            form.add_field(field, value)
        return await self.call("POST", f"{self.site}/documents", data=form)

    async def documents(self) -> dict[str, Any]:
        """Documents by title."""
        listed = (await self.get(f"{self.site}/documents")).body["documents"]
        return {document["title"]: document for document in listed}


@pytest.fixture
async def begin() -> AsyncIterator[Start]:
    """Start assistants that are closed at the end."""
    running: list[RunningAssistant] = []

    async def go(**options: Any) -> RunningAssistant:
        assistant = await start(AssistantOptions(**{"port": 0, "delay": 0.0} | options))
        running.append(assistant)
        return assistant

    yield go
    for assistant in running:
        await assistant.close()


@pytest.fixture
async def assistant(begin: Start) -> RunningAssistant:
    return await begin()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def client(assistant: RunningAssistant, http: aiohttp.ClientSession) -> Client:
    return Client(http, assistant.base_url)
