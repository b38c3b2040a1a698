"""The world around a contestant: Slack or Telegram, the API, and a watch that notes when everything happened."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import random
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tests.benchmarks.peers.wire import Sender, serve

Platform: TypeAlias = Literal["slack", "telegram"]

CHANNELS = 5_000
"""Questions come from so many, for one message a second a channel is Slack's limit."""
SECRET = "bench-secret"
TOKEN = "xoxb-1-2-bench"
BOT_TOKEN = "7000000000:AAbench_bench_bench_bench_bench_ben"
WORDED = ("text", "markdown_text", "rich_message", "blocks", "attachments")
ANSWER = "An answer of **two** sentences. It is short. " * 4


@dataclass
class Asked:
    """One question: when it was delivered, acknowledged, submitted, ready, told and seen; how often it was answered.

    Times in seconds of the monotonic clock; 0.0 for never.
    """

    text: str
    channel: int
    sent: float = 0.0
    acknowledged: float = 0.0
    submitted: float = 0.0
    ready: float = 0.0
    told: float = 0.0
    seen: float = 0.0
    submits: int = 0
    polls: int = 0
    answers: int = 0


@dataclass
class World:
    """`seconds` draws how long an answer takes. `events_port`: where the contestant hears of Slack's events."""

    platform: Platform
    seconds: Callable[[random.Random], float]
    asked: dict[str, Asked] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    events_port: int = 0
    updates: deque[dict[str, Any]] = field(default_factory=deque)
    calls: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(12)
        self._numbers = itertools.count(1)
        self._requests: dict[str, str] = {}
        self._sender: Sender | None = None
        self._news = asyncio.Event()
        self._servers: list[asyncio.Server] = []

    async def open(self) -> tuple[int, int]:
        """Serve; return the ports of the API and of the platform."""
        api, api_port = await serve(self._api)
        platform, platform_port = await serve(self._slack if self.platform == "slack" else self._telegram)
        self._servers = [api, platform]
        return api_port, platform_port

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.close()
        if self._sender is not None:
            self._sender.close()

    def forget_connections(self) -> None:
        """The contestant is a new process: its port is another."""
        if self._sender is not None:
            self._sender.close()
        self._sender = None

    # what people do

    def question(self, channel: int | None = None, thread: str | None = None) -> tuple[Asked, dict[str, Any]]:
        """Make a question and its payload; on Slack it opens a thread, unless it is asked in one."""
        number = next(self._numbers)
        where = number % CHANNELS if channel is None else channel
        asked = self.asked[f"q{number}"] = Asked(f"q{number}", where)
        return asked, self._event(number, asked, thread) if self.platform == "slack" else self._update(number, asked)

    async def deliver(self, asked: Asked, payload: Mapping[str, Any]) -> None:
        """Deliver until it is acknowledged, again after a second each time."""
        asked.sent = asked.sent or time.monotonic()
        if self.platform == "telegram":
            self.updates.append(dict(payload))
            self._news.set()
            return
        body = json.dumps(payload).encode()
        while True:
            stamp = str(int(time.time()))
            mac = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
            signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}
            headers = {"Content-Type": "application/json", **signed}
            try:
                self._sender = self._sender or Sender(self.events_port)
                async with asyncio.timeout(3):
                    status = await self._sender.post("/slack/events", body, headers)
            except (OSError, EOFError, TimeoutError):
                status = 0
            if 200 <= status < 300:
                asked.acknowledged = asked.acknowledged or time.monotonic()
                return
            await asyncio.sleep(1.0)

    def _event(self, number: int, asked: Asked, thread: str | None) -> dict[str, Any]:
        ts = f"{1_790_000_000 + number // 1000}.{number % 1000:06d}"
        event = {
            "type": "app_mention", "user": f"U{asked.channel:06d}", "text": f"<@UBOT> {asked.text}", "ts": ts,
            "channel": f"C{asked.channel:06d}", "event_ts": ts, "team": "T1", "client_msg_id": f"m{number}",
        }  # fmt: skip
        if thread is not None:
            event["thread_ts"] = thread
        return {
            "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": f"Ev{number}",
            "event_time": 1_790_000_000, "event": event, "token": "unused",
            "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True, "is_enterprise_install": False}],
        }  # fmt: skip

    def _update(self, number: int, asked: Asked) -> dict[str, Any]:
        person = {"id": 1000 + asked.channel, "is_bot": False, "first_name": "P"}
        return {
            "update_id": number,
            "message": {
                "message_id": number, "date": int(time.time()), "text": asked.text, "from": person,
                "chat": {"id": 1000 + asked.channel, "type": "private", "first_name": "P"},
            },
        }  # fmt: skip

    # the API

    async def _api(self, method: str, path: str, body: dict[str, Any], _: Mapping[str, str]) -> Any:
        now = time.monotonic()
        if method == "POST" and path.endswith("/chat/async"):
            asked = self.asked[body["message"].split()[-1]]
            asked.submits += 1
            asked.submitted = asked.submitted or now
            asked.ready = asked.ready or now + self.seconds(self._chance)
            request_id = f"req_{asked.text}"
            return 202, {"request_id": request_id, "status": "pending"}
        if "/chat/requests/" in path:
            asked = self.asked[path.rpartition("_")[2]]
            asked.polls += 1
            name = {"request_id": f"req_{asked.text}"}
            if now < asked.ready:
                return {**name, "status": "processing"}
            asked.told = asked.told or now
            return {**name, "status": "completed", "answer": f"{asked.text}: {ANSWER}"}
        return {"status": "ok", "feedback_submitted_at": "2026-01-01T00:00:00Z"}

    def _seen(self, body: Mapping[str, Any]) -> None:
        """Note the answer that a message is, in whatever field it has its words."""
        said = json.dumps([value for name, value in body.items() if name in WORDED])
        if (found := re.search(r"\b(q\d+): An answer", said)) is not None:
            asked = self.asked[found[1]]
            asked.seen = asked.seen or time.monotonic()
            asked.answers += 1
            self.posted.append(asked.text)

    # the platforms

    async def _slack(self, _method: str, path: str, body: dict[str, Any], _: Mapping[str, str]) -> Any:
        name = path.rpartition("/")[2].partition("?")[0]
        self.calls[name] = self.calls.get(name, 0) + 1
        if name == "auth.test":
            return {
                "ok": True, "url": "http://x/", "team": "T", "user": "bot", "team_id": "T1", "user_id": "UBOT",
                "bot_id": "BBOT", "app_id": "A1",
            }  # fmt: skip
        if name == "chat.postMessage":
            ts = f"{time.time():.6f}"
            self._seen(body)
            return {"ok": True, "channel": body["channel"], "ts": ts, "message": {"text": "posted", "ts": ts}}
        if name == "conversations.info":
            return {"ok": True, "channel": {"id": body.get("channel"), "is_channel": True, "name": "c"}}
        if name == "users.info":
            return {"ok": True, "user": {"id": body.get("user"), "team_id": "T1", "name": "p", "profile": {}}}
        return {"ok": True, "messages": [], "has_more": False}

    async def _telegram(self, _method: str, path: str, body: dict[str, Any], _: Mapping[str, str]) -> Any:
        name = path.rpartition("/")[2].partition("?")[0].lower()
        self.calls[name] = self.calls.get(name, 0) + 1
        if name == "getupdates":
            return {"ok": True, "result": await self._poll_updates(int(body.get("offset") or 0))}
        if name == "getme":
            me = {"id": 7000000000, "is_bot": True, "first_name": "Bot", "username": "bench_bot"}
            return {"ok": True, "result": {**me, "can_join_groups": True, "can_read_all_group_messages": False}}
        if name in ("sendmessage", "sendrichmessage"):
            self._seen(body)
            chat = {"id": int(body["chat_id"]), "type": "private", "first_name": "P"}
            message_id = 1_000_000 + len(self.posted)
            sent = {"message_id": message_id, "date": int(time.time()), "chat": chat, "text": "posted"}
            return {"ok": True, "result": sent}
        if name == "getwebhookinfo":
            return {"ok": True, "result": {"url": "", "has_custom_certificate": False, "pending_update_count": 0}}
        return {"ok": True, "result": True}

    async def _poll_updates(self, offset: int) -> list[dict[str, Any]]:
        """What is not confirmed; an update counts as acknowledged with the poll that confirms it."""
        now = time.monotonic()
        while self.updates and self.updates[0]["update_id"] < offset:
            asked = self.asked[self.updates.popleft()["message"]["text"]]
            asked.acknowledged = asked.acknowledged or now
        if not self.updates:
            self._news.clear()
            try:
                async with asyncio.timeout(10):
                    await self._news.wait()
            except TimeoutError:
                return []
        return list(itertools.islice(self.updates, 100))
