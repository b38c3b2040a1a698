"""The TELEGRAM_* settings: what is refused, with which words, and never with the value."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.telegram.config import CHANNEL, TelegramSettings

TOKEN = "123456:AAF-abc_def"
WEBHOOK = {"TELEGRAM_WEBHOOK_URL": "https://bot.example.org/telegram/webhook", "TELEGRAM_WEBHOOK_SECRET": "s3cret_-"}


def test_nothing_is_needed_and_nothing_is_on() -> None:
    assert not TelegramSettings.model_validate({}).enabled
    assert not TelegramSettings.model_validate({"TELEGRAM_BOT_TOKEN": ""}).enabled
    assert TelegramSettings.model_validate({"TELEGRAM_BOT_TOKEN": TOKEN}).api_url == "https://api.telegram.org"


@pytest.mark.parametrize(
    "settings",
    [
        {"TELEGRAM_BOT_TOKEN": TOKEN},
        {"TELEGRAM_BOT_TOKEN": TOKEN, **WEBHOOK},
        {"TELEGRAM_API_URL": "http://127.0.0.1:8081/"},
        {"TELEGRAM_API_URL": "http://localhost:8081"},
        {"TELEGRAM_API_URL": "http://[::1]:8081"},
        {"TELEGRAM_WEBHOOK_SECRET": "x" * 256},
        {"webhook_url": WEBHOOK["TELEGRAM_WEBHOOK_URL"], "webhook_secret": "by_field_name"},
    ],
)
def test_what_is_right_is_taken(settings: dict[str, str]) -> None:
    made = TelegramSettings.model_validate(settings)
    assert not made.api_url.endswith("/")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("TELEGRAM_BOT_TOKEN", {"TELEGRAM_BOT_TOKEN": "hunter2"}),
        ("TELEGRAM_BOT_TOKEN", {"TELEGRAM_BOT_TOKEN": "12:hunter2 "}),
        ("TELEGRAM_API_URL", {"TELEGRAM_API_URL": "http://hunter2.example.org"}),
        ("TELEGRAM_API_URL", {"TELEGRAM_API_URL": "hunter2"}),
        ("TELEGRAM_API_URL", {"TELEGRAM_API_URL": "ftp://hunter2"}),
        ("TELEGRAM_WEBHOOK_URL", {**WEBHOOK, "TELEGRAM_WEBHOOK_URL": "http://hunter2.example.org/hook"}),
        ("TELEGRAM_WEBHOOK_SECRET", {**WEBHOOK, "TELEGRAM_WEBHOOK_SECRET": ""}),
        ("TELEGRAM_WEBHOOK_SECRET", {"TELEGRAM_WEBHOOK_URL": WEBHOOK["TELEGRAM_WEBHOOK_URL"]}),
        ("TELEGRAM_WEBHOOK_SECRET", {**WEBHOOK, "TELEGRAM_WEBHOOK_SECRET": "hunter2 with blanks"}),
        ("TELEGRAM_WEBHOOK_SECRET", {"TELEGRAM_WEBHOOK_SECRET": "hunter2" * 40}),
    ],
)
def test_what_is_wrong_is_named_without_its_value(name: str, settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TelegramSettings.model_validate({"TELEGRAM_BOT_TOKEN": TOKEN, **settings})
    (problem,) = caught.value.errors()
    assert problem["loc"] == (name,)
    message = str(problem["msg"]).removeprefix("Value error, ")
    assert message.startswith(f"{name}: expected ")
    assert "hunter2" not in message


def test_secrets_are_not_shown() -> None:
    made = TelegramSettings.model_validate({"TELEGRAM_BOT_TOKEN": TOKEN, **WEBHOOK})
    assert "AAF" not in repr(made)
    assert "s3cret" not in repr(made)


def test_everybody_is_admitted_and_the_operator_is_warned() -> None:
    (rule,) = CHANNEL.access
    assert rule.values[rule.default] is True
    assert rule.values["listed"] is False
    assert "Everybody" in rule.warning


def test_scopes_are_those_of_the_design() -> None:
    assert CHANNEL.scopes == {
        "private": ("user", "topic"),
        "group": ("user", "conversation"),
        "topic": ("topic", "user"),
    }
