"""Sending one message: one HTTP attempt, and another way only after a refusal that certainly sent nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from telegram import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters

from adapters.telegram.client import Client
from adapters.telegram.errors import GroupMoved
from adapters.telegram.ids import message_ref, thread_of
from adapters.telegram.normalize import moved
from adapters.telegram.pacing import Pacer
from adapters.telegram.parts import TelegramPart
from adapters.telegram.render import keyboard
from bot.adapter import Host
from bot.errors import OutcomeUnknown, Rejected, Unavailable
from bot.events import Conversation, MessageRef, Rating

NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
WAYS: Final = 4
"""Attempts at one message, each after a certain refusal of something else in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """The arguments of one sendMessage that may have to change."""

    chat_id: int
    thread_id: int | None
    text: str
    entities: tuple[Mapping[str, Any], ...]
    reply_to: int | None
    markup: InlineKeyboardMarkup | ForceReply | None
    anywhere: bool


def buttons(rating: Rating | None) -> InlineKeyboardMarkup | None:
    """Make the rating buttons as the SDK wants them."""
    return InlineKeyboardMarkup.de_json(keyboard(rating), None)


class Sender:
    """Sends the messages of one account, at Telegram's pace."""

    def __init__(self, client: Client, pacer: Pacer) -> None:
        self._client = client
        self._pacer = pacer

    async def send(
        self, host: Host | None, conversation: Conversation, part: TelegramPart, reply_to: MessageRef | None
    ) -> MessageRef:
        """Send the part and say which message it became; its chat is the new one where a group has moved.

        Without a host (nothing runs) nothing is paced, and nobody is told of a move.
        """
        chat_id = conversation.conversation_id
        if (seconds := self._pacer.waiting(chat_id)) > 0:
            raise Unavailable("Telegram asked to wait for this chat.", reason="rate_limited", retry_after=seconds)
        if part.progress and not self._pacer.take_notice(chat_id):
            raise Rejected("A progress notice is left out, for answers need the room.", reason="no_room")
        await self._pacer.message(host, chat_id, part.rank)
        try:
            return await self._send(host, _request(conversation, part, reply_to))
        except Unavailable as error:
            if error.reason == "rate_limited":
                self._pacer.flooded(chat_id, error.retry_after or 1.0)
            raise

    async def _send(self, host: Host | None, request: _Request) -> MessageRef:
        """A refusal of the topic or of the reply is certain, so the message is then sent without it."""
        for _ in range(WAYS):
            try:
                return await self._post(request)
            except GroupMoved as error:
                if host is not None:
                    now = datetime.now(UTC)
                    await host.handle(moved(self._client.account_id, request.chat_id, error.new_id, now))
                request = replace(request, chat_id=error.new_id, thread_id=None, reply_to=None)
            except Rejected as error:
                if error.reason == "thread_gone" and request.thread_id is not None:
                    request = replace(request, thread_id=None)
                elif error.reason == "reply_gone" and request.reply_to is not None:
                    request = replace(request, reply_to=None)
                elif error.reason == "topic_closed" and request.anywhere and request.thread_id is not None:
                    # A reply would lead into the closed topic, and tell the others what was asked there.
                    request = replace(request, thread_id=None, reply_to=None)
                else:
                    raise
        raise Rejected("Telegram refused the message at every place.", reason="bad_place")

    async def _post(self, request: _Request) -> MessageRef:
        async with self._client.call("sendMessage", in_chat=True) as bot:
            message = await bot.send_message(
                chat_id=request.chat_id,
                text=request.text,
                entities=MessageEntity.de_list([dict(entity) for entity in request.entities], None) or None,
                link_preview_options=NO_PREVIEW,
                message_thread_id=request.thread_id,
                reply_parameters=(
                    ReplyParameters(message_id=request.reply_to, allow_sending_without_reply=True)
                    if request.reply_to is not None
                    else None
                ),
                reply_markup=request.markup,
            )
            if message is None:  # what the SDK makes of a result it cannot read
                raise OutcomeUnknown("Telegram's answer to sendMessage could not be read.", reason="garbage")
            return message_ref(self._client.account_id, message.chat.id, message.message_id)


def _request(conversation: Conversation, part: TelegramPart, reply_to: MessageRef | None) -> _Request:
    chat_id = conversation.conversation_id
    markup: InlineKeyboardMarkup | ForceReply | None = None
    if part.buttons:
        markup = buttons(None)
    elif part.force_reply:
        markup = ForceReply(selective=True)
    return _Request(
        chat_id=int(chat_id),
        thread_id=thread_of(conversation),
        text=part.text,
        entities=part.entities,
        # A message id means nothing in another chat, as after a move.
        reply_to=int(reply_to.message_id) if reply_to is not None and reply_to.conversation_id == chat_id else None,
        markup=markup,
        anywhere=part.anywhere,
    )
