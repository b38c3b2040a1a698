"""Settings of the Slack channel, and what the rest of the house may know of it."""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from adapters.slack.ids import CHANNEL_NAME
from bot.adapter import AccessRule, ChannelSpec, SecretFile
from bot.shared import is_loopback


class SlackSettings(BaseModel):
    """The SLACK_* variables. The adapter is on as soon as the bot token is set."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    api_url: str = Field(default="https://slack.com/api/", alias="SLACK_API_URL")
    config_token: SecretStr | None = Field(default=None, alias="SLACK_CONFIG_TOKEN")
    client_id: str | None = Field(default=None, alias="SLACK_CLIENT_ID")
    client_secret: SecretStr | None = Field(default=None, alias="SLACK_CLIENT_SECRET")
    app: str = "main"
    """Its name among several apps; no setting of its own."""

    @property
    def enabled(self) -> bool:
        """Whether the channel is on: its token is set, or others may install the app."""
        return self.bot_token is not None or self.client_id is not None

    @property
    def socket_mode(self) -> bool:
        """Whether events come over Socket Mode; over HTTP otherwise."""
        return self.app_token is not None

    @field_validator(
        "bot_token", "app_token", "signing_secret", "config_token", "client_id", "client_secret", mode="before"
    )
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

    @field_validator("client_id")
    @classmethod
    def _is_client_id(cls, value: str | None) -> str | None:
        if value is not None and re.fullmatch(r"[0-9.]+", value) is None:
            raise ValueError("SLACK_CLIENT_ID: expected the client id of the app, digits with a full stop between them")
        return value

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
        if self.client_id is not None and self.client_secret is None:
            raise ValueError(
                "SLACK_CLIENT_SECRET: expected the client secret of the app, because SLACK_CLIENT_ID is set"
            )
        if self.enabled and not self.socket_mode and self.signing_secret is None:
            raise ValueError(
                "SLACK_SIGNING_SECRET: expected the signing secret of the app, because without SLACK_APP_TOKEN "
                "events come over HTTP"
            )
        return self


class FurtherApp(BaseModel):
    """A table of `[[slack]]`: a further app. Secrets stand in files of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    bot_token_file: SecretFile | None = None
    app_token_file: SecretFile | None = None
    signing_secret_file: SecretFile | None = None
    client_id: str | None = None
    client_secret_file: SecretFile | None = None

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value) is None:
            raise ValueError("letters, digits, - and _")
        return value

    @model_validator(mode="after")
    def _has_a_token(self) -> Self:
        if self.bot_token_file is None and self.client_id is None:
            raise ValueError("bot_token_file, or client_id and client_secret_file")
        return self

    def settings_beside(self, main: SlackSettings) -> SlackSettings:
        """Make the settings of this app: its own tokens and secrets, and the rest as the first one's."""
        return SlackSettings.model_validate(
            {
                "SLACK_BOT_TOKEN": self.bot_token_file,
                "SLACK_APP_TOKEN": self.app_token_file,
                "SLACK_SIGNING_SECRET": self.signing_secret_file,
                "SLACK_CLIENT_ID": self.client_id,
                "SLACK_CLIENT_SECRET": self.client_secret_file,
                "SLACK_API_URL": main.api_url,
                "app": self.name,
            }
        )


def _shaped(value: SecretStr | None, name: str, pattern: str, wanted: str) -> SecretStr | None:
    if value is not None and re.fullmatch(pattern, value.get_secret_value()) is None:
        raise ValueError(f"{name}: expected {wanted}")
    return value


CHANNEL: Final = ChannelSpec(
    name=CHANNEL_NAME,
    settings=SlackSettings,
    token="SLACK_BOT_TOKEN",  # noqa: S106  # a variable's name
    token_from=(  # noqa: S106  # it is none
        "uppzy-bot manifest slack prints the manifest of an app; make one of it at https://api.slack.com/apps, install "
        "it, and copy its Bot User OAuth Token."
    ),
    scopes={"channel": ("thread", "user", "conversation"), "dm": ("user", "thread")},
    access=(
        AccessRule(key="slack_guests", standing="guest", values={True: True, False: False}, default=True),
        AccessRule(key="slack_external", standing="external", values={True: True, False: False}, default=False),
    ),
    command_prefix="!",
    person_has_locale=True,
    further=FurtherApp,
    adapter="adapters.slack.adapter:SlackAdapter",
    preview="adapters.slack.preview:preview",
    manifest="adapters.slack.manifest:MANIFEST",
)
