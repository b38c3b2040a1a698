"""Everything that has a fixed spelling: the channel's name, what buttons carry, the ids of messages and chats. Pure."""

from __future__ import annotations

from typing import Final

from bot.events import Conversation, MessageRef

CHANNEL_NAME: Final = "telegram"

RATE_GOOD: Final = "rate:good"
RATE_BAD: Final = "rate:bad"
"""`callback_data` of the rating buttons: 1 to 64 bytes, https://core.telegram.org/bots/api#inlinekeyboardbutton"""


def message_ref(account_id: str, chat_id: int, message_id: int) -> MessageRef:
    """Name a message as events and receipts do.

    Raises:
        TypeError: an id is no number.
    """
    return MessageRef(
        channel=CHANNEL_NAME,
        account_id=account_id,
        conversation_id=str(number(chat_id)),
        message_id=str(number(message_id)),
    )


def ids_of(ref: MessageRef) -> tuple[int, int]:
    """Return the chat id and the message id, as the Bot API takes them.

    >>> ids_of(message_ref("1", -100, 7))
    (-100, 7)
    """
    return int(ref.conversation_id), int(ref.message_id)


def thread_of(conversation: Conversation) -> int | None:
    """Return the topic's `message_thread_id`, None outside of topics."""
    return int(conversation.thread_id) if conversation.thread_id else None


def is_group(chat_id: str) -> bool:
    """Say whether a chat is a group: ids of groups are negative, those of people are not.

    https://core.telegram.org/api/bots/ids
    """
    return chat_id.startswith("-")


def number(value: object) -> int:
    """Return an id of a payload unchanged if it is a number.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("an id that is no number")
    return value
