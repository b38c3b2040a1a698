"""Settings of the Telegram channel, and what the rest of the house may know of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from adapters.telegram.ids import CHANNEL_NAME
from bot.adapter import AccessRule, ChannelSpec, SecretFile
from bot.shared import is_loopback


class TelegramSettings(BaseModel):
    """The TELEGRAM_* variables. The adapter is on as soon as the bot token is set."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    bot_token: SecretStr | None = Field(default=None, alias="TELEGRAM_BOT_TOKEN")
    api_url: str = Field(default="https://api.telegram.org", alias="TELEGRAM_API_URL")
    webhook_url: str | None = Field(default=None, alias="TELEGRAM_WEBHOOK_URL")
    webhook_secret: SecretStr | None = Field(default=None, alias="TELEGRAM_WEBHOOK_SECRET")

    @property
    def enabled(self) -> bool:
        """Whether the channel is on: its token is set."""
        return self.bot_token is not None

    @model_validator(mode="before")
    @classmethod
    def _secret_is_always_looked_at(cls, values: object) -> object:
        """A default is not validated under its alias: an error about it would not name the variable."""
        if not isinstance(values, Mapping) or "webhook_secret" in values:
            return values
        return {"TELEGRAM_WEBHOOK_SECRET": None, **values}

    @field_validator("bot_token", "webhook_url", "webhook_secret", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("bot_token")
    @classmethod
    def _is_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value.get_secret_value()) is None:
            raise ValueError("TELEGRAM_BOT_TOKEN: expected the token BotFather gave, digits:letters")
        return value

    @field_validator("api_url")
    @classmethod
    def _is_safe_api(cls, value: str) -> str:
        return _safe(value, "TELEGRAM_API_URL", "https://api.telegram.org").rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _is_safe_webhook(cls, value: str | None) -> str | None:
        return value and _safe(value, "TELEGRAM_WEBHOOK_URL", "https://bot.example.org/telegram/webhook")

    @field_validator("webhook_secret")
    @classmethod
    def _is_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("webhook_url"):
            raise ValueError(
                "TELEGRAM_WEBHOOK_SECRET: expected 1 to 256 of A-Z a-z 0-9 _ -, because TELEGRAM_WEBHOOK_URL is set"
            )
        # https://core.telegram.org/bots/api#setwebhook, `secret_token`
        if value is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()) is None:
            raise ValueError("TELEGRAM_WEBHOOK_SECRET: expected 1 to 256 of A-Z a-z 0-9 _ -")
        return value


class FurtherBot(BaseModel):
    """A table of `[[telegram]]`: a further bot. Secrets stand in files of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    token_file: SecretFile
    webhook_url: str | None = None
    webhook_secret_file: SecretFile | None = None

    def settings_beside(self, main: TelegramSettings) -> TelegramSettings:
        """Make the settings of this bot: its own token and webhook, and the rest as the first one's."""
        return TelegramSettings.model_validate(
            {
                "TELEGRAM_BOT_TOKEN": self.token_file,
                "TELEGRAM_API_URL": main.api_url,
                "TELEGRAM_WEBHOOK_URL": self.webhook_url,
                "TELEGRAM_WEBHOOK_SECRET": self.webhook_secret_file,
            }
        )


def _safe(value: str, name: str, example: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError(f"{name}: expected an address such as {example}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{name}: expected https, for secrets travel with every call")
    return value


CHANNEL: Final = ChannelSpec(
    name=CHANNEL_NAME,
    settings=TelegramSettings,
    token="TELEGRAM_BOT_TOKEN",  # noqa: S106  # a variable's name
    token_from="Write /newbot to @BotFather in Telegram, and copy the token it gives.",  # noqa: S106  # it is none
    scopes={"private": ("user", "topic"), "group": ("user", "conversation"), "topic": ("topic", "user")},
    access=(
        AccessRule(
            key="telegram",
            standing="public",
            values={"everybody": True, "listed": False},
            default="everybody",
            warning=(
                'Everybody who finds the Telegram bot may use it; set telegram = "listed" and allow in [access], '
                'or telegram = "everybody" if that is what you want.'
            ),
        ),
    ),
    lacks=frozenset({"look_ups", "history"}),
    further=FurtherBot,
    adapter="adapters.telegram.adapter:TelegramAdapter",
    preview="adapters.telegram.preview:preview",
    manifest="adapters.telegram.manifest:MANIFEST",
)
