"""Settings of the pigeon channel, and what the rest of the house may know of it."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.adapter import ChannelSpec


class PigeonSettings(BaseModel):
    """The PIGEON_* variables; the token goes with every POST, theirs and ours."""

    model_config = ConfigDict(populate_by_name=True, extra="ignore", frozen=True)

    token: SecretStr | None = Field(default=None, alias="PIGEON_TOKEN")
    api_url: str = Field(default="https://api.pigeon.example", alias="PIGEON_API_URL")

    @property
    def enabled(self) -> bool:
        """Whether the channel is on: its token is set."""
        return self.token is not None


CHANNEL: Final = ChannelSpec(
    name="pigeon",
    settings=PigeonSettings,
    token="PIGEON_TOKEN",
    scopes={"sms": ("user",)},
    command_prefix="!",
    lacks=frozenset({"reactions", "buttons", "threads", "edits", "deletions", "look_ups", "signs", "history"}),
    adapter="uppzy_pigeon.adapter:PigeonAdapter",
)
