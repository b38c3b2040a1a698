"""Names with a fixed spelling, and what ids, times and mentions become; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from bot.events import MessageRef

CHANNEL_NAME: Final = "gull"
WEBHOOK_PATH: Final = "/gull/webhook"


def message_ref(account_id: str, conversation_id: str, message_id: str) -> MessageRef:
    """Name a message."""
    place = {"channel": CHANNEL_NAME, "account_id": account_id, "conversation_id": conversation_id}
    return MessageRef(**place, message_id=message_id)


def time_of(stamp: str) -> datetime:
    """Read a time of the platform. Raises ValueError when it is none, or has no offset."""
    when = datetime.fromisoformat(stamp)
    if when.tzinfo is None:
        raise ValueError("A time has no offset.")
    return when


def without_mention(text: str, mentions: Iterable[Mapping[str, str]], bot_id: str) -> str:
    """Take mentions of the bot out of a text; a mention stands there as `@name`."""
    for mention in mentions:
        if mention["id"] == bot_id:
            text = " ".join(piece.strip(" \t") for piece in text.split(f"@{mention['name']}"))
    return text.strip()
