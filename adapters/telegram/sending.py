"""Sending one message: one HTTP attempt, and another way only after a refusal that certainly sent nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from telegram import (
    ForceReply,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import ChatMigrated

from adapters.telegram.client import Client
from adapters.telegram.normalize import moved
from adapters.telegram.render import keyboard
from bot.adapter import Host, Part
from bot.errors import OutcomeUnknown, Rejected
from bot.events import Conversation, MessageRef, Rating

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
WORD_JOINER: Final = "\u2060"
WAYS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    chat_id: int
    thread_id: int | None
    text: str
    entities: tuple[Mapping[str, Any], ...]
    reply_to: int | None
    markup: InlineKeyboardMarkup | ForceReply | None


def buttons(rating: Rating | None) -> InlineKeyboardMarkup | None:
    """Make the rating buttons as the SDK wants them."""
    return InlineKeyboardMarkup.de_json(keyboard(rating), None)


async def send(
    client: Client, host: Host | None, conversation: Conversation, part: Part, reply_to: MessageRef | None
) -> MessageRef:
    """Send the part and say which message it became; its chat is the new one where a group has moved.

    A refusal of entities, of the topic or of the reply is certain, so the text is then sent without them.
    """
    letter = _letter(conversation, part, reply_to)
    for _ in range(WAYS):
        try:
            return await _post(client, letter)
        except ChatMigrated as error:
            if host is not None:
                event = moved(client.account_id, letter.chat_id, error.new_chat_id, datetime.now(UTC))
                await host.handle(event)
            letter = replace(letter, chat_id=error.new_chat_id, thread_id=None, reply_to=None)
        except Rejected as error:
            if error.reason == "thread_gone" and letter.thread_id is not None:
                letter = replace(letter, thread_id=None)
            elif error.reason == "reply_gone" and letter.reply_to is not None:
                letter = replace(letter, reply_to=None)
            elif error.reason in ("entities", "bad_request") and letter.entities:
                letter = replace(letter, text=harmless(letter.text), entities=())
            else:
                raise
    raise Rejected("Telegram refused the message in every form.", reason="bad_request")


def harmless(text: str) -> str:
    """Part the @ from names that only an entity (code) kept from being mentions.

    >>> harmless("mail a@b.org or ask @everyone").count(WORD_JOINER)
    1
    """
    return re.sub(r"(?<!\w)@(?=\w)", "@" + WORD_JOINER, text)


def _letter(conversation: Conversation, part: Part, reply_to: MessageRef | None) -> _Letter:
    chat_id = conversation.conversation_id
    entities = part.get("entities")
    markup: InlineKeyboardMarkup | ForceReply | None = None
    if part.get("buttons"):
        markup = buttons(None)
    elif part.get("force_reply"):
        markup = ForceReply(selective=True)
    return _Letter(
        chat_id=int(chat_id),
        thread_id=int(conversation.thread_id) if conversation.thread_id else None,
        text=str(part["text"]),
        entities=_dicts(entities),
        # A message id means nothing in another chat, as after a move.
        reply_to=int(reply_to.message_id) if reply_to is not None and reply_to.conversation_id == chat_id else None,
        markup=markup,
    )


def _dicts(entities: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(entities, Sequence):
        return ()
    return tuple(entity for entity in entities if isinstance(entity, Mapping))


async def _post(client: Client, letter: _Letter) -> MessageRef:
    async with client.call("sendMessage") as bot:
        message = await bot.send_message(
            chat_id=letter.chat_id,
            text=letter.text,
            entities=MessageEntity.de_list([dict(entity) for entity in letter.entities], None) or None,
            link_preview_options=NO_PREVIEW,
            message_thread_id=letter.thread_id,
            reply_parameters=(
                ReplyParameters(message_id=letter.reply_to, allow_sending_without_reply=True)
                if letter.reply_to is not None
                else None
            ),
            reply_markup=letter.markup,
        )
    if message is None:  # what the SDK makes of a result it cannot read
        raise OutcomeUnknown("Telegram's answer to sendMessage could not be read.", reason="garbage")
    return MessageRef(
        channel="telegram",
        account_id=client.account_id,
        conversation_id=str(message.chat.id),
        message_id=str(message.message_id),
    )
