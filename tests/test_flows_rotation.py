"""Tokens, signing and webhook secrets of running channels are changed: old and new side by side, no message lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from adapters.slack.config import CHANNEL as SLACK
from adapters.telegram.config import CHANNEL as TELEGRAM
from bot import app
from bot.accounts import receiving
from bot.assistant.server import AssistantOptions, start
from bot.config import Config, load
from bot.testing.slack.oauth import Grant
from bot.testing.slack.platform import FakeSlack
from tests.slack_house import DOCS, SlackHouse, signed_by, slack_environment
from tests.test_flows_several_bots import ANNA, Bots, asked, bots, settings
from tests.test_flows_slack_oauth import event_of, posted_by

FRESH: Final = "xoxb-999999-fresh-token"
FRESH_SECRET: Final = "fresh-signing-secret-of-the-app"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "OVERLAP", 0.2)


def read_again(slack: FakeSlack, assistant: str, folder: Path, *, socket_mode: bool) -> Config:
    """Read the settings; secrets stand in files of BOT_SECRETS_DIR."""
    environ = slack_environment(slack, assistant, folder, socket_mode=socket_mode)
    (secrets := folder / "secrets").mkdir(exist_ok=True)
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        value = environ.pop(name, "")
        if value and not (secrets / name).exists():
            (secrets / name).write_text(value)
    return load([SLACK], environ={**environ, "BOT_SECRETS_DIR": str(secrets)}, cwd=folder)


Play: TypeAlias = Callable[[SlackHouse, Callable[[], Config]], Awaitable[None]]


async def with_slack(folder: Path, play: Play, *, socket: bool) -> None:
    (docs := folder / "docs").mkdir()
    (docs / "faq.md").write_text(DOCS["faq.md"])
    async with FakeSlack() as slack:
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05))

        def read() -> Config:
            return read_again(slack, assistant.base_url, folder, socket_mode=socket)

        house = SlackHouse(slack, assistant, read())
        await house.start()
        try:
            await play(house, read)
        finally:
            await house.bot.stop()
            await assistant.close()


def fresh_token(slack: FakeSlack, folder: Path) -> None:
    """The workspace has a further token, as in the settings from now on."""
    slack.oauth.holders[FRESH] = Grant(slack.team)
    (folder / "secrets" / "SLACK_BOT_TOKEN").write_text(FRESH)


async def test_slack_by_http(tmp_path: Path) -> None:
    """Both secrets hold until a delivery came by the new one; answers go out with the new token."""

    async def play(house: SlackHouse, read: Callable[[], Config]) -> None:
        slack = house.slack
        await slack.say("U1", "D1", "When does the shop open? 1")
        await house.answers(1)
        fresh_token(slack, tmp_path)
        (tmp_path / "secrets" / "SLACK_SIGNING_SECRET").write_text(FRESH_SECRET)
        await app.rotate_keys(house.bot.running_bot, read())
        slack.bot_token = FRESH  # the old one is refused
        await asyncio.sleep(0.5)  # longer than the overlap
        await slack.say("U1", "D1", "When does the shop open? 2")  # Slack signs with the old one yet
        await house.answers(2)
        with signed_by(slack, FRESH_SECRET):
            await slack.say("U1", "D1", "When does the shop open? 3")
            await house.answers(3)
            await slack.until(lambda: len(tasks_of(house)) == 1)
        assert await slack.delivery.request(event_of(slack.team, "signed with the old one")) == 401
        assert len(house.asked()) == 3

    await with_slack(tmp_path, play, socket=False)


def tasks_of(house: SlackHouse) -> set[object]:
    return set(house.bot.running_bot.receiving._tasks._tasks)


async def test_slack_in_socket_mode(tmp_path: Path) -> None:
    async def play(house: SlackHouse, read: Callable[[], Config]) -> None:
        slack = house.slack
        fresh_token(slack, tmp_path)
        asking = asyncio.create_task(ask_all_the_while(house, 10))
        await app.rotate_keys(house.bot.running_bot, read())
        slack.bot_token = FRESH  # the old one is refused
        await asking
        await house.answers(10)
        await slack.until(lambda: slack.sockets.count == 2)
        assert len(house.asked()) == 10

    await with_slack(tmp_path, play, socket=True)


async def ask_all_the_while(house: SlackHouse, count: int) -> None:
    for number in range(count):
        await house.slack.say("U1", "D1", f"When does the shop open? {number}")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("wrong", ["xoxb-nobody-has-this", "xoxb-of-another-workspace"])
async def test_a_token_that_is_refused_or_of_another_workspace_is_not_used(tmp_path: Path, wrong: str) -> None:
    async def play(house: SlackHouse, read: Callable[[], Config]) -> None:
        house.slack.oauth.holders["xoxb-of-another-workspace"] = Grant("T7")
        await house.slack.say("U1", "D1", "When does the shop open? 1")
        await house.answers(1)
        (tmp_path / "secrets" / "SLACK_BOT_TOKEN").write_text(wrong)
        await app.rotate_keys(house.bot.running_bot, read())
        await house.slack.say("U1", "D1", "When does the shop open? 2")
        await house.answers(2)
        assert posted_by(house, house.slack.team)[2:] == []
        assert posted_by(house, "T7") == []

    await with_slack(tmp_path, play, socket=False)


async def test_telegrams_token_and_webhook_secret(tmp_path: Path) -> None:
    """One bot polls and gets another token, one has a webhook and gets another secret; the third is left alone."""
    async with bots(tmp_path) as made:
        for telegram in made.telegrams.values():
            await asked(telegram, "When does the shop open? 1")
        first = made.telegrams["first"]
        fresh = "4242:BBF-another_Token-0123456789abcdef4242"
        made.front._servers[fresh] = first
        old, first.token = first.token, fresh
        config = made.bot.running_bot.config
        given = settings(tmp_path, made.front.url, config.base_url, TELEGRAM_BOT_TOKEN=fresh)
        (tmp_path / "second.secret").write_text("another_secret_of_second")
        await app.rotate_keys(made.bot.running_bot, load([TELEGRAM], environ=given, cwd=tmp_path))
        second = made.telegrams["second"]
        await second.wait_for(lambda: secret_of(second) == "another_secret_of_second")
        await ask_each(made, "When does the shop open? 2")
        assert old != first.token
        assert len(made.sites()) == 6
        assert len(made.telegrams["third"].called("setWebhook")) == 1


def secret_of(telegram: object) -> str:
    return telegram.updates.webhook.secret  # type: ignore[attr-defined,no-any-return]


async def ask_each(made: Bots, words: str) -> None:
    for telegram in made.telegrams.values():
        before = len(telegram.called("sendMessage"))
        await telegram.world.say(telegram.world.private(ANNA), ANNA, words)
        await telegram.wait_for(lambda: len(telegram.called("sendMessage")) > before)  # noqa: B023
