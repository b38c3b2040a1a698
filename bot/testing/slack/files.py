"""Files of the loopback Slack: what `files.info` says of them, and the address that hands out their bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from bot.testing.slack.platform import FakeSlack

LOGIN_PAGE = '<!DOCTYPE html><html lang="en-US"><head><title>Slack</title></head><body>Sign in to Loop</body></html>'


@dataclass(slots=True)
class StoredFile:
    """A file: its object as `files.info` shows it, and its bytes. `served_as` is the content type of the download."""

    shown: dict[str, Any]
    content: bytes
    served_as: str


@dataclass(slots=True)
class Files:
    """Every file of the workspace, by id. `tokens` are those that were shown at the address of a file, in order.

    Faults of the address are those of the method `files-pri`: `login`, `redirect:<address>`, `claims:<length>`,
    `endless`, `drop` (in the middle), `rate_limited`, `status:<n>`, `hang`.
    """

    slack: FakeSlack
    stored: dict[str, StoredFile] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def put(self, content: bytes, name: str, media_type: str = "text/plain", **shown: Any) -> str:
        """Store a file, with fields of its object that differ from the usual; returns its id."""
        file_id = f"F{len(self.stored):06d}"
        file = {
            "id": file_id,
            "name": name,
            "title": name,
            "mimetype": media_type,
            "filetype": name.rpartition(".")[2],
            "mode": "hosted",
            "is_external": False,
            "size": len(content),
            "url_private": f"{self.slack.base_url}/files-pri/{self.slack.team}-{file_id}/{name}",
            **shown,
        }
        self.stored[file_id] = StoredFile(file, content, media_type)
        return file_id

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Hand out a file; without a token that may read files the login page comes, with 200 as from Slack."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        self.tokens.append(token)
        self.slack.changed()
        if (fault := self.slack.fault("files-pri")) is not None:
            return await self._fail(fault.how, fault.retry_after, request)
        may_read = "files:read" in self.slack.scopes and (kind, token) == ("Bearer", self.slack.bot_token)
        if not may_read:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        stored = self.stored.get(request.match_info["file"].rpartition("-")[2])
        if stored is None:
            return web.Response(status=404)
        return web.Response(body=stored.content, content_type=stored.served_as)

    async def _fail(self, how: str, retry_after: float | str, request: web.Request) -> web.StreamResponse:
        kind, _, detail = how.partition(":")
        if kind == "redirect":
            return web.Response(status=302, headers={"Location": detail})
        if kind == "rate_limited":
            asked = retry_after if isinstance(retry_after, str) else f"{retry_after:g}"
            return web.Response(status=429, headers={"Retry-After": asked})
        if kind == "status":
            return web.Response(status=int(detail))
        if kind == "claims":  # a length that is never sent
            return web.Response(headers={"Content-Length": detail}, body=b"")
        if kind == "login":
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if kind == "hang":
            await asyncio.sleep(3600)
        return await self._stream(request, endless=kind == "endless")

    async def _stream(self, request: web.Request, *, endless: bool) -> web.StreamResponse:
        """Send without saying how much: for ever, or until the connection is cut."""
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        chunk = b"x" * 1_000_000
        await response.write(chunk)
        while endless:
            await response.write(chunk)
        assert request.transport is not None
        request.transport.abort()
        return response
