"""The Slack manifest says what the code uses: events, methods, scopes, names; and Slack takes it."""

from __future__ import annotations

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from adapters.slack import ids, manifest
from adapters.slack.config import CHANNEL, SlackSettings
from adapters.slack.manifest import MANIFEST
from adapters.slack.normalize import subscribed
from bot.adapter import ManifestOptions, Want
from bot.errors import Misconfigured, Rejected
from bot.testing.slack.payloads import APP
from bot.testing.slack.platform import AGENT_SCOPES, EMAIL_SCOPES, FILE_SCOPES, SCOPES, FakeSlack
from bot.testing.slack.rules import ARGUMENTS

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT.parent / "shared" / "checks" / "slackapi-manifest.schema.2.0.0.json"
URL = "https://bot.example.org/base"

FORMS: list[dict[str, Any]] = [
    {"mode": "socket"},
    {"mode": "socket", "agent": False},
    {"mode": "http", "url": URL},
    {"mode": "http", "url": URL, "agent": False},
]


def test_the_file_is_what_the_command_makes() -> None:
    """Run `uppzy-bot manifest slack > manifests/slack.yaml` when this fails."""
    assert (ROOT / "manifests" / "slack.yaml").read_text(encoding="utf-8") == MANIFEST.text(ManifestOptions())


def test_every_event_the_code_reads_is_subscribed_to_and_no_other() -> None:
    assert {read for read, _, _ in manifest.EVENTS.values()} == set(subscribed())


def test_every_method_the_code_calls_is_known_and_no_other() -> None:
    called = set()
    for path in (ROOT / "adapters" / "slack").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in ARGUMENTS:
                called.add(node.value)
    assert called == set(manifest.METHODS) == set(ARGUMENTS)


def test_every_scope_is_needed_and_what_is_needed_is_there() -> None:
    needed = {scope for _, _, scopes in manifest.EVENTS.values() for scope in scopes}
    needed |= {scope for scopes in manifest.METHODS.values() for scope in scopes}
    asked_for = {scope for scope, _ in manifest.WANTED.values()}
    assert needed | {"commands"} | set(EMAIL_SCOPES) == set(manifest.SCOPES) | asked_for
    assert set(SCOPES) | AGENT_SCOPES == set(manifest.SCOPES)
    assert set(FILE_SCOPES) | set(EMAIL_SCOPES) == asked_for
    assert all({**manifest.SCOPES, **dict(manifest.WANTED.values())}.values()), "a scope without a reason"


@pytest.mark.parametrize("form", FORMS)
def test_no_scope_is_asked_for_that_nobody_has_switched_on(form: dict[str, Any]) -> None:
    choices: tuple[frozenset[Want], ...] = (frozenset(), frozenset({"files"}), frozenset({"files", "emails"}))
    for wants in choices:
        scopes = manifest.build(**form, wants=wants)["oauth_config"]["scopes"]["bot"]
        assert {want for want, (scope, _) in manifest.WANTED.items() if scope in scopes} == wants


def test_the_scope_for_files_is_there_only_where_they_are_wanted() -> None:
    """So that nobody has to grant what the bot does not use."""
    text = MANIFEST.text(ManifestOptions(wants=frozenset({"files"})))
    assert "- files:read  # reads files of questions" in text
    assert "files:read" not in MANIFEST.text(ManifestOptions())


def test_it_is_where_the_channel_says() -> None:
    module, _, name = CHANNEL.manifest.partition(":")
    assert getattr(importlib.import_module(module), name) is MANIFEST
    assert MANIFEST.options == {"mode", "url", "agent"}


@pytest.mark.parametrize("form", FORMS)
def test_the_manifest_names_what_the_code_answers_to(form: dict[str, Any]) -> None:
    built = manifest.build(**form)
    features, settings = built["features"], built["settings"]
    assert [command["command"] for command in features["slash_commands"]] == [ids.SLASH_COMMAND]
    assert [shortcut["callback_id"] for shortcut in features["shortcuts"]] == [ids.ASK_SHORTCUT]
    assert settings["socket_mode_enabled"] == (form["mode"] == "socket")
    assert ("agent_view" in features) == form.get("agent", True)
    assert "assistant_view" not in features
    addresses = {
        settings["event_subscriptions"].get("request_url"),
        settings["interactivity"].get("request_url"),
        features["slash_commands"][0].get("url"),
    }
    assert addresses == ({f"{URL}/slack/events"} if form["mode"] == "http" else {None})
    left_out = manifest.AGENT_ONLY if not form.get("agent", True) else frozenset()
    assert set(built["oauth_config"]["scopes"]["bot"]) == set(manifest.SCOPES) - left_out
    assert set(settings["event_subscriptions"]["bot_events"]) == set(manifest.EVENTS) - left_out


