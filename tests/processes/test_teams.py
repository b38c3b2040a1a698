"""Three workspaces (one a whole organisation) by two Slack apps and three Telegram bots, in one installation of two
processes, routed to four sites of two tenants: each question to its site with its key."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from bot.testing.slack.oauth import CLIENT_ID, CLIENT_SECRET, Grant
from bot.testing.slack.platform import Channel, FakeSlack
from bot.testing.telegram.platform import FakeTelegram
from bot.testing.telegram.world import person
from tests.postgres import a_server
from tests.processes.api import served
from tests.processes.house import Replica, note
from tests.test_flows_several_apps import SECRET, TOKEN
from tests.test_flows_several_bots import PUBLIC, TOKENS, Front
from tests.test_flows_slack_oauth import KEY, event_of, installed_at

pytestmark = pytest.mark.needs_package("postgresql")
SITES: Final = {
    "main": ("shop", "key-of-first"),
    "T2": ("two", "key-of-other"),
    "E7": ("help", "key-of-first"),
    "first": ("shop", "key-of-first"),
    "second": ("two", "key-of-other"),
    "third": ("three", "key-of-other"),
}
"""Who asks → the site and the key that its questions go with."""


@dataclass
class Wire:
    """An API that records of each question with which key it came for which site, and can hold a key back."""

    url: str = ""
    asked: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    limited: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)

    async def submit(self, request: web.Request) -> web.Response:
        key = request.headers.get("X-API-Key", "")
        left = self.limited.get(key, 0.0) - time.monotonic()
        if left > 0:
            return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": str(int(left) + 1)})
        message = str((await request.json())["message"])
        self.asked.setdefault(message, []).append((request.match_info["site"], key))
        return web.json_response({"request_id": message, "status": "pending"}, status=202)

    async def status(self, request: web.Request) -> web.Response:
        message = request.match_info["name"]
        site, key = request.match_info["site"], request.headers.get("X-API-Key", "")
        assert (site, key) in self.asked[message], "polled elsewhere than it was asked"
        self.answered.setdefault(message, time.monotonic())
        return web.json_response({"request_id": message, "status": "completed", "answer": f"Answer to {message}."})


@asynccontextmanager
async def a_wire() -> AsyncIterator[Wire]:
    wire = Wire()
    async with served(wire.submit, wire.status) as wire.url:
        yield wire


@dataclass
class Teams:
    slack: FakeSlack
    bots: dict[str, FakeTelegram]
    both: list[Replica]
    wire: Wire
    delivered: int = 0
    again: int = 0

    async def ask(self, who: str, words: str, number: int) -> None:
        """Let somebody ask: each in a direct message of their own, Slack's at the one and the other process in turn."""
        if who in self.bots:
            world, asker = self.bots[who].world, person(1_000 + number, f"Person {number}")
            await world.say(world.private(asker), asker, words)
            return
        place = f"D{who}{number}"
        self.slack.channels.setdefault(place, Channel(place, {self.slack.bot_user, "U1"}))
        team = self.slack.team if who == "main" else who
        event = event_of(team, words, org=who == "E7", channel=place)
        secret = SECRET if who == "T2" else self.slack.signing_secret
        body = json.dumps({**event, "api_app_id": "A2SECOND"} if who == "T2" else event).encode()
        for wait in (0.2, 0.5, *[1.0] * 60):  # what was not acknowledged in time is no loss: Slack delivers again
            self.delivered += 1
            self.slack.events_url = f"{self.both[self.delivered % 2].url}slack/events"
            try:
                status, _ = await self.slack.delivery.raw(body, secret=secret)
            except (TimeoutError, aiohttp.ClientError):
                status = 503
            if status != 503:
                break
            self.again += 1
            await asyncio.sleep(wait)
        assert status == 200

    def answers(self) -> Counter[str]:
        """Count the answers that people see, by the words that were asked."""
        texts = [post["text"] for post in self.slack.posts]
        texts += [said["text"] for bot in self.bots.values() for said in bot.world.by_bot()]
        found = [text.partition("Answer to ")[2] for text in texts if "Answer to " in text]
        return Counter(text.split("\n")[0].rstrip(".") for text in found)  # below may stand that it is a second copy


