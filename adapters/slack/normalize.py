"""A Slack payload → events of the boundary. Pure: no I/O, no clock; the same for HTTP and for Socket Mode.

The payloads are what Slack sends as JSON: an `event_callback`, an interaction (`block_actions`, `view_submission`,
`message_action`) or the fields of a slash command. What is not for us becomes an empty list, and is acknowledged.
A payload that cannot be read raises KeyError, TypeError, ValueError or AttributeError: it is set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from adapters.slack.context import awaits_context, context_of, files_of, words_of
from adapters.slack.emoji import to_unicode
from adapters.slack.identity import Identity
from adapters.slack.ids import CHANNEL_NAME, Payload, checked, conversation, message_ref, thread_of, time_of
from adapters.slack.interactions import click, comment, shortcut, slash
from bot.events import (
    Added,
    Conversation,
    Deletion,
    Edit,
    Event,
    Gone,
    HomeOpened,
    Message,
    Reaction,
    Stop,
)

SPOKEN: Final = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of a message that is somebody's words; all others are joins, topics, bots and the like."""


def normalize(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    """Say what happened, in the words of the core.

    `received_at` is the time of slash commands and forms, for which Slack names none.
    """
    return [checked(event) for event in _read(payload, identity, received_at)]


def _read(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    if not identity.owns(payload):
        return []
    kind = payload.get("type")
    if kind == "event_callback":
        return _event(payload, identity)
    if kind == "block_actions":
        return click(payload, identity)
    if kind == "message_action":
        return shortcut(payload, identity)
    if kind == "view_submission":
        return comment(payload, identity, received_at)
    if kind is None and "command" in payload:
        return slash(payload, identity, received_at)
    return []


def subscribed() -> tuple[str, ...]:
    """Name the event types this module understands; the manifest subscribes to them."""
    return tuple(_EVENTS)


def _event(payload: Payload, identity: Identity) -> list[Event]:
    event: Payload = payload["event"]
    handler = _EVENTS.get(event["type"])
    return handler(event, payload, identity) if handler else []


def _where(channel: str, event: Payload, identity: Identity, thread: str | None) -> Conversation:
    return conversation(identity.team_id, channel, thread, channel_type=event.get("channel_type") or "")


def _message(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    if event.get("subtype") == "message_changed":
        now: Payload = event["message"]
        if now.get("subtype") == "tombstone":
            # So Slack tells that the root of a thread with replies was deleted.
            return _deletion(event, now["ts"], identity)
        return _edit(event, now, event.get("previous_message") or {}, identity)
    if event.get("subtype") == "message_deleted":
        return _deletion(event, event["deleted_ts"], identity)
    if event.get("edited") and event["type"] == "app_mention":
        # Slack tells of a mention added by an edit once more, in this way.
        return _edit(event, event, {}, identity)
    if event.get("subtype") not in SPOKEN or not identity.is_person(event):
        return []
    words = words_of(event, identity)
    ref = message_ref(identity.team_id, event["channel"], event["ts"])
    return [
        Message(
            event_id=f"message:{event['channel']}:{event['ts']}",
            ref=ref,
            conversation=_where(event["channel"], event, identity, thread_of(event)),
            user_id=event["user"],
            standing=identity.standing_of(event),
            text=words.text,
            mentions_bot=words.mentions_bot or (event["type"] == "app_mention" and not words.quotes_bot),
            mentions_others=words.mentions_others,
            mentions=words.mentions,
            context=context_of(event, identity, words.addresses),
            awaits_context=awaits_context(event, identity, words.addresses),
            has_attachment=bool(event.get("files")),
            files=files_of(event, identity),
            sent_at=time_of(event["ts"]),
        )
    ]


def _edit(event: Payload, now: Payload, before: Payload, identity: Identity) -> list[Event]:
    """`message_changed` comes for new words and for what Slack adds of its own (previews); also for new replies and for
    our own messages, which is no edit at all."""
    if now.get("subtype") not in SPOKEN or not identity.is_person(now):
        return []
    channel, words = event["channel"], words_of(now, identity)
    context = context_of(now, identity, words.addresses)
    edited = bool(now.get("edited")) and now.get("text") != before.get("text")
    if not edited and context == context_of(before, identity, words.addresses):
        return []
    stamp = now["edited"]["ts"] if now.get("edited") else now["ts"]
    what = f"edit:{channel}:{now['ts']}:{stamp}" if edited else f"preview:{channel}:{now['ts']}:{event['event_ts']}"
    return [
        Edit(
            event_id=what,
            ref=message_ref(identity.team_id, channel, now["ts"]),
            conversation=_where(channel, event, identity, thread_of(now)),
            user_id=now["user"],
            standing=identity.standing_of(now),
            text=words.text,
            mentions_bot=words.mentions_bot,
            mentions_others=words.mentions_others,
            mentions=words.mentions,
            context=context,
            awaits_context=edited and awaits_context(now, identity, words.addresses),
            only_adds_context=not edited,
            has_attachment=bool(now.get("files")),
            files=files_of(now, identity),
            sent_at=time_of(stamp),
        )
    ]


def _deletion(event: Payload, ts: str, identity: Identity) -> list[Event]:
    before: Payload = event.get("previous_message") or {}
    if before and not identity.is_person(before):
        return []
    channel = event["channel"]
    return [
        Deletion(
            event_id=f"delete:{channel}:{ts}",
            ref=message_ref(identity.team_id, channel, ts),
            sent_at=time_of(event.get("event_ts") or event["ts"]),
        )
    ]


def _reaction(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    item: Payload = event["item"]
    if item.get("type") != "message" or not identity.is_person(event):
        return []
    channel, ts, name = item["channel"], item["ts"], event["reaction"]
    return [
        Reaction(
            event_id=f"{event['type']}:{channel}:{ts}:{event['user']}:{name}:{event['event_ts']}",
            target=message_ref(identity.team_id, channel, ts),
            user_id=event["user"],
            standing=identity.standing_of(event),
            emoji=to_unicode(name),
            added=event["type"] == "reaction_added",
            sent_at=time_of(event["event_ts"]),
        )
    ]


def _home_opened(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    # The Messages tab needs us only for the suggested prompts of the agent view.
    if event.get("tab") != "home" and not identity.is_agent:
        return []
    return [
        HomeOpened(
            event_id=f"home:{event['user']}:{event['event_ts']}",
            conversation=_where(event["channel"], event, identity, None),
            user_id=event["user"],
            standing=identity.standing_of(event),
            sent_at=time_of(event["event_ts"]),
        )
    ]


def _stopped(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    channel = event["channel"]
    return [
        Stop(
            event_id=f"stop:{channel}:{event['thread_ts']}:{event['event_ts']}",
            conversation=_where(channel, event, identity, event["thread_ts"]),
            user_id=event["user"],
            sent_at=time_of(event["event_ts"]),
        )
    ]


def _joined(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    if event.get("user") != identity.user_id:
        return []
    channel, moment = event["channel"], event.get("event_ts") or str(payload["event_time"])
    inviter = event.get("inviter") or ""  # absent when an app or a setting of the workspace added it
    return [
        Added(
            event_id=f"added:{channel}:{payload.get('event_id') or moment}",
            conversation=_where(channel, event, identity, None),
            user_id=inviter,
            standing=identity.standing_of(event),
            sent_at=time_of(moment),
        )
    ]


def _left(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    return _gone(event, payload, identity, event["channel"]) if event.get("user") == identity.user_id else []


def _uninstalled(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    return _gone(event, payload, identity, None)


def _revoked(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    # Tokens of people are revoked too, and are not ours.
    bots = (event.get("tokens") or {}).get("bot") or ()
    return _gone(event, payload, identity, None) if identity.user_id in bots or identity.bot_id in bots else []


def _gone(event: Payload, payload: Payload, identity: Identity, channel: str | None) -> list[Event]:
    moment = event.get("event_ts") or str(payload["event_time"])
    return [
        Gone(
            event_id=f"gone:{channel or 'account'}:{payload.get('event_id') or moment}",
            channel=CHANNEL_NAME,
            account_id=identity.team_id,
            conversation_id=channel,
            sent_at=time_of(moment),
        )
    ]


_EVENTS: Final[Mapping[str, Callable[[Payload, Payload, Identity], list[Event]]]] = {
    "app_mention": _message,
    "message": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "app_home_opened": _home_opened,
    "agent_session_stopped": _stopped,
    "member_joined_channel": _joined,
    "member_left_channel": _left,
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _revoked,
}
