"""A strict gull on this machine: refuses what gull refuses, keeps what was posted, and delivers signed webhooks.

As a program (`python loopback.py`) it prints its address; then each line of its standard input is a person's message in
a DM, delivered to the webhook that was registered, and it prints what the bot posts.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from bot.render import is_blank, units
from bot.testing.html_view import HtmlView
from bot.testing.wire import FailHow

TOKEN, SECRET, ACCOUNT, BOT, NAME = "gull-token", "gull-secret", "A1", "B1", "gullbot"
LIMIT = 4_000
TEXT_TAGS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr", "strong", "em", "s", "code", "pre", "a", "blockquote")
BLOCK_TAGS = ("ul", "ol", "li", "div", "table", "thead", "tbody", "tr", "th", "td")
TAGS = frozenset(TEXT_TAGS + BLOCK_TAGS)
FIELDS = {"format", "body", "buttons", "asked_by", "thread", "reply_to", "delivery_id"}
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gull:
    """The service: one account, a DM of each person, and a room."""

    def __init__(self) -> None:
        self.conversations = {"D1": "dm", "D2": "dm", "R1": "room"}
        self.people = {"U1": "Ada Tern", "U2": "Ben Skua"}
        self.messages: dict[str, dict[str, Any]] = {}
        self.deleted: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.app: dict[str, Any] = {"webhook": "", "events": []}
        self.sends = self.signs = self.port = self._count = 0
        self.failure: FailHow | None = None
        self.retry_after = 0.0
        self.webhook_url = ""
        self._signs_on: set[tuple[str, str | None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen; again on the same port after `stop`."""
        app = web.Application(middlewares=[self._around])
        messages = "/v1/conversations/{conversation}/messages"
        app.router.add_get("/v1/me", self._me)
        app.router.add_get("/v1/app", self._app)
        app.router.add_put("/v1/app", self._set_app)
        app.router.add_get("/v1/people/{person}", self._person)
        app.router.add_get("/v1/files/{file}", self._file)
        app.router.add_post(messages, self._post)
        app.router.add_get(messages, self._list)
        app.router.add_delete(messages + "/{message}", self._delete)
        app.router.add_put(messages + "/{message}/rating", self._rate)
        app.router.add_put("/v1/conversations/{conversation}/working", self._working)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port or self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no longer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # What people do.

    def say(self, person: str, conversation: str, text: str, thread: str | None = None) -> dict[str, Any]:
        """Keep a person's message and return the payload that tells of it."""
        mentions = [{"id": BOT, "name": NAME}] if f"@{NAME}" in text else []
        message = self._keep(conversation, person, text, thread, mentions=mentions)
        told = {name: message[name] for name in ("id", "thread", "text", "mentions")}
        return self.payload("message.created", person, conversation, message=told)

    def payload(self, kind: str, person: str, conversation: str, **more: object) -> dict[str, Any]:
        """Build a payload, with an id and a time of its own."""
        number, at = self._next()
        where = {"id": conversation, "kind": self.conversations[conversation]}
        about = {"account": ACCOUNT, "bot": BOT, "person": {"id": person, "guest": False}, "conversation": where}
        return {"id": f"E{number}", "type": kind, "at": at} | about | more

    async def deliver(self, payload: object, secret: str = SECRET) -> int:
        """Deliver once and return the status."""
        raw = json.dumps(payload).encode()
        headers = {"Gull-Signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}
        async with aiohttp.request("POST", self.webhook_url, data=raw, headers=headers) as response:
            return response.status

    def _next(self) -> tuple[int, str]:
        self._count += 1
        return 1000 + self._count, (START + timedelta(seconds=self._count)).isoformat()

    def _keep(self, conversation: str, by: str, text: str, thread: str | None, **more: object) -> dict[str, Any]:
        number, at = self._next()
        key = f"M{number}"
        own = {"id": key, "conversation": conversation, "by": by, "text": text, "thread": thread, "at": at}
        self.messages[key] = own | {"mentions": []} | more
        return self.messages[key]

    # What the bot asks for.

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.sends += request.method == "POST"
        if self.failure == "rate_limited":
            return web.json_response({}, status=429, headers={"Retry-After": f"{self.retry_after:.0f}"})
        if self.failure == "bad_token" or request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _no(401, "unauthorized")
        conversation = request.match_info.get("conversation")
        if conversation is not None and self.failure == "gone":
            return _no(410, "conversation_gone")
        if conversation is not None and conversation not in self.conversations:
            return _no(404, "no_such_conversation")
        if (key := request.match_info.get("message")) and key not in self.messages:
            return _no(404, "no_such_message")
        response = await handler(request)
        if self.failure == "cut_after_write" and request.transport is not None:
            request.transport.abort()
        return response

    async def _me(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"id": BOT, "name": NAME, "account": ACCOUNT})

    async def _app(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self.app)

    async def _set_app(self, request: web.Request) -> web.StreamResponse:
        self.app = await request.json()
        self.webhook_url = self.app["webhook"]
        return web.json_response(self.app)

    async def _person(self, request: web.Request) -> web.StreamResponse:
        name = self.people.get(request.match_info["person"])
        return _no(404, "no_such_person") if name is None else web.json_response({"name": name, "locale": "en"})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content = self.files.get(request.match_info["file"])
        return _no(404, "no_such_file") if content is None else web.Response(body=content)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        fields, conversation = await request.json(), request.match_info["conversation"]
        if set(fields) != FIELDS or fields["format"] not in ("html", "text") or not fields["delivery_id"]:
            return _no(400, "fields")
        html = fields["format"] == "html"
        page = HtmlView(fields["body"]) if html else None
        text = page.text if page else fields["body"]
        if is_blank(text) or units(text.replace("\n", "") if page else text) > LIMIT:
            return _no(400, "length")
        if page and (set(page.tags) - TAGS or page.alerts):
            return _no(400, "html")
        if fields["asked_by"] not in (None, *self.people):
            return _no(400, "asked_by")
        in_room = self.conversations[conversation] == "room"
        if fields["thread"] is not None and not (in_room and fields["thread"] in self.messages):
            return _no(404, "no_such_thread")
        if fields["reply_to"] not in self.messages:
            fields["reply_to"] = None
        kept = {name: fields[name] for name in ("buttons", "asked_by", "reply_to", "delivery_id")}
        form = page.tags if page else []
        message = self._keep(conversation, BOT, text, fields["thread"], **kept, form=form, rating=None)
        return web.json_response({"id": message["id"]}, status=201)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        query, conversation = request.query, request.match_info["conversation"]
        there = [message for message in self.messages.values() if message["conversation"] == conversation]
        if delivery := query.get("delivery_id"):
            found = [message for message in there if message.get("delivery_id") == delivery]
        else:
            in_thread = [message for message in there if query["thread"] in (message["thread"], message["id"])]
            before = self.messages[query["before"]]["at"]
            found = [message for message in in_thread if message["at"] < before][-int(query["limit"]) :]
        return web.json_response({"bot": BOT, "messages": found})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if self.messages[request.match_info["message"]]["by"] != BOT:
            return _no(403, "not_yours")
        self.deleted.append(self.messages.pop(request.match_info["message"]))
        return web.json_response({})

    async def _rate(self, request: web.Request) -> web.StreamResponse:
        message, rating = self.messages[request.match_info["message"]], (await request.json())["rating"]
        if rating not in ("good", "bad", None) or not message.get("buttons"):
            return _no(400, "rating")
        message["rating"] = rating
        return web.json_response({})

    async def _working(self, request: web.Request) -> web.StreamResponse:
        fields = await request.json()
        sign = request.match_info["conversation"], fields["thread"]
        self.signs += fields["on"] and sign not in self._signs_on
        (self._signs_on.add if fields["on"] else self._signs_on.discard)(sign)
        return web.json_response({})


def _no(status: int, word: str) -> web.Response:
    return web.json_response({"error": word}, status=status)


async def main() -> None:
    """Be gull for a bot that runs; show what it posts."""
    gull = Gull()
    await gull.start()
    print(f"http://127.0.0.1:{gull.port}", flush=True)
    shown: set[str] = set()
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline()))
    while True:
        try:
            line = await asyncio.wait_for(lines.get(), 0.2)
        except TimeoutError:
            line = "\n"
        if not line:
            break
        if line.strip():
            print("delivered:", await gull.deliver(gull.say("U1", "D1", line.strip())), flush=True)
        for key, message in gull.messages.items():
            if message["by"] == BOT and key not in shown:
                shown.add(key)
                print(f"{NAME}:", json.dumps(message, ensure_ascii=False), flush=True)
    await gull.stop()


if __name__ == "__main__":
    asyncio.run(main())