@pytest.mark.parametrize("form", FORMS)
def test_the_yaml_is_the_manifest_with_a_reason_beside_each_scope(form: dict[str, Any]) -> None:
    text = MANIFEST.text(ManifestOptions(**form))
    built = manifest.build(**form)
    assert yaml.safe_load(text) == built
    for scope in built["oauth_config"]["scopes"]["bot"]:
        assert f"- {scope}  # {manifest.SCOPES[scope]}" in text


@pytest.mark.parametrize("form", FORMS)
def test_slacks_schema_takes_it(form: dict[str, Any]) -> None:
    """The official schema where it is at hand; its lengths always."""
    built = manifest.build(**form)
    if SCHEMA.exists():
        jsonschema.validate(built, json.loads(SCHEMA.read_text(encoding="utf-8")))
    shown = built["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert len(built["features"].get("agent_view", {}).get("agent_description", "")) <= 300
    assert len(built["features"].get("agent_view", {}).get("suggested_prompts", ())) <= 4
    assert len(built["settings"]["event_subscriptions"]["bot_events"]) <= 100


@pytest.mark.parametrize("url", [None, "", "http://bot.example.org", "bot.example.org"])
def test_http_needs_an_https_address(url: str | None) -> None:
    with pytest.raises(Misconfigured, match="--url"):
        manifest.build("http", url)


def test_the_whole_address_may_be_given() -> None:
    assert manifest.build("http", f"{URL}/slack/events") == manifest.build("http", URL + "/")


async def test_apply_creates_then_updates() -> None:
    async with FakeSlack() as slack:
        (created,) = await MANIFEST.apply(_settings(slack), ManifestOptions())
        assert "A0NEW was created" in created
        assert slack.manifests["A0NEW"] == manifest.build()
        (updated,) = await MANIFEST.apply(_settings(slack, bot=True), ManifestOptions(mode="http", url=URL))
        assert f"{APP} was updated" in updated
        assert slack.manifests[APP] == manifest.build("http", URL)
        await MANIFEST.apply(_settings(slack, bot=True, app=True), ManifestOptions())
        assert slack.manifests[APP] == manifest.build()


async def test_apply_says_what_is_missing_or_refused() -> None:
    async with FakeSlack() as slack:
        with pytest.raises(Misconfigured, match="SLACK_CONFIG_TOKEN"):
            await MANIFEST.apply(SlackSettings.model_validate({"SLACK_API_URL": slack.api_url}), ManifestOptions())
        slack.fail("apps.manifest.create", "error:token_expired")
        with pytest.raises(Misconfigured):
            await MANIFEST.apply(_settings(slack), ManifestOptions())
        slack.fail("apps.manifest.create", "error:invalid_manifest")
        with pytest.raises(Rejected, match="invalid_manifest"):
            await MANIFEST.apply(_settings(slack), ManifestOptions())


async def test_what_the_app_has_otherwise_is_told() -> None:
    async with FakeSlack(agent=True) as slack:
        settings = _settings(slack, bot=True, app=True)
        await MANIFEST.apply(settings, ManifestOptions(agent=False))
        slack.manifests[APP]["display_information"]["name"] = "Ask Ada"
        assert await MANIFEST.differences(settings) == [], "what an operator may choose is no difference"
        assert await MANIFEST.differences(_settings(slack, bot=True)) == [
            "Socket Mode is on",
            "the request URL does not end with /slack/events",
        ]
        app = slack.manifests[APP]
        app["settings"]["event_subscriptions"]["bot_events"].remove("message.im")
        app["settings"]["interactivity"] = None
        app["oauth_config"]["scopes"]["bot"].remove("im:history")
        assert await MANIFEST.differences(settings) == [
            "no subscription to message.im",
            "no scope im:history",
            "interactivity is off",
        ]
        slack.manifests[APP] = None
        assert len(await MANIFEST.differences(settings) or ()) == 4


async def test_without_a_configuration_token_the_app_is_not_looked_at() -> None:
    async with FakeSlack() as slack:
        given = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        assert await MANIFEST.differences(SlackSettings.model_validate(given)) is None
        only = {"SLACK_API_URL": slack.api_url, "SLACK_CONFIG_TOKEN": slack.config_token}
        assert await MANIFEST.differences(SlackSettings.model_validate(only)) is None, "the app is still to be created"
        assert slack.calls == []
        slack.fail("apps.manifest.export", "error:token_expired")
        with pytest.raises(Misconfigured, match="SLACK_CONFIG_TOKEN"):
            await MANIFEST.differences(_settings(slack, bot=True))


def _settings(slack: FakeSlack, *, bot: bool = False, app: bool = False) -> SlackSettings:
    given = {"SLACK_API_URL": slack.api_url, "SLACK_CONFIG_TOKEN": slack.config_token}
    if bot:
        given |= {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_SIGNING_SECRET": slack.signing_secret}
    if app:
        given["SLACK_APP_TOKEN"] = slack.app_token
    return SlackSettings.model_validate(given)
