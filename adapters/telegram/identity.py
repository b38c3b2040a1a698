"""Who the bot is at Telegram."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The bot's user id, and its name without @.

    `reads_all`: it is shown all messages of groups; else, in privacy mode, only those that are for it
    (https://core.telegram.org/bots/features#privacy-mode).
    """

    id: int
    username: str
    reads_all: bool = False
