"""Settings of the Slack channel, and what the rest of the house may know of it."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from adapters.slack.ids import CHANNEL_NAME
from bot.adapter import AccessRule, ChannelSpec
from bot.shared import is_loopback


class SlackSettings(BaseModel):
    """The SLACK_* variables. The adapter is on as soon as the bot token is set."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    api_url: str = Field(default="https://slack.com/api/", alias="SLACK_API_URL")
    config_token: SecretStr | None = Field(default=None, alias="SLACK_CONFIG_TOKEN")

    @property
    def enabled(self) -> bool:
        """Whether the channel is on: its token is set."""
        return self.bot_token is not None

    @property
    def socket_mode(self) -> bool:
        """Whether events come over Socket Mode; over HTTP otherwise."""
        return self.app_token is not None

    @field_validator("bot_token", "app_token", "signing_secret", "config_token", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("bot_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _shaped(value, "SLACK_BOT_TOKEN", r"(xoxb|xoxe\.xoxb)-\S+", "a bot token, which begins with xoxb-")

    @field_validator("app_token")
    @classmethod
    def _is_app_token(cls, value: SecretStr | None) -> SecretStr | None:
        return _shaped(value, "SLACK_APP_TOKEN", r"xapp-\S+", "an app-level token, which begins with xapp-")

    @field_validator("signing_secret")
    @classmethod
    def _is_signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        return _shaped(value, "SLACK_SIGNING_SECRET", r"\S+", "the signing secret of the app, without blanks")

    @field_validator("config_token")
    @classmethod
    def _is_config_token(cls, value: SecretStr | None) -> SecretStr | None:
        wanted = "an app configuration token, which begins with xoxe.xoxp-"
        return _shaped(value, "SLACK_CONFIG_TOKEN", r"xoxe\.xoxp-\S+", wanted)

    @field_validator("api_url")
    @classmethod
    def _is_safe_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError("SLACK_API_URL: expected an address such as https://slack.com/api/")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("SLACK_API_URL: expected https, for the token travels with every call")
        return value if value.endswith("/") else value + "/"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not self.socket_mode and self.signing_secret is None:
            raise ValueError(
                "SLACK_SIGNING_SECRET: expected the signing secret of the app, because without SLACK_APP_TOKEN "
                "events come over HTTP"
            )
        return self


def _shaped(value: SecretStr | None, name: str, pattern: str, wanted: str) -> SecretStr | None:
    if value is not None and re.fullmatch(pattern, value.get_secret_value()) is None:
        raise ValueError(f"{name}: expected {wanted}")
    return value


CHANNEL: Final = ChannelSpec(
    name=CHANNEL_NAME,
    settings=SlackSettings,
    token="SLACK_BOT_TOKEN",  # noqa: S106  # a variable's name
    scopes={"channel": ("thread", "user", "conversation"), "dm": ("user", "thread")},
    access=(
        AccessRule(key="slack_guests", standing="guest", values={True: True, False: False}, default=True),
        AccessRule(key="slack_external", standing="external", values={True: True, False: False}, default=False),
    ),
    command_prefix="!",
    adapter="adapters.slack.adapter:SlackAdapter",
    preview="adapters.slack.preview:preview",
    manifest="adapters.slack.manifest:MANIFEST",
)
