"""A Slack payload → events of the boundary. Pure: no I/O, no clock; the same for HTTP and for Socket Mode.

The payloads are what Slack sends as JSON: an `event_callback`, an interaction (`block_actions`, `view_submission`,
`message_action`) or the fields of a slash command. What is not for us becomes an empty list, and is acknowledged.
A payload that cannot be read raises KeyError, TypeError, ValueError or AttributeError: it is set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from adapters.slack.emoji import to_unicode
from adapters.slack.identity import Identity
from adapters.slack.text import read
from adapters.slack.words import ASK_SHORTCUT, COMMENT_VIEW, RATE_ACTION, Target
from bot.events import (
    Command,
    Comment,
    Conversation,
    Deletion,
    Edit,
    Event,
    Gone,
    HomeOpened,
    Message,
    MessageRef,
    Reaction,
    Standing,
    Stop,
)

Payload: TypeAlias = Mapping[str, Any]

SPOKEN: Final = frozenset({None, "file_share", "thread_broadcast", "me_message"})
"""Subtypes of a message that is somebody's words; all others are joins, topics, bots and the like."""

CHANNEL: Final = "slack"


def normalize(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    """Say what happened, in the words of the core.

    `received_at` is the time of slash commands and forms, for which Slack names none.
    """
    kind = payload.get("type")
    if kind == "event_callback":
        return _event(payload, identity)
    if kind == "block_actions":
        return _click(payload, identity)
    if kind == "message_action":
        return _shortcut(payload, identity)
    if kind == "view_submission":
        return _comment(payload, identity, received_at)
    if kind is None and "command" in payload:
        return _slash(payload, identity, received_at)
    return []


def subscribed() -> tuple[str, ...]:
    """Name the event types this module understands; the manifest subscribes to them."""
    return tuple(_EVENTS)


# The Events API


def _event(payload: Payload, identity: Identity) -> list[Event]:
    homes = [one.get("team_id") or one.get("enterprise_id") for one in payload.get("authorizations") or ()]
    if homes and not any(home is not None and identity.is_home(home) for home in homes):
        return []
    event: Payload = payload["event"]
    handler = _EVENTS.get(event["type"])
    return handler(event, payload, identity) if handler else []


def _message(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    if event.get("subtype") == "message_changed":
        return _edit(event, event["message"], event.get("previous_message") or {}, identity)
    if event.get("subtype") == "message_deleted":
        return _deletion(event, identity)
    if event.get("edited") and event["type"] == "app_mention":
        # Slack tells of a mention added by an edit once more, in this way.
        return _edit(event, event, {}, identity)
    if event.get("subtype") not in SPOKEN or not _is_person(event, identity):
        return []
    words = read(event.get("text") or "", identity.user_id)
    ref = _ref(event["channel"], event["ts"], identity)
    return [
        Message(
            event_id=f"message:{event['channel']}:{event['ts']}",
            ref=ref,
            conversation=_conversation(event["channel"], event, identity, _thread(event)),
            user_id=event["user"],
            standing=_standing(event, identity),
            text=words.text,
            mentions_bot=words.mentions_bot or event["type"] == "app_mention",
            mentions_others=words.mentions_others,
            has_attachment=bool(event.get("files")),
            sent_at=_time(event["ts"]),
        )
    ]


def _edit(event: Payload, now: Payload, before: Payload, identity: Identity) -> list[Event]:
    """`message_changed` comes for unfurls, for new replies and for our own messages too."""
    if now.get("subtype") not in SPOKEN or not _is_person(now, identity):
        return []
    if not now.get("edited") or now.get("text") == before.get("text"):
        return []
    channel = event["channel"]
    words = read(now.get("text") or "", identity.user_id)
    return [
        Edit(
            event_id=f"edit:{channel}:{now['ts']}:{now['edited']['ts']}",
            ref=_ref(channel, now["ts"], identity),
            conversation=_conversation(channel, event, identity, _thread(now)),
            user_id=now["user"],
            standing=_standing(now, identity),
            text=words.text,
            mentions_bot=words.mentions_bot,
            mentions_others=words.mentions_others,
            has_attachment=bool(now.get("files")),
            sent_at=_time(now["edited"]["ts"]),
        )
    ]


def _deletion(event: Payload, identity: Identity) -> list[Event]:
    before: Payload = event.get("previous_message") or {}
    if before and not _is_person(before, identity):
        return []
    channel, ts = event["channel"], event["deleted_ts"]
    return [
        Deletion(
            event_id=f"delete:{channel}:{ts}",
            ref=_ref(channel, ts, identity),
            sent_at=_time(event.get("event_ts") or event["ts"]),
        )
    ]


def _reaction(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    item: Payload = event["item"]
    if item.get("type") != "message" or not _is_person(event, identity):
        return []
    channel, ts, name = item["channel"], item["ts"], event["reaction"]
    return [
        Reaction(
            event_id=f"{event['type']}:{channel}:{ts}:{event['user']}:{name}:{event['event_ts']}",
            target=_ref(channel, ts, identity),
            user_id=event["user"],
            standing=_standing(event, identity),
            emoji=to_unicode(name),
            added=event["type"] == "reaction_added",
            sent_at=_time(event["event_ts"]),
        )
    ]


def _home_opened(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    # The Messages tab needs us only for the suggested prompts of the agent view.
    if event.get("tab") != "home" and not identity.is_agent:
        return []
    return [
        HomeOpened(
            event_id=f"home:{event['user']}:{event['event_ts']}",
            conversation=_conversation(event["channel"], event, identity, None),
            user_id=event["user"],
            standing=_standing(event, identity),
            sent_at=_time(event["event_ts"]),
        )
    ]


def _stopped(event: Payload, payload: Payload, identity: Identity) -> list[Event]:
    channel = event["channel"]
    return [
        Stop(
            event_id=f"stop:{channel}:{event['thread_ts']}:{event['event_ts']}",
            conversation=_conversation(channel, event, identity, event["thread_ts"]),
            user_id=event["user"],
            sent_at=_time(event["event_ts"]),
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
            channel=CHANNEL,
            account_id=identity.team_id,
            conversation_id=channel,
            sent_at=_time(moment),
        )
    ]


_EVENTS: Final[Mapping[str, Callable[[Payload, Payload, Identity], list[Event]]]] = {
    "app_mention": _message,
    "message": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "app_home_opened": _home_opened,
    "agent_session_stopped": _stopped,
    "member_left_channel": _left,
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _revoked,
}


# Interactions and the slash command


def _click(payload: Payload, identity: Identity) -> list[Event]:
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
                target=_ref(channel, ts, identity),
                user_id=user,
                standing=_standing_of_team(payload["user"].get("team_id"), identity),
                emoji="👍" if action["value"] == "good" else "👎",
                added=True,
                button=True,
                can_ask_why=True,
                sent_at=_time(action["action_ts"]),
            )
        )
    return events


def _shortcut(payload: Payload, identity: Identity) -> list[Event]:
    """ "Ask the assistant" on a message: the question of whoever chose it, in the thread of that message."""
    message: Payload = payload["message"]
    if payload.get("callback_id") != ASK_SHORTCUT:
        return []
    channel = payload["channel"]["id"]
    words = read(message.get("text") or "", identity.user_id)
    where = {"channel_type": "im"} if payload["channel"].get("name") == "directmessage" else {}
    return [
        Message(
            event_id=f"shortcut:{payload['trigger_id']}",
            ref=_ref(channel, message["ts"], identity),
            conversation=_conversation(channel, where, identity, _thread(message)),
            user_id=payload["user"]["id"],
            standing=_standing_of_team(payload["user"].get("team_id"), identity),
            text=words.text,
            mentions_bot=True,
            mentions_others=False,
            has_attachment=bool(message.get("files")),
            asks=True,
            sent_at=_time(payload["action_ts"]),
        )
    ]


def _comment(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    view: Payload = payload["view"]
    if view.get("callback_id") != COMMENT_VIEW:
        return []
    target = Target.decode(view["private_metadata"])
    fields: Payload = view["state"]["values"]
    said = " ".join(one["value"] for block in fields.values() for one in block.values() if one.get("value"))
    if not said.strip():
        return []
    return [
        Comment(
            event_id=f"comment:{view['id']}",
            target=_ref(target.channel, target.ts, identity),
            user_id=payload["user"]["id"],
            text=said.strip(),
            sent_at=received_at,
        )
    ]


def _slash(payload: Payload, identity: Identity, received_at: datetime) -> list[Event]:
    args = read(payload.get("text") or "", identity.user_id).text
    where = {"channel_type": "im"} if payload.get("channel_name") == "directmessage" else {}
    return [
        Command(
            event_id=f"command:{payload['trigger_id']}",
            ref=None,
            conversation=_conversation(payload["channel_id"], where, identity, None),
            user_id=payload["user_id"],
            standing=_standing_of_team(payload.get("team_id"), identity),
            name="ask" if args else "help",
            args=args,
            sent_at=received_at,
        )
    ]


# Parts


def _is_person(said: Payload, identity: Identity) -> bool:
    """A bot's own post has no subtype today, only `bot_id`; Slackbot and the bot itself are none either."""
    user = said.get("user")
    return bool(user) and user not in (identity.user_id, "USLACKBOT", "UREVOKEDU") and not said.get("bot_id")


def _thread(message: Payload) -> str:
    """A message outside threads is the root of its own."""
    return str(message.get("thread_ts") or message["ts"])


def _conversation(channel: str, event: Payload, identity: Identity, thread: str | None) -> Conversation:
    direct = event.get("channel_type") in ("im", "app_home") or channel.startswith("D")
    return Conversation(
        channel=CHANNEL,
        account_id=identity.team_id,
        conversation_id=channel,
        thread_id=thread,
        place="dm" if direct else "channel",
        is_direct=direct,
    )


def _ref(channel: str, ts: str, identity: Identity) -> MessageRef:
    return MessageRef(channel=CHANNEL, account_id=identity.team_id, conversation_id=channel, message_id=ts)


def _standing(event: Payload, identity: Identity) -> Standing:
    return _standing_of_team(event.get("user_team") or event.get("source_team"), identity)


def _standing_of_team(team_id: str | None, identity: Identity) -> Standing:
    """A guest looks like a member here; the adapter looks people up where the difference counts."""
    return "external" if team_id is not None and not identity.is_home(team_id) else "member"


def _time(ts: str) -> datetime:
    """`1732270000.000100` → UTC, to the microsecond, without the loss of a float."""
    seconds, _, fraction = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))
