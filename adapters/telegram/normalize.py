"""Raw updates to events. Pure: no client, no clock; who the bot is and when the update came are given as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from telegram import (
    CallbackQuery,
    Chat,
    ChatMember,
    MessageReactionUpdated,
    User,
)
from telegram import Message as TelegramMessage

from adapters.telegram import parse
from adapters.telegram.context import context_of, files_of, is_forward
from adapters.telegram.identity import Identity
from adapters.telegram.ids import CHANNEL_NAME, RATE_BAD, RATE_GOOD, message_ref, number
from adapters.telegram.joins import joins_of
from adapters.telegram.text import ReadText, read
from bot.events import Added, Command, Conversation, Edit, Event, Gone, Message, MessageRef, Moved, Reaction

KINDS: Final = ("message", "edited_message", "message_reaction", "callback_query", "my_chat_member")
COMMANDS: Final = frozenset({"start", "help", "new", "ask", "stop"})
GENERAL_TOPIC: Final = 1
"""Id of a forum's first topic; messages there are sent without it (telegram-bot-api, Client.h,
GENERAL_FORUM_TOPIC_ID)."""
SERVICE_USER: Final = 777000
"""Telegram itself (`telegram.constants.ChatID.SERVICE_CHAT`)."""
FORWARDED: Final = ReadText(text="", mentions_bot=False, mentions_others=False)
"""What a person says with a message that they only sent on: nothing. Its commands and mentions are not theirs."""
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}")
BUTTONS: Final = {RATE_GOOD: "👍", RATE_BAD: "👎"}


def normalize(raw: Mapping[str, Any], identity: Identity, received_at: datetime) -> list[Event]:
    """Turn one update into its events, [] for one that means nothing to us.

    `received_at` is used where Telegram gives no time: clicks on buttons.

    Raises:
        Exception: of any kind, when the update is not shaped as the Bot API says; it is then a dead letter.
    """
    update_id = number(raw["update_id"])
    kind = next((kind for kind in KINDS if kind in raw), "")
    content = raw.get(kind)
    match kind:
        case "message":
            return _message(content, identity)
        case "edited_message":
            return _edit(content, identity, update_id)
        case "message_reaction":
            return _reactions(parse.reaction(content), identity, update_id)
        case "callback_query":
            return _click(parse.click(content), identity, received_at)
        case "my_chat_member":
            return _membership(content, identity, update_id)
        case _:
            return []


def _message(content: Any, identity: Identity) -> list[Event]:
    message, attached, forwarded = parse.message(content), parse.attached(content), is_forward(content)
    if (moved := _moved(message, identity)) is not None:
        return [moved]
    user_id = _author(message)
    if user_id is None or (message.text is None and not attached):
        return []  # no person, or a service message: somebody joined, a topic was made
    words = FORWARDED if forwarded else _read_text(message, identity)
    if words is None:
        return []
    replied = _replied(message)
    context = context_of(content, identity, is_reply=replied is not None)
    ref, conversation = _ref(message.chat, message.message_id, identity), _conversation(message, identity)
    event_id = f"message:{message.chat.id}:{message.message_id}"
    sent_at = _time(message.date)
    if words.command:
        return [
            Command(
                event_id=event_id,
                ref=ref,
                conversation=conversation,
                user_id=user_id,
                standing="public",
                name=words.command,
                args=words.text,
                context=context,
                has_attachment=attached,
                files=files_of(content, identity),
                joins=joins_of(message, identity, forwarded=False),
                sent_at=sent_at,
                locale=_locale(message.from_user),
            )
        ]
    return [
        Message(
            event_id=event_id,
            ref=ref,
            conversation=conversation,
            user_id=user_id,
            standing="public",
            text=words.text,
            mentions_bot=_is_to_us(words, replied, identity),
            mentions_others=words.mentions_others,
            context=context,
            has_attachment=attached,
            files=files_of(content, identity),
            in_reply_to=_ref(message.chat, replied.message_id, identity) if replied else None,
            joins=joins_of(message, identity, forwarded=forwarded),
            sent_at=sent_at,
            locale=_locale(message.from_user),
        )
    ]


def _edit(content: Any, identity: Identity, update_id: int) -> list[Event]:
    message = parse.message(content)
    user_id = _author(message)
    if user_id is None or (message.text is None and message.caption is None):
        return []
    words = FORWARDED if is_forward(content) else _read_text(message, identity)
    if words is None or words.command not in ("", "ask"):
        return []
    replied = _replied(message)
    edited_at = _time(message.edit_date or message.date)
    return [
        Edit(
            # The time alone does not tell two edits of one second apart.
            event_id=f"edit:{message.chat.id}:{message.message_id}:{int(edited_at.timestamp())}:{update_id}",
            ref=_ref(message.chat, message.message_id, identity),
            conversation=_conversation(message, identity),
            user_id=user_id,
            standing="public",
            text=words.text,
            mentions_bot=bool(words.command) or _is_to_us(words, replied, identity),
            mentions_others=words.mentions_others,
            context=context_of(content, identity, is_reply=replied is not None),
            has_attachment=parse.attached(content),
            files=files_of(content, identity),
            sent_at=edited_at,
            locale=_locale(message.from_user),
        )
    ]


def _reactions(update: MessageReactionUpdated, identity: Identity, update_id: int) -> list[Event]:
    """Telegram gives both whole sets; what left and what came is the difference, removals first."""
    if update.chat.type == Chat.CHANNEL or (update.user is not None and update.user.is_bot):
        return []
    actor = update.user or update.actor_chat  # an anonymous administrator is the chat itself
    if actor is None:
        raise ValueError("a reaction by nobody")
    old, new = parse.emoji(update.old_reaction), parse.emoji(update.new_reaction)
    changes = [(emoji, False) for emoji in old if emoji not in new]
    changes += [(emoji, True) for emoji in new if emoji not in old]
    return [
        Reaction(
            event_id=f"reaction:{update_id}:{int(update.date.timestamp())}:{'+' if added else '-'}{emoji}",
            target=_ref(update.chat, update.message_id, identity),
            user_id=str(number(actor.id)),
            standing="public",
            emoji=emoji,
            added=added,
            sent_at=_time(update.date),
            locale=_locale(update.user),
        )
        for emoji, added in changes
    ]


def _click(query: CallbackQuery, identity: Identity, received_at: datetime) -> list[Event]:
    # What the data claims beyond good or bad is not believed: the rated answer is the message the button hangs on.
    emoji = BUTTONS.get(query.data or "")
    message = query.message
    if emoji is None or message is None or getattr(message, "business_connection_id", None) or query.from_user.is_bot:
        return []
    return [
        Reaction(
            event_id=f"callback:{query.id}",
            target=_ref(message.chat, message.message_id, identity),
            user_id=str(number(query.from_user.id)),
            standing="public",
            emoji=emoji,
            added=True,
            button=True,
            sent_at=received_at,
            locale=_locale(query.from_user),
        )
    ]


def _membership(content: Any, identity: Identity, update_id: int) -> list[Event]:
    chat, now = content["chat"], content["new_chat_member"]
    if chat["type"] == Chat.CHANNEL or now["user"]["id"] != identity.id:
        return []
    date = number(content["date"])
    if not _is_out(now):
        was_out = _is_out(content.get("old_chat_member") or {"status": ChatMember.LEFT})
        return [_added(content, identity, update_id)] if was_out and chat["type"] != Chat.PRIVATE else []
    return [
        Gone(
            event_id=f"gone:{update_id}:{date}",
            channel=CHANNEL_NAME,
            account_id=str(identity.id),
            conversation_id=str(number(chat["id"])),
            sent_at=datetime.fromtimestamp(date, UTC),
        )
    ]


def _is_out(member: Mapping[str, Any]) -> bool:
    return member["status"] in (ChatMember.LEFT, ChatMember.BANNED) or member.get("is_member") is False


def _added(content: Mapping[str, Any], identity: Identity, update_id: int) -> Added:
    chat, date = content["chat"], number(content["date"])
    return Added(
        event_id=f"added:{update_id}:{date}",
        conversation=Conversation(
            channel=CHANNEL_NAME,
            account_id=str(identity.id),
            conversation_id=str(number(chat["id"])),
            kind="topic" if chat.get("is_forum") else "group",
            is_direct=False,
        ),
        user_id=str(number(content["from"]["id"])),
        standing="public",
        sent_at=datetime.fromtimestamp(date, UTC),
    )


def _moved(message: TelegramMessage, identity: Identity) -> Moved | None:
    """Both service messages, in the old group and in the new one, tell the same happening."""
    old, new = message.chat.id, message.migrate_to_chat_id
    if message.migrate_from_chat_id is not None:
        old, new = message.migrate_from_chat_id, message.chat.id
    return moved(str(identity.id), number(old), number(new), _time(message.date)) if new is not None else None


def moved(account_id: str, old: int, new: int, at: datetime) -> Moved:
    """Make the one event that says a group has become a supergroup, however we learn of it."""
    return Moved(
        event_id=f"moved:{old}:{new}",
        channel=CHANNEL_NAME,
        account_id=account_id,
        old_id=str(old),
        new_id=str(new),
        sent_at=at,
    )


def _author(message: TelegramMessage) -> str | None:
    """Name the person who wrote, None when it is none we talk with."""
    chat = message.chat
    if message.business_connection_id or chat.type == Chat.CHANNEL or chat.is_direct_messages:
        return None
    if message.is_automatic_forward or message.guest_query_id:
        return None
    if message.sender_chat is not None:
        return str(number(message.sender_chat.id))  # an anonymous administrator, or a person who writes as a channel
    user = message.from_user
    if user is None or user.is_bot or user.id == SERVICE_USER:
        return None
    return str(number(user.id))


def _locale(user: User | None) -> str | None:
    """Read the language of a person's app (Bot API, User, `language_code`), None where it is not told."""
    tag = user.language_code if user is not None else None
    return tag if isinstance(tag, str) and LANGUAGE_TAG.fullmatch(tag) else None


