"""What gull delivers → events: pure, no clock and no I/O.

A payload is a JSON object: `id`, `type`, `at`, `account`, `bot` (its person's id), `person` (null for the service's own
doings), `conversation`, and by its type `message`, `emoji`, `button` or `command`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.events import Command, Conversation, Deletion, Edit, Event, Gone, Message, MessageRef, Reaction
from bot.shared import plain_emoji
from uppzy_gull.ids import CHANNEL_NAME, message_ref, time_of, without_mention

Payload = Mapping[str, Any]

BUTTONS: Final = {"good": "👍", "bad": "👎"}


def normalize(payload: Payload) -> Event | None:
    """Return the event of one payload, None for what is not for the bot.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it is none of gull's payloads.
    """
    kind, person = payload["type"], payload.get("person")
    if person is not None and person["id"] == payload["bot"]:
        return None
    happening: dict[str, Any] = {"event_id": _text(payload, "id"), "sent_at": time_of(payload["at"])}
    match kind:
        case "message.created":
            reply = payload["message"].get("reply_to")
            words = _words(payload)
            words["mentions_bot"] |= reply is not None and reply["by"] == payload["bot"]
            answered = None if reply is None else _ref(payload, _text(reply, "id"))
            return Message(**happening, **_who(payload), **words, in_reply_to=answered)
        case "message.edited":
            return Edit(**happening, **_who(payload), **_words(payload))
        case "message.deleted":
            return Deletion(**happening, ref=_message(payload))
        case "reaction.added" | "reaction.removed":
            emoji, added = plain_emoji(_text(payload, "emoji")), kind == "reaction.added"
            return Reaction(**happening, **_who(payload), target=_message(payload), emoji=emoji, added=added)
        case "button.clicked":
            emoji = BUTTONS[payload["button"]]
            return Reaction(
                **happening, **_who(payload), target=_message(payload), emoji=emoji, added=True, button=True
            )
        case "command.given":  # gull shows it to nobody, so no message carries it
            name, args = _text(payload["command"], "name"), _text(payload["command"], "args")
            where = _conversation(payload)
            return Command(**happening, **_who(payload), ref=None, conversation=where, name=name, args=args)
        case "bot.removed":
            account, room = _text(payload, "account"), payload.get("conversation")
            left = None if room is None else _text(room, "id")
            return Gone(**happening, channel=CHANNEL_NAME, account_id=account, conversation_id=left)
    return None


def _who(payload: Payload) -> dict[str, Any]:
    person = payload["person"]
    return {"user_id": _text(person, "id"), "standing": "guest" if person.get("guest") is True else "member"}


def _words(payload: Payload) -> dict[str, Any]:
    message, bot = payload["message"], payload["bot"]
    mentioned = {_text(mention, "id") for mention in message["mentions"]}
    return {
        "ref": _message(payload),
        "conversation": _conversation(payload),
        "text": without_mention(_text(message, "text"), message["mentions"], bot),
        "mentions_bot": bot in mentioned,
        "mentions_others": bool(mentioned - {bot}),
        "has_attachment": bool(message.get("files")),
    }


def _conversation(payload: Payload) -> Conversation:
    """Name the conversation. A message at the top level of a room is the root of its thread."""
    where, message = payload["conversation"], payload.get("message") or {}
    direct = {"dm": True, "room": False}[where["kind"]]
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=_text(payload, "account"),
        conversation_id=_text(where, "id"),
        thread_id=None if direct else message.get("thread") or message.get("id"),
        kind=where["kind"],
        is_direct=direct,
    )


def _message(payload: Payload) -> MessageRef:
    return _ref(payload, _text(payload["message"], "id"))


def _ref(payload: Payload, message_id: str) -> MessageRef:
    return message_ref(_text(payload, "account"), _text(payload["conversation"], "id"), message_id)


def _text(values: Payload, name: str) -> str:
    if not isinstance(value := values[name], str):
        raise TypeError(f"The payload's `{name}` is not a string.")
    return value