@asynccontextmanager
async def teams(folder: Path) -> AsyncIterator[Teams]:
    files = {"t2.token": TOKEN, "t2.signing": SECRET, "other.key": "key-of-other"}
    files |= {f"{name}.token": TOKENS[name] for name in ("second", "third")}
    files |= {f"{name}.secret": f"secret_of_{name}" for name in ("second", "third")}
    for name, text in files.items():
        (folder / name).write_text(text)
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(FakeSlack())
        slack.oauth.holders[TOKEN] = Grant("T2")
        bots = {name: await stack.enter_async_context(FakeTelegram(token=token)) for name, token in TOKENS.items()}
        front = Front(bots)
        await stack.enter_async_context(front.open())
        wire = await stack.enter_async_context(a_wire())
        url = stack.enter_context(stack.enter_context(a_server()).database())
        other = {"tenant_id": "other", "api_key_file": str(folder / "other.key")}
        settings = {
            "BOT_DATABASE_URL": url,
            "BOT_ENCRYPTION_KEY": KEY,
            "UPPZY_BASE_URL": f"{wire.url}/api/v1",
            "UPPZY_API_KEY": "key-of-first",
            "UPPZY_TENANT_ID": "first",
            "UPPZY_SITE_ID": "shop",
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            "BOT_SLACK": json.dumps(
                [
                    {
                        "name": "helpdesk",
                        "bot_token_file": str(folder / "t2.token"),
                        "signing_secret_file": str(folder / "t2.signing"),
                    }
                ]
            ),
            "TELEGRAM_BOT_TOKEN": TOKENS["first"],
            "TELEGRAM_API_URL": front.url,
            "BOT_TELEGRAM": json.dumps(
                [
                    {
                        "name": name,
                        "token_file": str(folder / f"{name}.token"),
                        "webhook_url": f"{PUBLIC}/{name}",
                        "webhook_secret_file": str(folder / f"{name}.secret"),
                    }
                    for name in ("second", "third")
                ]
            ),
            "BOT_ACCESS__TELEGRAM": "everybody",
            "BOT_ROUTES": json.dumps(
                [
                    {"name": "other", "channel": "slack", "account": "T2", "site_id": "two", **other},
                    {"name": "help", "channel": "slack", "account": "E7", "site_id": "help"},
                    {"name": "other", "channel": "telegram", "account": "4343", "site_id": "two", **other},
                    {"name": "other", "channel": "telegram", "account": "4444", "site_id": "three", **other},
                ]
            ),
        }
        both = [Replica(folder / f"bot{number}", settings) for number in range(2)]
        try:
            await asyncio.gather(*(one.start() for one in both))
            for number, name in enumerate(("second", "third")):
                bots[name].updates.public[f"{PUBLIC}/{name}"] = f"{both[number].url}telegram/webhook"
            await slack.until(lambda: all(bots[name].updates.webhook for name in ("second", "third")), 60)
            await bots["first"].wait_for(lambda: bots["first"].called("getUpdates"), 60)
            for grant in (Grant("E7", org=True), Grant("T8")):
                assert await installed_at(slack, both[0].url.rstrip("/"), grant) == 200
            yield Teams(slack, bots, both, wire)
        finally:
            for one in both:
                if one.process is not None and one.process.returncode is None:
                    await one.end()


@pytest.mark.parametrize("each", [20, pytest.param(500, marks=[pytest.mark.prove, pytest.mark.timeout(1200)])])
async def test_each_question_to_its_site_with_its_key(tmp_path: Path, each: int) -> None:
    async with teams(tmp_path) as made:
        began = time.monotonic()
        pace = asyncio.Semaphore(20)

        async def one(who: str, number: int) -> None:
            async with pace:
                await made.ask(who, f"{who}-{number}", number)

        await asyncio.gather(*(one(who, number) for number in range(each) for who in SITES))
        # A pending workspace, a stranger's workspace, one of the first app signed by the second: nobody is asked.
        made.slack.channels["Dpending"] = Channel("Dpending", {made.slack.bot_user, "U1"})
        for team in ("T8", "T5"):
            assert await made.slack.delivery.request(event_of(team, f"{team}-0", channel="Dpending")) == 200
        stranger = event_of(made.slack.team, "stranger-0", channel="Dpending")
        stranger["event"]["team"] = stranger["event"]["user_team"] = "T5"
        assert await made.slack.delivery.request(stranger) == 200
        expected = {f"{who}-{number}": [SITES[who]] for who in SITES for number in range(each)}
        await made.slack.until(lambda: len(made.answers()) >= len(expected), 600)
        assert made.wire.asked == expected, "each once, at its site, with its key, and nobody else's"
        assert made.answers() == Counter(dict.fromkeys(expected, 1))
        note(
            "teams",
            {"questions": len(expected), "seconds": round(time.monotonic() - began), "delivered_again": made.again},
        )
        await no_other_is_held_back(made)


async def no_other_is_held_back(made: Teams) -> None:
    """While one tenant's key is limited, the other tenant's questions are answered; then its own."""
    made.wire.limited["key-of-other"] = time.monotonic() + 8.0
    for who in SITES:
        await made.ask(who, f"{who}-limited", 9_000)
    held = {f"{who}-limited" for who, (_, key) in SITES.items() if key == "key-of-other"}
    free = {f"{who}-limited" for who in SITES} - held
    await made.slack.until(lambda: free <= made.wire.answered.keys(), 60)
    in_time = max(made.wire.answered[words] for words in free) < made.wire.limited["key-of-other"]
    await made.slack.until(lambda: (held | free) <= made.answers().keys(), 60)
    until = made.wire.limited["key-of-other"]
    assert in_time, "the other tenant waited"
    assert all(made.wire.answered[words] >= until for words in held)
