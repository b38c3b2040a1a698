"""What the rest of the house may know of the playground: its settings and its `CHANNEL`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from bot.adapter import ChannelSpec


class PlaygroundSettings(BaseModel):
    """Settings of the playground. No environment variable names them: only `demo` turns it on.

    `data` is the file in which the make-believe platform keeps its conversations; it is not the bot's database.
    `suggestions` are questions to click while a conversation is empty. `docs` is the name of the folder, as the
    page shows it to people who want to change what the answers are made from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    data: Path = Path("data/playground.db")
    suggestions: tuple[str, ...] = ()
    docs: str = "docs"


CHANNEL: Final = ChannelSpec(
    name="playground",
    settings=PlaygroundSettings,
    scopes={"dm": ("user",), "room": ("thread", "user", "conversation")},
    access=(),
    adapter="adapters.playground.adapter:PlaygroundAdapter",
    preview="adapters.playground.preview:preview",
)
