"""What the playground's platform delivers → events: pure, no clock and no I/O.

A payload is a JSON object: `type`, `event` (its id), `at` (a time stamp such as "1771000000.000123"), `person`,
`conversation`, `message`, and `thread` (the root's id, null at the top level) where a message is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from bot.events import (
    Command,
    Comment,
    Conversation,
    Deletion,
    Edit,
    Event,
    Message,
    MessageRef,
    Reaction,
    Stop,
)

CHANNEL_NAME: Final = "playground"
ACCOUNT: Final = "demo"
BOT: Final = "bot"
ROOM: Final = "room"

BUTTONS: Final = {"good": "👍", "bad": "👎"}

_MENTION = re.compile(r"(?<![\w@])@bot\b[,:]?", re.IGNORECASE)
_MENTION_AND_SPACE = re.compile(rf"[ \t]*{_MENTION.pattern}[ \t]*", re.IGNORECASE)
_OTHER_MENTION = re.compile(r"(?<![\w@])@(?!bot\b)\w+", re.IGNORECASE)
_COMMAND = re.compile(r"/([a-z][a-z0-9_-]*)(?:\s+(.*))?\Z", re.IGNORECASE | re.DOTALL)
_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")


def normalize(payload: Mapping[str, object]) -> tuple[Event, ...]:
    """Return the events of one payload, none for what is not for the bot.

    Raises:
        ValueError: the payload is not one of the platform's; the message says what is wrong, without its text.
    """
    kind = _text(payload, "type")
    build = _BUILDERS.get(kind)
    if build is None:
        return ()
    if _text(payload, "person") == BOT:
        return ()
    event = build(payload)
    return () if event is None else (event,)


def conversation_of(conversation_id: str, thread_id: str | None) -> Conversation:
    """Name the place: the room has threads, a direct conversation has none."""
    in_room = conversation_id == ROOM
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=ACCOUNT,
        conversation_id=conversation_id,
        thread_id=thread_id if in_room else None,
        kind="room" if in_room else "dm",
        is_direct=not in_room,
    )


def ref_of(conversation_id: str, message_id: str) -> MessageRef:
    """Name a message."""
    return MessageRef(channel=CHANNEL_NAME, account_id=ACCOUNT, conversation_id=conversation_id, message_id=message_id)


def plain_emoji(emoji: str) -> str:
    """Return the emoji without skin tone and variation selector.

    >>> plain_emoji("👍🏽") == plain_emoji("👍")
    True
    """
    return _TONES.sub("", emoji)


def _message(payload: Mapping[str, object]) -> Message | Command:
    text = _text(payload, "text").strip()
    if command := _COMMAND.match(text):
        return Command(
            event_id=_text(payload, "event"),
            ref=_ref(payload),
            conversation=_conversation(payload),
            user_id=_text(payload, "person"),
            standing="member",
            name=command[1].lower(),
            args=(command[2] or "").strip(),
            sent_at=_at(payload),
        )
    return Message(
        event_id=_text(payload, "event"),
        ref=_ref(payload),
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        standing="member",
        text=_without_mention(text),
        mentions_bot=bool(_MENTION.search(text)),
        mentions_others=bool(_OTHER_MENTION.search(text)),
        sent_at=_at(payload),
    )


def _edit(payload: Mapping[str, object]) -> Edit | None:
    text = _text(payload, "text").strip()
    if command := _COMMAND.match(text):
        if command[1].lower() != "ask":
            return None  # a command is carried out once; its words may change, it may not
        text = (command[2] or "").strip()
    return Edit(
        event_id=_text(payload, "event"),
        ref=_ref(payload),
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        standing="member",
        text=_without_mention(text),
        mentions_bot=bool(_MENTION.search(text)),
        mentions_others=bool(_OTHER_MENTION.search(text)),
        sent_at=_at(payload),
    )


def _deletion(payload: Mapping[str, object]) -> Deletion:
    return Deletion(event_id=_text(payload, "event"), ref=_ref(payload), sent_at=_at(payload))


def _reaction(payload: Mapping[str, object]) -> Reaction:
    return Reaction(
        event_id=_text(payload, "event"),
        target=_ref(payload),
        user_id=_text(payload, "person"),
        standing="member",
        emoji=plain_emoji(_text(payload, "emoji")),
        added=payload["type"] == "reaction_added",
        sent_at=_at(payload),
    )


def _click(payload: Mapping[str, object]) -> Reaction:
    button = _text(payload, "button")
    if button not in BUTTONS:
        raise ValueError("A click names a button that there is not.")
    return Reaction(
        event_id=_text(payload, "event"),
        target=_ref(payload),
        user_id=_text(payload, "person"),
        standing="member",
        emoji=BUTTONS[button],
        added=True,
        button=True,
        can_ask_why=True,
        sent_at=_at(payload),
    )


def _why(payload: Mapping[str, object]) -> Comment:
    return Comment(
        event_id=_text(payload, "event"),
        target=_ref(payload),
        user_id=_text(payload, "person"),
        text=_text(payload, "text").strip(),
        sent_at=_at(payload),
    )


def _stop(payload: Mapping[str, object]) -> Stop:
    return Stop(
        event_id=_text(payload, "event"),
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        sent_at=_at(payload),
    )


_BUILDERS: Final = {
    "message": _message,
    "message_edited": _edit,
    "message_deleted": _deletion,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "button_clicked": _click,
    "why_given": _why,
    "stop_pressed": _stop,
}


def _conversation(payload: Mapping[str, object]) -> Conversation:
    """Name the place of a payload. A message at the top level of the room is the root of its thread."""
    thread = payload.get("thread") or payload.get("message")
    return conversation_of(_text(payload, "conversation"), thread if isinstance(thread, str) else None)


def _ref(payload: Mapping[str, object]) -> MessageRef:
    return ref_of(_text(payload, "conversation"), _text(payload, "message"))


def _at(payload: Mapping[str, object]) -> datetime:
    seconds, _, micros = _text(payload, "at").partition(".")
    if not (seconds.isdecimal() and len(seconds) <= 11 and micros.isdecimal() and len(micros) == 6):
        raise ValueError("The payload's time stamp `at` is not seconds.microseconds.")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros))


def _text(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str):
        raise ValueError(f"The payload's `{name}` is not a string.")  # noqa: TRY004 - one error for what is not ours
    return value


def _without_mention(text: str) -> str:
    return _MENTION_AND_SPACE.sub(" ", text).strip()
