"""The sign of work: "typing …" kept alive, and 👀 on the question. None of it may ever fail a turn."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from telegram import ReactionTypeEmoji
from telegram.constants import ChatAction
from telegram.error import ChatMigrated

from adapters.telegram.client import Client
from adapters.telegram.pacing import Pacer
from bot.adapter import Host
from bot.errors import BotError, Misconfigured, Rejected, Unavailable
from bot.events import Conversation, MessageRef

log = logging.getLogger(__name__)

TYPING_SECONDS: Final = 4.0
"""Telegram shows a chat action for five seconds."""
FULL_SECONDS: Final = 1.0
"""Until the next look whether there is room for progress."""
EYES: Final = "👀"
CALL_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Place:
    questions: set[MessageRef | None] = field(default_factory=set)
    typing: asyncio.Task[None] | None = None


class WorkingSigns:
    """Shows and ends the signs of work of one account. Its tasks end with `close`."""

    def __init__(self, client: Client, pacer: Pacer) -> None:
        self._client = client
        self._pacer = pacer
        self._host: Host | None = None
        self._places: dict[Conversation, _Place] = {}
        self._eyes: dict[MessageRef, asyncio.Task[None]] = {}
        self._bare: OrderedDict[MessageRef, None] = OrderedDict()
        """Questions that certainly carry no 👀 of ours, so that its removal is no call."""

    def open(self, host: Host) -> None:
        """From now on signs are kept alive."""
        self._host = host

    async def close(self) -> None:
        """End all tasks; signs that stand are ended by the core after the restart."""
        self._host = None
        tasks = [place.typing for place in self._places.values() if place.typing]
        tasks += self._eyes.values()
        self._places.clear()
        self._eyes.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, conversation: Conversation, question: MessageRef | None) -> None:
        """Begin to show work; returns at once, for a turn must not wait for a sign."""
        if self._host is None:
            return
        place = self._places.setdefault(conversation, _Place())
        again = question in place.questions
        place.questions.add(question)
        if place.typing is None or place.typing.done():
            place.typing = asyncio.create_task(self._type(conversation), name="telegram typing")
        if question is None or again:
            return
        if self._pacer.take_progress():
            self._bare.pop(question, None)
            self._eyes[question] = asyncio.create_task(self._look(question), name="telegram eyes")
        else:
            self._remember_bare(question)

    async def end(self, conversation: Conversation, question: MessageRef | None) -> None:
        """End the signs of one question; those of others in the same place go on.

        Raises:
            Unavailable: 👀 may still stand; to be called again, for afterwards nobody else removes it.
        """
        if (place := self._places.get(conversation)) is not None:
            place.questions.discard(question)
            if not place.questions:
                del self._places[conversation]
                await _stop(place.typing)
        if question is None:
            return
        if (begun := self._eyes.pop(question, None)) is not None:
            await asyncio.wait({begun})  # removed before it is set, it would stay for ever
        if question not in self._bare:
            await self._blink(question)

    async def _type(self, conversation: Conversation) -> None:
        thread = conversation.thread_id
        while True:
            pause = TYPING_SECONDS
            if self._pacer.waiting(conversation.conversation_id) or not self._pacer.take_progress():
                pause = FULL_SECONDS
            else:
                try:
                    await self._pacer.call(self._host)
                    async with asyncio.timeout(CALL_SECONDS), self._client.call("sendChatAction") as bot:
                        await bot.send_chat_action(
                            chat_id=int(conversation.conversation_id),
                            action=ChatAction.TYPING,
                            message_thread_id=int(thread) if thread else None,
                        )
                except (Rejected, Misconfigured):
                    return  # it will not be shown here; the notices of the core are left
                except Unavailable as error:
                    pause = max(pause, error.retry_after or 0.0)
                    log.debug("typing is not shown: %s", error)
                except (BotError, ChatMigrated, TimeoutError) as error:
                    log.debug("typing is not shown: %s", error)
            await asyncio.sleep(pause)

    async def _look(self, question: MessageRef) -> None:
        try:
            await self._react(question, EYES)
        except Rejected:
            self._remember_bare(question)  # this chat does not allow the emoji (REACTION_INVALID), or it is gone
        except (BotError, ChatMigrated, TimeoutError) as error:
            log.debug("the question is not marked: %s", error)

    async def _blink(self, question: MessageRef) -> None:
        """Take 👀 off. Whatever refuses that for good is nobody's trouble."""
        try:
            await self._react(question, None)
        except Unavailable:
            raise
        except TimeoutError:
            raise Unavailable("Telegram did not answer in time to setMessageReaction.", reason="timeout") from None
        except (BotError, ChatMigrated) as error:
            log.debug("the mark of a question is not removed: %s", error)
        self._remember_bare(question)

    async def _react(self, question: MessageRef, emoji: str | None) -> None:
        await self._pacer.call(self._host)
        async with asyncio.timeout(CALL_SECONDS), self._client.call("setMessageReaction") as bot:
            await bot.set_message_reaction(
                chat_id=int(question.conversation_id),
                message_id=int(question.message_id),
                reaction=[ReactionTypeEmoji(emoji)] if emoji else [],
            )

    def _remember_bare(self, question: MessageRef) -> None:
        self._bare[question] = None
        while len(self._bare) > 1000:
            self._bare.popitem(last=False)


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
