"""How the loopback Slack delivers: signed requests or envelopes, and again until they are acknowledged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

FORM = "application/x-www-form-urlencoded"

if TYPE_CHECKING:
    from bot.testing.slack.platform import FakeSlack


class Delivery:
    """Sends payloads over HTTP where the events address is set, over Socket Mode otherwise."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack
        self._session: aiohttp.ClientSession | None = None

    async def deliver_until_acknowledged(self, payload: dict[str, Any], kind: str) -> bool:
        """Deliver, and again after each wait of `retries`; interactions come only once, as from Slack."""
        waits = self._slack.retries if kind == "events_api" else ()
        reason = ""
        for attempt in range(len(waits) + 1):
            if attempt:
                await asyncio.sleep(waits[attempt - 1])
                reason = "http_error"
            if await self.deliver(payload, kind, attempt=attempt, reason=reason):
                self._slack.counts["acknowledged"] += 1
                return True
        self._slack.counts["lost"] += 1
        return False

    async def deliver(self, payload: dict[str, Any], kind: str, *, attempt: int = 0, reason: str = "") -> bool:
        """Deliver once."""
        self._slack.counts["deliveries"] += 1
        if self._slack.events_url is None:
            return await self._slack.sockets.push(payload, kind, attempt, reason)
        headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        try:
            return 200 <= await self.request(payload, kind, headers=headers) < 300
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def request(
        self, payload: dict[str, Any], kind: str = "events_api", *, headers: dict[str, str] | None = None
    ) -> int:
        """Send a signed request; returns the status."""
        if kind == "events_api":
            body, content_type = json.dumps(payload).encode(), "application/json"
        elif kind == "interactive":
            body, content_type = (
                urlencode({"payload": json.dumps(payload)}).encode(),
                FORM,
            )
        else:
            body, content_type = urlencode(payload).encode(), FORM
        status, _ = await self.raw(body, content_type, headers=headers or {})
        return status

    async def raw(
        self,
        body: bytes,
        content_type: str = "application/json",
        *,
        headers: dict[str, str] | None = None,
        stamp: str | None = None,
        secret: str | None = None,
    ) -> tuple[int, str]:
        """Send bytes, signed unless told otherwise; returns the status and the body."""
        assert self._slack.events_url is not None
        stamp = stamp if stamp is not None else str(int(time.time()))
        signed = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(secret or self._slack.signing_secret, body, stamp),
            **(headers or {}),
        }
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._slack.sockets.ack_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout)
        async with self._session.post(self._slack.events_url, data=io.BytesIO(body), headers=signed) as response:
            return response.status, await response.text()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def sign(secret: str, body: bytes, stamp: str) -> str:
    """Slack's signature."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
