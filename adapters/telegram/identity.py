"""Who the bot is at Telegram."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The bot's user id, and its name without @."""

    id: int
    username: str
