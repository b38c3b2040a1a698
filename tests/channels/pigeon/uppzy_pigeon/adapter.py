"""Pigeon's adapter: a POST in, a POST out."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence

import aiohttp
from aiohttp import web

from bot.adapter import Check, Host, Part, Want
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Conversation, EarlierMessage, File, Mention, MessageRef, Outbound, Person, Rating
from uppzy_pigeon.config import PigeonSettings
from uppzy_pigeon.normalize import normalize
from uppzy_pigeon.parts import PigeonPart
from uppzy_pigeon.render import render


class PigeonAdapter:
    """Speaks pigeon, which has no guests. What it lacks answers None."""

    channel = "pigeon"

    def __init__(self, settings: PigeonSettings, *, guests_differ: bool = False) -> None:
        self._url = settings.api_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value() if settings.token else ''}"}
        self._host: Host | None = None

    async def run(self, host: Host) -> None:
        """Serve the webhook until cancelled; a delivery under way ends in the server's own time."""
        host.serve("POST", "/pigeon/inbound", self._inbound)
        self._host = host
        try:
            await asyncio.Event().wait()
        finally:
            self._host = None

    async def _inbound(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._headers["Authorization"].encode()):
            return web.Response(status=403)
        if (host := self._host) is None:
            return web.Response(status=503)
        raw, event = await request.read(), None
        try:
            event = normalize(raw.decode())
        except ValueError:
            number = b"".join(raw.split(b"\n")[3:4]).decode(errors="replace")
            await host.set_aside(self.channel, number, raw, "A line is missing or wrong.")
        if event is not None:
            await host.handle(event)
        return web.Response()

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render as text alone, in either form."""
        return [part.to_json() for part in render(outbound)[after:]]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Send one message; pigeon carries no delivery id and no reply."""
        text, to = PigeonPart.from_json(part).text, conversation.conversation_id
        if note:
            text = f"{text} {note}"
        place = {"channel": self.channel, "account_id": conversation.account_id, "conversation_id": to}
        return MessageRef(**place, message_id=await self._post("messages", f"{conversation.account_id}\n{to}\n{text}"))

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Pigeon cannot be asked."""
        return None

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """There are no buttons."""

    async def delete(self, ref: MessageRef) -> None:
        """What flew cannot be called back."""

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Pigeon shows no sign of work."""

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Pigeon remembers nothing."""
        return None

    async def open(self, file: File) -> bytes:
        """Messages have no files."""
        raise Rejected("Messages of pigeon have no files.", reason="file_gone")

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """There are only numbers."""
        return None

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """There are only numbers."""
        return None

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Ask for our own number."""
        try:
            return [Check(check="pigeon", status="ok", detail=f"The number is {await self._post('whoami', '')}.")]
        except BotError as error:
            return [Check(check="pigeon", status="fail", detail=str(error), fix="Set PIGEON_TOKEN, PIGEON_API_URL.")]

    async def _post(self, path: str, body: str) -> str:
        """Make one call and return its line."""
        timeout = aiohttp.ClientTimeout(20, connect=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session,
                session.post(f"{self._url}/{path}", data=body.encode(), allow_redirects=False) as response,
            ):
                status, after, line = response.status, response.headers.get("Retry-After", ""), await response.text()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Unavailable("Pigeon cannot be reached.", reason="connection") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise OutcomeUnknown("The call to pigeon was cut.", reason="connection") from error
        if status == 200 and line.strip():
            return line.strip()
        if status == 429:
            seconds = float(after) if after.isdecimal() else None
            raise Unavailable("Pigeon limits us.", status=status, reason="rate_limited", retry_after=seconds)
        if status < 300 or status >= 500:
            raise OutcomeUnknown("Pigeon did not say what it did.", status=status, reason="garbage")
        if status == 401:
            raise Misconfigured("Pigeon refuses PIGEON_TOKEN.", status=status, reason="unauthorized")
        raise Rejected("Pigeon refuses the call.", status=status, reason="refused", gone=status == 410)
