"""A crowd at a Slack over HTTP, cheap enough to ask faster than the bot can answer.

It signs its requests and waits three seconds for the acknowledgement, as Slack does, and it delivers again what was
not acknowledged. Its Web API checks nothing: `bot.testing.slack.platform` is for that.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.testing.slack import payloads
from bot.testing.slack.delivery import sign

SECRET = "loopback-signing-secret"
TOKEN = "xoxb-loopback-bot"
ACK_SECONDS = 3.0
QUESTION = re.compile(r"\bq\d+\b")


class Crowd:
    """People who ask in direct messages, each in their own. A question is named `q<number>`.

    `waits`: the seconds before each redelivery, the last one again and again. `answers` and `notices` are what people
    see, by question and by channel; `replies` the HTTP status of each delivery with the seconds it took, 0 for a
    time-out or a cut. `signs` is when people first saw that the bot is at work on their question or has ended it.
    """

    def __init__(self, waits: Sequence[float] = (0.3, 20.0, 60.0)) -> None:
        self.waits = waits
        self.events_url = ""
        self.api_url = ""
        self.answers: Counter[str] = Counter()
        self.answered_at: dict[str, float] = {}
        self.asked_at: dict[str, float] = {}
        self.taken_at: dict[str, float] = {}
        self.signs: dict[str, float] = {}
        self.notices: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
        self.replies: list[tuple[int, float]] = []
        self.again = 0
        self._names: dict[str, str] = {}
        self._asked_in: defaultdict[str, list[str]] = defaultdict(list)
        self._posts: defaultdict[object, list[dict[str, Any]]] = defaultdict(list)
        self._changed = asyncio.Event()
        self._awaited: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/api/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=2048).start()
        self.api_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/api/"
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ACK_SECONDS), connector=aiohttp.TCPConnector(limit=0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._session is not None
        assert self._runner is not None
        await self._session.close()
        await self._runner.cleanup()

    # asking

    def ask(self, person: int, name: str) -> None:
        """Let somebody ask; delivered beside the caller until it is acknowledged."""
        ts = payloads.next_ts()
        payload = payloads.event_callback(payloads.message(f"D{person}", f"U{person}", name, ts))
        self.asked_at[name] = time.monotonic()
        self._names[ts] = name
        self._asked_in[f"D{person}"].append(name)
        task = asyncio.create_task(self._deliver(name, json.dumps(payload).encode()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def delivering(self) -> int:
        """How many events are not acknowledged yet."""
        return len(self._tasks)

    async def _deliver(self, name: str, body: bytes) -> None:
        tries = 0
        while not await self._once(body, tries):
            await asyncio.sleep(self.waits[min(tries, len(self.waits) - 1)])
            tries += 1
            self.again += 1
        self.taken_at[name] = time.monotonic()

    async def _once(self, body: bytes, tries: int) -> bool:
        assert self._session is not None
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(SECRET, body, stamp),
        }
        if tries:
            headers |= {"X-Slack-Retry-Num": str(tries), "X-Slack-Retry-Reason": "http_error"}
        began, status = time.monotonic(), 0
        try:
            async with self._session.post(self.events_url, data=body, headers=headers) as reply:
                status = reply.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass
        self.replies.append((status, time.monotonic() - began))
        return status == 200

    async def answer(self, name: str, timeout: float) -> None:
        """Wait until a question is answered."""
        if name not in self.answers:
            await asyncio.wait_for(self._awaited.setdefault(name, asyncio.Event()).wait(), timeout)

    async def until(self, done: Callable[[], bool], timeout: float) -> None:
        """Wait until it is true."""
        async with asyncio.timeout(timeout):
            while not done():
                self._changed.clear()
                await self._changed.wait()

    # what the bot does

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        said: dict[str, Any] = {"ok": True}
        if method == "auth.test":
            said |= {"team_id": payloads.TEAM, "user_id": payloads.BOT_USER, "bot_id": payloads.BOT_ID}
            said |= {"team": "Loop", "user": "assistant", "url": "https://loop.slack.invalid/"}
        elif method == "chat.postMessage":
            arguments, ts = json.loads(await request.read()), payloads.next_ts()
            said |= {"ts": ts, "channel": arguments["channel"]}
            self._posts[arguments["channel"]].append({"ts": ts, "metadata": arguments["metadata"]})
            self._posted(arguments)
        elif method == "reactions.add":
            asked = self._names.get(json.loads(await request.read())["timestamp"])
            if asked is not None:  # else it was asked before this crowd came
                self.signs.setdefault(asked, time.monotonic())
        elif method.startswith("conversations."):
            said |= {"messages": self._posts[(await request.post())["channel"]]}
        return web.json_response(said)

    def _posted(self, arguments: dict[str, Any]) -> None:
        now = time.monotonic()
        if '"context_actions"' in json.dumps(arguments.get("blocks") or []):
            name = QUESTION.findall(arguments["text"])[0]
            self.answers[name] += 1
            self.answered_at.setdefault(name, now)
            self.signs.setdefault(name, now)
            if name in self._awaited:
                self._awaited.pop(name).set()
        else:
            self.notices[arguments["channel"]].append((now, arguments["text"]))
            for name in self._asked_in[arguments["channel"]]:
                if name in self.taken_at and name not in self.answers:
                    self.signs.setdefault(name, now)
        self._changed.set()
