"""manifests/telegram.yaml agrees with the code, keeps Telegram's limits, and is what Telegram shows after --apply."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from adapters.telegram import manifest
from adapters.telegram.config import CHANNEL, TelegramSettings
from adapters.telegram.manifest import MANIFEST
from adapters.telegram.normalize import COMMANDS
from bot.adapter import Manifest, ManifestOptions
from bot.errors import Misconfigured, Rejected, Unavailable
from bot.testing.telegram.platform import FakeTelegram

FILE = Path(__file__).parent.parent / "manifests" / "telegram.yaml"


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


def settings(telegram: FakeTelegram) -> TelegramSettings:
    return TelegramSettings.model_validate(telegram.environment())


def test_the_file_is_what_the_code_makes() -> None:
    assert FILE.read_text(encoding="utf-8") == MANIFEST.text(ManifestOptions())
    assert yaml.safe_load(FILE.read_text(encoding="utf-8")) == manifest.as_data()


def test_the_commands_are_the_ones_we_understand() -> None:
    shown = yaml.safe_load(MANIFEST.text(ManifestOptions()))
    for scope, languages in shown["commands"].items():
        assert set(languages) == set(shown["description"]), scope
        for words in languages.values():
            assert set(words) <= COMMANDS
    assert set(shown["commands"]["all_private_chats"]["default"]) == COMMANDS
    assert "start" not in shown["commands"]["all_group_chats"]["default"], "nobody starts a bot in a group"


def test_it_keeps_telegrams_limits() -> None:
    shown = yaml.safe_load(MANIFEST.text(ManifestOptions()))
    assert all(len(text) <= 512 for text in shown["description"].values())
    assert all(len(text) <= 120 for text in shown["short_description"].values())
    for languages in shown["commands"].values():
        for commands in languages.values():
            assert all(re.fullmatch(r"[a-z0-9_]{1,32}", name) for name in commands)
            assert all(1 <= len(words) <= 256 for words in commands.values())


def test_it_is_found_by_the_channels_spec_and_offers_no_options() -> None:
    module, _, name = CHANNEL.manifest.partition(":")
    registered: Manifest = getattr(importlib.import_module(module), name)
    assert registered is MANIFEST
    assert registered.options == frozenset()


async def test_apply_makes_the_difference_none(telegram: FakeTelegram) -> None:
    before = await MANIFEST.differences(settings(telegram))
    assert before is not None
    missing = ", ".join(f"/{name} is missing" for name in ("ask", "new", "stop", "help"))
    assert f"commands in all_group_chats for language tr: {missing}" in before
    assert "description for every other language differs" in before
    done = await MANIFEST.apply(settings(telegram), ManifestOptions())
    assert len(done) == len(before)
    assert "description for every other language is set" in done
    assert "commands in all_group_chats for language tr are set: /ask, /new, /stop, /help" in done
    assert await MANIFEST.differences(settings(telegram)) == []
    calls = len(telegram.calls)
    assert await MANIFEST.apply(settings(telegram), ManifestOptions()) == []
    assert not [call for call in telegram.calls[calls:] if call.method.startswith("set")]


async def test_only_what_differs_is_changed(telegram: FakeTelegram) -> None:
    await MANIFEST.apply(settings(telegram), ManifestOptions())
    telegram.world.commands["all_private_chats", "de"].append({"command": "old", "description": "Alt"})
    telegram.world.profile["description", "tr"] = "Eski"
    assert await MANIFEST.differences(settings(telegram)) == [
        "commands in all_private_chats for language de: /old is too many",
        "description for language tr differs",
    ]
    calls = len(telegram.calls)
    await MANIFEST.apply(settings(telegram), ManifestOptions())
    changed = [call.method for call in telegram.calls[calls:] if call.method.startswith("set")]
    assert changed == ["setMyCommands", "setMyDescription"]


async def test_it_waits_as_long_as_telegram_asks(telegram: FakeTelegram) -> None:
    telegram.retry_after = 0.05
    telegram.fail("rate_limited", method="setMyCommands", times=2)
    await MANIFEST.apply(settings(telegram), ManifestOptions())
    assert await MANIFEST.differences(settings(telegram)) == []


async def test_errors_are_ours(telegram: FakeTelegram) -> None:
    telegram.fail("bad_token")
    with pytest.raises(Misconfigured, match="TELEGRAM_BOT_TOKEN"):
        await MANIFEST.differences(settings(telegram))
    telegram.fail(500)
    telegram.fail("moved")
    with pytest.raises(Rejected):
        await MANIFEST.differences(settings(telegram))
    telegram.fail("empty")
    with pytest.raises(Unavailable):
        await MANIFEST.differences(settings(telegram))
    telegram.fail(500)
    with pytest.raises(Unavailable):
        await MANIFEST.apply(settings(telegram), ManifestOptions())
    with pytest.raises(Misconfigured, match="TELEGRAM_BOT_TOKEN is not set"):
        await MANIFEST.apply(TelegramSettings(), ManifestOptions())
    assert await MANIFEST.differences(TelegramSettings()) is None, "without a token nobody can ask"
