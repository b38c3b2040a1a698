"""Slack and Telegram as cheaply as they can be, and people without number who write, react, edit, delete and leave."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from bot.testing.slack import payloads
from bot.testing.slack.delivery import sign
from tests.crash.crowd import SECRET

BOT_ID = 777000123
TOKEN = f"{BOT_ID}:{'A' * 35}"
HOOK_SECRET = "hook-secret"


@asynccontextmanager
async def platforms() -> AsyncIterator[str]:
    """Serve both Web APIs on one port; yield the address."""
    ids = itertools.count(1)

    async def slack(request: web.Request) -> web.Response:
        await request.read()
        method = request.match_info["method"]
        said: dict[str, Any] = {"ok": True, "ts": payloads.next_ts(), "channel": "C1", "messages": []}
        if method == "auth.test":
            said |= {"team_id": payloads.TEAM, "user_id": payloads.BOT_USER, "bot_id": payloads.BOT_ID}
            said |= {"team": "Loop", "user": "assistant", "url": "https://loop.slack.invalid/"}
        return web.json_response(said)

    async def telegram(request: web.Request) -> web.Response:
        method, fields = request.match_info["method"], await request.post()
        result: Any = True
        match method:
            case "getMe":
                result = {"id": BOT_ID, "is_bot": True, "first_name": "Bot", "username": "loop_bot"}
            case "sendMessage":
                chat = {"id": int(str(fields["chat_id"])), "type": "private", "first_name": "P"}
                result = {"message_id": next(ids), "date": int(time.time()), "chat": chat, "text": "x"}
            case "getWebhookInfo":
                result = {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
            case "getChatMember":
                result = {"status": "member", "user": {"id": BOT_ID, "is_bot": True, "first_name": "Bot"}}
        return web.json_response({"ok": True, "result": result})

    app = web.Application()
    app.router.add_post("/api/{method}", slack)
    app.router.add_post("/{token}/{method}", telegram)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def happenings(people: int, chance: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make payloads without end: the platform, and what it delivers; each of another person in another place."""
    for number in itertools.count(1):
        person = number % people
        yield (
            ("slack", _slack(person, number, chance))
            if chance.random() < 0.5
            else (
                "telegram",
                _telegram(person, number, chance),
            )
        )


def _slack(person: int, number: int, chance: random.Random) -> dict[str, Any]:
    user, direct, room, ts = f"U{person}", f"D{person}", f"C{person}", payloads.next_ts()
    said = payloads.message(room, user, f"<@{payloads.BOT_USER}> q{number}", ts)
    match chance.randrange(12):
        case 0:
            event = payloads.message(direct, user, f"q{number} of a person", ts)
        case 1:
            event = said
        case 2:
            event = payloads.message(direct, user, "!help", ts)
        case 3:
            event = payloads.deleted(direct, payloads.message(direct, user, "gone", ts))
        case 4:
            before = payloads.message(direct, user, "one", ts)
            event = payloads.changed(direct, payloads.message(direct, user, "two", ts), before)
        case 5 | 6:
            event = payloads.reaction(user, room, ts, "thumbsup", added=True)
        case 7:
            event = {"type": "app_home_opened", "user": user, "channel": direct, "tab": "home", "event_ts": ts}
        case 8:
            event = {"type": "channel_left", "channel": room, "actor_id": user, "event_ts": ts}
        case _:
            event = payloads.message(room, user, f"among us {number}", ts, thread_ts=payloads.next_ts())
    return payloads.event_callback(event)


def _telegram(person: int, number: int, chance: random.Random) -> dict[str, Any]:
    user = {"id": 1_000_000 + person, "is_bot": False, "first_name": f"P{person}"}
    private = {"id": user["id"], "type": "private", "first_name": user["first_name"]}
    group = {"id": -1_000_000 - person, "type": "supergroup", "title": f"G{person}"}
    now = int(time.time())
    message = {"message_id": number, "date": now, "chat": private, "from": user, "text": f"q{number} of a person"}
    help_ = {"entities": [{"type": "bot_command", "offset": 0, "length": 5}], "text": "/help"}
    match chance.randrange(10):
        case 0:
            body: dict[str, Any] = {"message": message}
        case 1:
            body = {"message": message | help_}
        case 2:
            body = {"edited_message": message | {"edit_date": now, "text": "two"}}
        case 3:
            reaction = {"old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}
            body = {"message_reaction": {"chat": group, "message_id": number, "user": user, "date": now, **reaction}}
        case 4:
            query = {"id": str(number), "from": user, "chat_instance": "1", "data": "rate:good"}
            body = {"callback_query": query | {"message": message | {"from": {**user, "id": BOT_ID, "is_bot": True}}}}
        case 5:
            me = {"id": BOT_ID, "is_bot": True, "first_name": "Bot"}
            member = {
                "old_chat_member": {"user": me, "status": "left"},
                "new_chat_member": {"user": me, "status": "member"},
            }
            body = {"my_chat_member": {"chat": group, "from": user, "date": now, **member}}
        case _:
            body = {"message": message | {"chat": group, "text": f"among us {number}"}}
    return {"update_id": number, **body}


async def deliver(url: str, count: int, people: int, chance: random.Random, *, at_once: int = 8) -> int:
    """Deliver so many payloads, each until it is acknowledged; return how many had to come again."""
    source = itertools.islice(happenings(people, chance), count)
    again = 0

    async def work(http: aiohttp.ClientSession) -> None:
        nonlocal again
        for platform, payload in source:
            body, stamp = json.dumps(payload).encode(), str(int(time.time()))
            path, headers = "telegram/webhook", {"X-Telegram-Bot-Api-Secret-Token": HOOK_SECRET}
            if platform == "slack":
                signature = sign(SECRET, body, stamp)
                path, headers = "slack/events", {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
            headers["Content-Type"] = "application/json"
            while True:
                async with http.post(f"{url}{path}", data=body, headers=headers) as reply:
                    if reply.status == 200:
                        break
                    assert reply.status == 503, f"{platform} got {reply.status}"
                again += 1
                await asyncio.sleep(0.2)

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(work(http) for _ in range(at_once)))
    return again
