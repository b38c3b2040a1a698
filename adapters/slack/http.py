"""`POST /slack/events`: who may speak, and in what shape, before anything else is done."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from aiohttp import web

from adapters.slack.receive import Take

EVENTS_PATH: Final = "/slack/events"
FRESH_SECONDS: Final = 300
"""Slack's own advice against replays (docs.slack.dev, "Verifying requests from Slack")."""


IN_JSON: Final = re.compile(rb'"api_app_id"\s*:\s*"([A-Z0-9]{2,40})"')
IN_FORM: Final = re.compile(rb"(?:^|&)api_app_id=([A-Z0-9]{2,40})")
"""Which app a request is for; what people write cannot look like it, for quotes and `=` are escaped in both."""


class BadRequest(ValueError):
    """The body is not what its content type says, or not what Slack sends."""


HINTS: Final = {
    "signature": "is SLACK_SIGNING_SECRET the app's?",
    "stale": "is this machine's clock right?",
}
"""What an operator may look at, by the reason of a refusal."""


class EventsEndpoint:
    """The handler of the events address. Until `serve` runs it says 503, and Slack comes again.

    `refused` hears of every request that is not Slack's: the reason, and what an operator may look at.
    """

    def __init__(
        self, signing_secret: str, refused: Callable[[str, str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = signing_secret
        self._refused = refused
        self._clock = clock
        self._take: Take | None = None
        self._calls = 0
        self._idle = asyncio.Event()
        self._app_id = ""

    async def serve(self, take: Take) -> None:
        """Take payloads in until cancelled, then wait for those in hand."""
        self._take = take
        try:
            await asyncio.Event().wait()
        finally:
            self._take = None
            while self._calls:
                self._idle.clear()
                await self._idle.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer 401 unsigned or stale, 415, 400 malformed, 503 not stored, 200 stored or needing no keeping."""
        body = await request.read()
        if self._is_of_another_app(body):
            return web.Response(status=401)
        headers = request.headers
        signature, stamp = headers.get("X-Slack-Signature", ""), headers.get("X-Slack-Request-Timestamp", "")
        if reason := why_refused(self._secret, body, signature, stamp, self._clock()):
            self._refused(reason, HINTS.get(reason, ""))
            return web.Response(status=401)
        if request.content_type not in ("application/json", "application/x-www-form-urlencoded"):
            return web.Response(status=415)
        try:
            payload = parse(body, request.content_type)
        except BadRequest:
            return web.Response(status=400)
        if isinstance(app_id := payload.get("api_app_id"), str):
            self._app_id = app_id  # signed with the app's own secret, so it is the app's own id
        if payload.get("type") == "url_verification":
            challenge = str(payload.get("challenge", "")).encode(errors="replace")
            return web.Response(body=challenge, content_type="text/plain", charset="utf-8")
        if "ssl_check" in payload:
            return web.Response()
        return web.Response(status=200 if await self._stored(payload) else 503)

    def _is_of_another_app(self, body: bytes) -> bool:
        """Whether a request names other apps and not this one, as far as that is known: no signature is looked at."""
        if not self._app_id:
            return False
        named = (IN_JSON if body.startswith(b"{") else IN_FORM).findall(body)
        return bool(named) and self._app_id.encode() not in named

    async def _stored(self, payload: Mapping[str, Any]) -> bool:
        if self._take is None:
            return False
        self._calls += 1
        try:
            return await self._take(payload)
        finally:
            self._calls -= 1
            self._idle.set()


def why_refused(
    secret: str, body: bytes, signature: str, stamp: str, now: float
) -> Literal["", "unsigned", "signature", "stale"]:
    """Check Slack's signature over the raw bytes, in constant time, "" for a good one; 300 seconds off it is stale.

    The SDK's verifier raises for a time stamp that is no number and for bytes that are no UTF-8, and leaves the
    rest to a 500: both are only somebody's bad request.
    """
    if not signature or not (stamp.isascii() and stamp.isdigit()) or len(stamp) > 15:
        return "unsigned"
    base = b"v0:" + stamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return "signature"
    return "stale" if abs(now - int(stamp)) > FRESH_SECONDS else ""


def parse(body: bytes, content_type: str) -> Mapping[str, Any]:
    """Read JSON, or a form: an interaction in its field `payload`, or the fields of a slash command."""
    try:
        text = body.decode()
        if content_type == "application/json":
            return _object(json.loads(text))
        fields = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
        if "payload" in fields:
            return _object(json.loads(fields["payload"]))
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body cannot be read") from error
    if not ("command" in fields or "ssl_check" in fields):
        raise BadRequest("the form is neither an interaction nor a slash command")
    return fields


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest("the body is no JSON object")
    return value
