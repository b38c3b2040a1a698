"""Two Slack apps in one process, at one address: told apart by their ids and secrets, each with its own workspace."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from adapters.slack.config import CHANNEL
from bot.assistant.accounts import TenantAccount
from bot.assistant.server import AssistantOptions, start
from bot.config import load
from bot.testing.slack import payloads
from bot.testing.slack.oauth import Grant
from bot.testing.slack.platform import FakeSlack
from tests.slack_house import DOCS, SlackHouse, signed_by, slack_environment
from tests.test_flows_slack_oauth import event_of, posted_by

TOKEN: Final = "xoxb-222222-second-app"
SECRET: Final = "second-app-signing-secret"
OTHER: Final = TenantAccount(id="other", sites=("two",), keys=("key-of-other",))


@asynccontextmanager
async def two_apps(
    folder: Path, *, socket_mode: bool = False, second: dict[str, str] | None = None
) -> AsyncIterator[SlackHouse]:
    (docs := folder / "docs").mkdir()
    (docs / "faq.md").write_text(DOCS["faq.md"])
    for name, text in (("token", TOKEN), ("signing", SECRET), ("other.key", "key-of-other")):
        (folder / name).write_text(text)
    second = second or {"name": "helpdesk", "bot_token_file": "token", "signing_secret_file": "signing"}
    route = {"account": "T2", "tenant_id": "other", "site_id": "two", "api_key_file": "other.key"}
    more = {"BOT_SLACK": json.dumps([second]), "BOT_ROUTES": json.dumps([route])}
    async with FakeSlack() as slack:
        slack.more_app_tokens.add("xapp-1-A2SECOND-1-loopback")
        slack.oauth.holders[TOKEN] = Grant("T2")
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05, more=(OTHER,)))
        environ = slack_environment(slack, assistant.base_url, folder, socket_mode=socket_mode, **more)
        house = SlackHouse(slack, assistant, load([CHANNEL], environ=environ, cwd=folder))
        await house.start()
        await slack.until(lambda: len(slack.made("auth.test")) >= 2)
        try:
            yield house
        finally:
            await house.bot.stop()
            await assistant.close()


def of_second(text: str) -> dict[str, Any]:
    return {**event_of("T2", text), "api_app_id": "A2SECOND"}


def sites(house: SlackHouse) -> list[str]:
    return [entry.path.split("/sites/")[1].split("/")[0] for entry in house.assistant.requests.of("chat_async")]


async def test_each_app_takes_its_own_and_answers_with_its_own_token(tmp_path: Path) -> None:
    async with two_apps(tmp_path) as house:
        slack = house.slack
        await slack.say("U1", "D1", "When does the shop open?")
        await house.answers(1)
        for number in range(2):  # the second time its id is known
            with signed_by(slack, SECRET):
                assert await slack.delivery.request(of_second(f"When does the shop open? {number}")) == 200
        await house.answers(3)
        assert len(posted_by(house, "T2")) == 2
        assert len(posted_by(house, slack.team)) == 1
        assert sites(house) == ["demo", "two", "two"]
        assert await slack.delivery.request(of_second("with the first one's secret")) == 401
        with signed_by(slack, SECRET):
            wrong = {**event_of("T2", "x"), "api_app_id": payloads.APP}
            assert await slack.delivery.request(wrong) == 401, "signed by another app than it names"
            assert await slack.delivery.request({**event_of("T7", "x"), "api_app_id": "A2SECOND"}) == 200
        with signed_by(slack, "nobody's"):
            assert await slack.delivery.request(of_second("x")) == 401
        await house.idle()
        assert len(house.asked()) == 3
        words = 'api_app_id=A2SECOND and {"api_app_id": "A2SECOND"}'
        await slack.say("U1", "D1", words)
        await house.answers(4)
        assert house.asked()[-1] == words, "what people write names no app"


async def test_one_app_in_socket_mode_and_one_over_http(tmp_path: Path) -> None:
    """The address is the second one's alone: what the first one signs there is refused."""
    async with two_apps(tmp_path, socket_mode=True) as house:
        slack = house.slack
        await slack.say("U1", "D1", "When does the shop open?")
        await house.answers(1)
        slack.events_url = f"{house.bot.web.url.rstrip('/')}/slack/events"
        body = json.dumps(of_second("When does the shop open?")).encode()
        assert (await slack.delivery.raw(body, secret=SECRET))[0] == 200
        assert (await slack.delivery.raw(body))[0] == 401
        await house.answers(2)
        slack.events_url = None
        await slack.say("U1", "D1", "When does the shop open? 2")
        await house.answers(3)
        assert sites(house) == ["demo", "two", "demo"]
        assert len(posted_by(house, "T2")) == 1


async def test_two_apps_in_socket_mode_each_on_connections_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("xapp-1-A2SECOND-1-loopback")
    app = {"name": "helpdesk", "bot_token_file": "token", "app_token_file": "socket"}
    async with two_apps(tmp_path, socket_mode=True, second=app) as house:
        slack = house.slack
        for number in range(3):
            await slack.say("U1", "D1", f"When does the shop open? {number}")
            assert await slack.sockets.push(of_second(f"And when does it close? {number}"), "events_api")
        await house.answers(6)
        await house.idle()
        assert sorted(sites(house)) == ["demo"] * 3 + ["two"] * 3
        assert (len(posted_by(house, slack.team)), len(posted_by(house, "T2"))) == (3, 3)
