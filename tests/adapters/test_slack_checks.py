"""Slack's part of `doctor`, and the settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.slack import manifest
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackSettings
from adapters.slack.emoji import NAMES, to_unicode
from bot.adapter import Check, Want
from bot.errors import Misconfigured
from bot.testing.slack.payloads import APP
from bot.testing.slack.platform import FakeSlack
from tests.adapters.slack_live import live_slack

GOOD = ["👍", "👏", "🙌", "🎉", "💯", "✅", "✔", "❤", "🔥", "😍", "🤩", "🥰", "👌", "🏆", "⭐"]
BAD = ["👎", "❌", "😡", "😠", "🤬", "💩", "🤮", "💔"]


async def test_all_is_well() -> None:
    async with FakeSlack(agent=True) as slack:
        slack.manifests[APP] = manifest.build("socket")
        checks = await _check(slack, socket_mode=True, SLACK_CONFIG_TOKEN=slack.config_token)
        assert {check.check: check.status for check in checks} == {
            "slack way": "ok",
            "slack token": "ok",
            "slack clock": "ok",
            "slack scopes": "ok",
            "slack events": "ok",
            "slack socket mode": "ok",
        }
        slack.manifests[APP] = manifest.build("http", "https://bot.example.org")
        checks = await _check(slack, socket_mode=False, SLACK_CONFIG_TOKEN=slack.config_token)
        assert {check.status for check in checks} == {"ok"}


async def test_a_token_without_a_scope_is_told_which() -> None:
    async with FakeSlack() as slack:
        slack.scopes.remove("reactions:read")
        check = _named(await _check(slack), "slack scopes")
        assert check.status == "fail"
        assert "reactions:read" in check.detail
        assert "--apply" in check.fix


async def test_without_the_scope_for_user_groups_it_warns_and_goes_on() -> None:
    async with FakeSlack() as slack:
        slack.scopes.remove("usergroups:read")
        check = _named(await _check(slack), "slack scopes")
        assert (check.status, "usergroups:read" in check.detail) == ("warn", True)


async def test_what_the_settings_have_switched_on_needs_its_scope() -> None:
    async with FakeSlack() as slack:
        assert _named(await _check(slack), "slack scopes").status == "ok"
        check = _named(await _check(slack, wants=frozenset({"files"})), "slack scopes")
        assert check.status == "warn"
        assert "files:read, which reads files" in check.detail
        assert "users:read.email" not in check.detail


async def test_an_app_that_is_no_agent_is_fine() -> None:
    async with FakeSlack() as slack:
        assert _named(await _check(slack), "slack scopes").status == "ok"
        slack.scopes.clear()
        assert _named(await _check(slack), "slack scopes").status == "warn"


async def test_a_token_that_will_end_is_warned_of_before() -> None:
    """With token rotation on, Slack's bot tokens begin with `xoxe.` and end after twelve hours."""
    async with FakeSlack() as slack:
        assert "slack token expiry" not in {check.check for check in await _check(slack)}
        slack.bot_token = "xoxe.xoxb-loopback-bot"
        check = _named(await _check(slack), "slack token expiry")
        assert check.status == "warn"
        assert "twelve hours" in check.detail
        assert "SLACK_CLIENT_ID" in check.fix


async def test_events_are_compared_with_the_apps_own_settings() -> None:
    async with FakeSlack() as slack:
        assert _named(await _check(slack), "slack events").status == "warn"
        app = manifest.build("http", "https://bot.example.org")
        app["settings"]["event_subscriptions"]["bot_events"].remove("message.im")
        app["settings"]["interactivity"]["is_enabled"] = False
        slack.manifests[APP] = app
        check = _named(await _check(slack, socket_mode=True, SLACK_CONFIG_TOKEN=slack.config_token), "slack events")
        assert check.status == "fail"
        assert "message.im" in check.detail
        assert "interactivity is off" in check.detail
        assert "Socket Mode is off" in check.detail


