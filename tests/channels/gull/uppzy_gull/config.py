"""Settings of the gull channel, and what the rest of the house may know of it."""

from __future__ import annotations

from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.adapter import AccessRule, ChannelSpec
from bot.shared import is_loopback
from uppzy_gull.ids import CHANNEL_NAME


class GullSettings(BaseModel):
    """The GULL_* variables. The channel is on as soon as the token is set."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    token: SecretStr | None = Field(default=None, alias="GULL_TOKEN")
    webhook_secret: SecretStr | None = Field(default=None, alias="GULL_WEBHOOK_SECRET")
    api_url: str = Field(default="https://api.gull.example", alias="GULL_API_URL")

    @property
    def enabled(self) -> bool:
        """Whether the channel is on: its token is set."""
        return self.token is not None

    @field_validator("api_url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            return value.rstrip("/")
        raise ValueError("GULL_API_URL: expected an https address, for the token travels with every call")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and self.webhook_secret is None:
            raise ValueError("GULL_WEBHOOK_SECRET: expected the secret that signs webhooks, for GULL_TOKEN is set")
        return self


CHANNEL: Final = ChannelSpec(
    name=CHANNEL_NAME,
    settings=GullSettings,
    token="GULL_TOKEN",
    scopes={"dm": ("user",), "room": ("thread", "user", "conversation")},
    access=(AccessRule(key="gull_guests", standing="guest", values={True: True, False: False}, default=True),),
    adapter="uppzy_gull.adapter:GullAdapter",
    preview="uppzy_gull.preview:preview",
    manifest="uppzy_gull.manifest:MANIFEST",
)
