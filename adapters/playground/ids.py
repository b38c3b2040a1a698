"""Names and ids that have a fixed spelling: the account, the room, direct conversations, messages, buttons. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from bot.events import Conversation, MessageRef

CHANNEL_NAME: Final = "playground"
ACCOUNT: Final = "demo"
BOT: Final = "bot"
ROOM: Final = "room"
PEOPLE: Final = {"mira": "Mira", "jonas": "Jonas"}
"""Who the page can be, and what each is called."""

BUTTONS: Final = {"good": "👍", "bad": "👎"}
"""What a click says → the emoji it stands for."""


def direct(person: str) -> str:
    """Name a person's direct conversation with the bot."""
    return f"dm-{person}"


def conversation_of(conversation_id: str, thread_id: str | None) -> Conversation:
    """Name a conversation: the room has threads, a direct conversation has none."""
    in_room = conversation_id == ROOM
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=ACCOUNT,
        conversation_id=conversation_id,
        thread_id=thread_id if in_room else None,
        kind="room" if in_room else "dm",
        is_direct=not in_room,
    )


def message_ref(conversation_id: str, message_id: str) -> MessageRef:
    """Name a message."""
    return MessageRef(channel=CHANNEL_NAME, account_id=ACCOUNT, conversation_id=conversation_id, message_id=message_id)


def time_of(stamp: str) -> datetime:
    """Read a time stamp of the platform; a message's id is the one of its writing.

    >>> time_of("1771000000.000123").isoformat()
    '2026-02-13T16:26:40.000123+00:00'

    Raises:
        ValueError: it is not seconds.microseconds.
    """
    seconds, _, micros = stamp.partition(".")
    if not (seconds.isdecimal() and len(seconds) <= 11 and micros.isdecimal() and len(micros) == 6):
        raise ValueError("The payload's time stamp `at` is not seconds.microseconds.")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))
