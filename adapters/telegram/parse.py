"""Raw objects to the SDK's, of what we need and no more: a field of tomorrow can then hurt nobody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from telegram import (
    CallbackQuery,
    MessageReactionUpdated,
    ReactionType,
    ReactionTypeCustomEmoji,
    ReactionTypeEmoji,
    TelegramObject,
)
from telegram import Message as TelegramMessage

from bot.shared import plain_emoji

ATTACHMENTS: Final = (
    *("animation", "audio", "checklist", "contact", "dice", "document", "game", "location", "paid_media", "photo"),
    *("poll", "rich_message", "sticker", "story", "venue", "video", "video_note", "voice"),
)
FIELDS: Final = (
    *("message_id", "from", "sender_chat", "chat", "date", "edit_date", "text", "entities", "caption"),
    *("caption_entities", "media_group_id", "message_thread_id", "is_topic_message", "is_automatic_forward"),
    *("business_connection_id", "guest_query_id", "migrate_to_chat_id", "migrate_from_chat_id"),
)
REPLIED_FIELDS: Final = ("message_id", "from", "chat", "date", "forum_topic_created", "business_connection_id")

T = TypeVar("T", bound=TelegramObject)


def message(content: Any) -> TelegramMessage:
    """Parse a message without what may hang on it."""
    needed = {name: content[name] for name in FIELDS if name in content}
    if replied := content.get("reply_to_message"):
        needed["reply_to_message"] = {name: replied[name] for name in REPLIED_FIELDS if name in replied}
    return parsed(TelegramMessage, needed)


def click(content: Any) -> CallbackQuery:
    """Parse a click on a button, and of the message it hangs on where that is."""
    message = content.get("message")
    if message:
        message = {name: message[name] for name in REPLIED_FIELDS if name in message}
    return parsed(CallbackQuery, {**content, "message": message})


def reaction(content: Any) -> MessageReactionUpdated:
    """Parse a change of reactions."""
    return parsed(MessageReactionUpdated, content)


def parsed(kind: type[T], content: Any) -> T:
    """Parse by the SDK; whatever it raises, the object is not shaped as the Bot API says."""
    parsed_object = kind.de_json(dict(content), None)
    if not isinstance(parsed_object, kind):
        raise TypeError("an empty object")
    return parsed_object


def attached(content: Any) -> bool:
    """Tell whether anything but words came with a message. What has a caption is media, of tomorrow's kinds too."""
    return any(content.get(name) for name in (*ATTACHMENTS, "caption"))


def emoji(reactions: Sequence[ReactionType]) -> list[str]:
    """List each emoji once, without skin tone and variation selector; a custom one by its id, between colons."""
    emojis: list[str] = []
    for reaction in reactions:
        if isinstance(reaction, ReactionTypeEmoji):
            emojis.append(plain_emoji(reaction.emoji))
        elif isinstance(reaction, ReactionTypeCustomEmoji):
            emojis.append(f":{reaction.custom_emoji_id}:")
    return list(dict.fromkeys(emojis))
