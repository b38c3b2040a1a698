"""Buttons, forms, the message shortcut and the slash command → events of the boundary; pure."""

from __future__ import annotations

from datetime import datetime

from adapters.slack.comment import CommentTarget
from adapters.slack.context import context_of, files_of, words_of
from adapters.slack.identity import Identity
from adapters.slack.ids import (
    ASK_SHORTCUT,
    COMMENT_VIEW,
    RATE_ACTION,
    Payload,
    conversation,
    message_ref,
    thread_of,
    time_of,
)
from adapters.slack.text import read
from bot.events import Command, Comment, Event, Message, Reaction


def click(payload: Payload, identity: Identity) -> list[Event]:
    """A rating button. The answer is the message it hangs on, never what the value claims."""
    container: Payload = payload.get("container") or {}
    events: list[Event] = []
    for action in payload["actions"]:
        if action.get("action_id") != RATE_ACTION or container.get("type") != "message":
            continue
        if action.get("value") not in ("good", "bad"):
            continue
        channel, ts, user = container["channel_id"], container["message_ts"], payload["user"]["id"]
        events.append(
            Reaction(
                event_id=f"click:{channel}:{ts}:{user}:{action['action_ts']}",
                target=message_ref(identity.team_id, channel, ts),
                user_id=user,
                standing=identity.standing_of_team(payload["user"].get("team_id")),
                emoji="👍" if action["value"] == "good" else "👎",
                added=True,
                button=True,
                can_ask_why=True,
                sent_at=time_of(action["action_ts"]),
            )
        )
    return events


def shortcut(payload: Payload, identity: Identity) -> list[Event]:
    """ "Ask the assistant" on a message: the question of whoever chose it, in the thread of that message."""
    message: Payload = payload["message"]
    if payload.get("callback_id") != ASK_SHORTCUT:
        return []
    channel = payload["channel"]["id"]
    words = words_of(message, identity)
    kind = "im" if payload["channel"].get("name") == "directmessage" else ""
    return [
        Message(
            event_id=f"shortcut:{payload['trigger_id']}",
            ref=message_ref(identity.team_id, channel, message["ts"]),
            conversation=conversation(identity.team_id, channel, thread_of(message), channel_type=kind),
            user_id=payload["user"]["id"],
            standing=identity.standing_of_team(payload["user"].get("team_id")),
            text=words.text,
            mentions_bot=True,
            mentions_others=False,
            mentions=words.mentions,
            context=context_of(message, identity, words.addresses),
            has_attachment=bool(message.get("files")),
            files=files_of(message, identity),
            asks=True,
            sent_at=time_of(payload["action_ts"]),
        )
    ]


def comment(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    """Read the form that asked why; ValueError when it does not say about what."""
    view: Payload = payload["view"]
    if view.get("callback_id") != COMMENT_VIEW:
        return []
    target = CommentTarget.decode(view["private_metadata"])
    fields: Payload = view["state"]["values"]
    words = " ".join(input_["value"] for block in fields.values() for input_ in block.values() if input_.get("value"))
    if not words.strip():
        return []
    return [
        Comment(
            event_id=f"comment:{view['id']}",
            target=message_ref(identity.team_id, target.channel, target.ts),
            user_id=payload["user"]["id"],
            text=words.strip(),
            sent_at=received_at,
        )
    ]


def slash(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    """Read the slash command; it names no time and has no message."""
    words = read(payload.get("text") or "", identity.user_id)
    kind = "im" if payload.get("channel_name") == "directmessage" else ""
    return [
        Command(
            event_id=f"command:{payload['trigger_id']}",
            ref=None,
            conversation=conversation(identity.team_id, payload["channel_id"], None, channel_type=kind),
            user_id=payload["user_id"],
            standing=identity.standing_of_team(payload.get("team_id")),
            name="ask" if words.text else "help",
            args=words.text,
            mentions=words.mentions,
            sent_at=received_at,
        )
    ]
