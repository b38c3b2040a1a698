"""What the playground's platform delivers → events: pure, no clock and no I/O.

A payload is a JSON object: `type`, `event` (its id), `at` (a time stamp such as "1771000000.000123"), `person`,
`conversation`, `message`, and `thread` (the root's id, null at the top level) where a message is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from adapters.playground.ids import BOT, BUTTONS, PEOPLE, conversation_of, message_ref, time_of
from adapters.playground.pointing import context_of
from adapters.playground.text import read, without_mention
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
)
from bot.shared import plain_emoji


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


def _message(payload: Mapping[str, object]) -> Message | Command:
    words = read(_text(payload, "text"))
    if words.command:
        return Command(
            event_id=_text(payload, "event"),
            ref=_ref(payload),
            conversation=_conversation(payload),
            user_id=_text(payload, "person"),
            standing="member",
            name=words.command,
            args=words.text,
            context=context_of(payload.get("context"), PEOPLE),
            sent_at=_at(payload),
        )
    return Message(
        event_id=_text(payload, "event"),
        ref=_ref(payload),
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        standing="member",
        text=words.text,
        mentions_bot=words.mentions_bot,
        mentions_others=words.mentions_others,
        context=context_of(payload.get("context"), PEOPLE),
        sent_at=_at(payload),
    )


def _edit(payload: Mapping[str, object]) -> Edit | None:
    words = read(_text(payload, "text"))
    if words.command not in ("", "ask"):
        return None  # a command is carried out once; its words may change, it may not
    return Edit(
        event_id=_text(payload, "event"),
        ref=_ref(payload),
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        standing="member",
        text=without_mention(words.text),
        mentions_bot=words.mentions_bot,
        mentions_others=words.mentions_others,
        context=context_of(payload.get("context"), PEOPLE),
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
        added=payload["type"] == "button_clicked",
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


def _stop(payload: Mapping[str, object]) -> Command:
    """Whoever presses Stop wants to hear that it has stopped, as who types /stop does."""
    return Command(
        event_id=_text(payload, "event"),
        ref=None,
        conversation=_conversation(payload),
        user_id=_text(payload, "person"),
        standing="member",
        name="stop",
        args="",
        sent_at=_at(payload),
    )


_BUILDERS: Final = {
    "message": _message,
    "message_edited": _edit,
    "message_deleted": _deletion,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "button_clicked": _click,
    "button_released": _click,
    "why_given": _why,
    "stop_pressed": _stop,
}


def _conversation(payload: Mapping[str, object]) -> Conversation:
    """Name the conversation of a payload. A message at the top level of the room is the root of its thread."""
    thread = payload.get("thread") or payload.get("message")
    return conversation_of(_text(payload, "conversation"), thread if isinstance(thread, str) else None)


def _ref(payload: Mapping[str, object]) -> MessageRef:
    return message_ref(_text(payload, "conversation"), _text(payload, "message"))


def _at(payload: Mapping[str, object]) -> datetime:
    return time_of(_text(payload, "at"))


def _text(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str):
        raise ValueError(f"The payload's `{name}` is not a string.")  # noqa: TRY004 - one error for what is not ours
    return value