def _read_text(message: TelegramMessage, identity: Identity) -> ReadText | None:
    """Read the words, None for a command that is, or may be, for another bot. One that we do not have stays a command
    where nobody else will answer it: in private chats, and in groups by our name."""
    text = message.text if message.text is not None else message.caption or ""
    words = read(text, message.entities if message.text is not None else message.caption_entities, identity)
    if not words.command:
        return words
    if words.target:
        return words if words.target == identity.username.lower() else None
    return words if words.command in COMMANDS or message.chat.type == Chat.PRIVATE else None


def _replied(message: TelegramMessage) -> TelegramMessage | None:
    """Find the message that a person answered by the reply function.

    In a topic every message may carry the service message that made the topic; nobody chose to answer that.
    """
    replied = message.reply_to_message
    if replied is None or replied.forum_topic_created is not None:
        return None
    if message.is_topic_message and replied.message_id == message.message_thread_id:
        return None
    return replied


def _is_to_us(words: ReadText, replied: TelegramMessage | None, identity: Identity) -> bool:
    """Whether a message addresses us: by a mention, or as a reply to us that is not for somebody else."""
    return words.mentions_bot or (_is_by_us(replied, identity) and not words.is_for_others)


def _is_by_us(message: TelegramMessage | None, identity: Identity) -> bool:
    return message is not None and message.from_user is not None and message.from_user.id == identity.id


def _conversation(message: TelegramMessage, identity: Identity) -> Conversation:
    chat = message.chat
    # In a supergroup without topics the thread id names a chain of replies, which is no place.
    thread = message.message_thread_id if message.is_topic_message else None
    private = chat.type == Chat.PRIVATE
    forum = bool(chat.is_forum) or thread is not None
    return Conversation(
        channel=CHANNEL_NAME,
        account_id=str(identity.id),
        conversation_id=str(number(chat.id)),
        thread_id=None if thread in (None, GENERAL_TOPIC) else str(number(thread)),
        kind="private" if private else "topic" if forum else "group",
        is_direct=private,
    )


def _ref(chat: Chat, message_id: int, identity: Identity) -> MessageRef:
    return message_ref(str(identity.id), chat.id, message_id)


def _time(value: datetime | None) -> datetime:
    if value is None:
        raise ValueError("no time stamp")
    return value