@pytest.mark.parametrize(
    ("method", "how", "name", "status", "fix"),
    [
        ("auth.test", "error:invalid_auth", "slack token", "fail", "OAuth & Permissions"),
        ("auth.test", "error:unknown_method", "slack token", "fail", "SLACK_API_URL"),
        ("auth.test", "status:503", "slack token", "fail", "network"),
        ("apps.connections.open", "error:invalid_auth", "slack socket mode", "fail", "SLACK_APP_TOKEN"),
        ("apps.connections.open", "rate_limited", "slack socket mode", "warn", "again"),
        ("apps.manifest.export", "error:token_expired", "slack events", "fail", "SLACK_CONFIG_TOKEN"),
        ("apps.manifest.export", "garbage", "slack events", "fail", "network"),
    ],
)
async def test_what_fails_is_a_finding_with_a_fix(method: str, how: str, name: str, status: str, fix: str) -> None:
    async with FakeSlack() as slack:
        slack.fail(method, how, times=None)
        check = _named(await _check(slack, socket_mode=True, SLACK_CONFIG_TOKEN=slack.config_token), name)
        assert check.status == status
        assert fix in check.fix


async def test_while_it_runs_no_ticket_is_taken_for_a_check() -> None:
    """The core checks every minute, and Slack hands out few tickets."""
    async with live_slack() as live:
        check = _named(await live.adapter.check(), "slack socket mode")
        assert check.detail == "2 connections are open."
        assert live.slack.sockets.handed_out == 2


@pytest.mark.parametrize("emoji", GOOD + BAD)
def test_every_emoji_of_the_default_table_has_a_name_here(emoji: str) -> None:
    assert emoji in NAMES.values()


@pytest.mark.parametrize(
    ("name", "emoji"),
    [
        ("+1::skin-tone-2", "👍"),
        ("+1::skin-tone-6", "👍"),
        (":tada:", "🎉"),
        ("rocket", "🚀"),
        ("snowman", "☃"),
        ("a", ":a:"),
        ("latin_small_letter_a", ":latin_small_letter_a:"),
        ("digit_one", ":digit_one:"),
        ("space", ":space:"),
        ("shipit", ":shipit:"),
        ("", "::"),
    ],
)
def test_names_become_unicode(name: str, emoji: str) -> None:
    assert to_unicode(name) == emoji


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SLACK_BOT_TOKEN": "xoxp-secret-1"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxb-secret-1"}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_APP_TOKEN": "xoxb-secret-1"}, "SLACK_APP_TOKEN"),
        ({"SLACK_CONFIG_TOKEN": "xoxb-secret-1"}, "SLACK_CONFIG_TOKEN"),
        ({"SLACK_API_URL": "http://slack.example/api/"}, "SLACK_API_URL"),
        ({"SLACK_API_URL": "secret-1"}, "SLACK_API_URL"),
    ],
)
def test_wrong_settings_are_named_and_never_shown(given: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackSettings.model_validate(given)
    (problem,) = caught.value.errors(include_input=False, include_url=False)
    assert problem["msg"].startswith(f"Value error, {named}: expected ")
    assert "secret-1" not in problem["msg"]


def test_empty_is_unset_and_secrets_do_not_show() -> None:
    settings = SlackSettings.model_validate({"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""})
    assert not settings.enabled
    assert not settings.socket_mode
    with pytest.raises(Misconfigured, match="SLACK_BOT_TOKEN"):
        SlackAdapter(settings)
    settings = SlackSettings.model_validate({"SLACK_BOT_TOKEN": "xoxb-secret-1", "SLACK_APP_TOKEN": "xapp-secret-1"})
    assert settings.enabled
    assert "secret-1" not in repr(settings)
    gov = SlackSettings.model_validate({"SLACK_API_URL": "https://slack-gov.com/api"})
    assert gov.api_url == "https://slack-gov.com/api/"


async def _check(
    slack: FakeSlack, *, socket_mode: bool = False, wants: frozenset[Want] = frozenset(), **more: Any
) -> Sequence[Check]:
    transport = {"SLACK_APP_TOKEN": slack.app_token} if socket_mode else {"SLACK_SIGNING_SECRET": slack.signing_secret}
    given = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url, **transport, **more}
    return await SlackAdapter(SlackSettings.model_validate(given)).check(wants)


def _named(checks: Sequence[Check], name: str) -> Check:
    (check,) = [check for check in checks if check.check == name]
    return check
