"""The sign of work: "typing …" kept alive, and 👀 on the question. None of it may ever fail a turn."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from telegram import ReactionTypeEmoji
from telegram.constants import ChatAction

from adapters.telegram.client import Client
from adapters.telegram.ids import ids_of, thread_of
from adapters.telegram.pacing import Pacer
from bot.adapter import Host
from bot.errors import BotError, Misconfigured, Rejected, Unavailable
from bot.events import Conversation, MessageRef
from bot.shared import PROGRESS_RANK, BoundedDict

log = logging.getLogger(__name__)

TYPING_SECONDS: Final = 4.0
"""Telegram shows a chat action for five seconds or less, https://core.telegram.org/bots/api#sendchataction"""
FULL_SECONDS: Final = 1.0
"""Until the next look whether there is room for progress."""
EYES: Final = "👀"
CALL_SECONDS: Final = 5.0
UNMARKED_KEPT: Final = 1000


@dataclass(slots=True)
class _Activity:
    """What is worked on in one conversation, and the task that shows typing there."""

    questions: set[MessageRef | None] = field(default_factory=set)
    typing: asyncio.Task[None] | None = None


class WorkingSigns:
    """Shows and ends the signs of work of one account. Its tasks end with `close`."""

    def __init__(self, client: Client, pacer: Pacer) -> None:
        self._client = client
        self._pacer = pacer
        self._host: Host | None = None
        self._activities: dict[Conversation, _Activity] = {}
        self._eyes: dict[MessageRef, asyncio.Task[None]] = {}
        self._unmarked: BoundedDict[MessageRef, None] = BoundedDict(UNMARKED_KEPT)
        """Questions that certainly carry no 👀 of ours, so that its removal is no call."""

    def open(self, host: Host) -> None:
        """From now on signs are kept alive."""
        self._host = host

    async def close(self) -> None:
        """End all tasks; signs that stand are ended by the core after the restart."""
        self._host = None
        tasks = [activity.typing for activity in self._activities.values() if activity.typing]
        tasks += self._eyes.values()
        self._activities.clear()
        self._eyes.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, conversation: Conversation, question: MessageRef | None) -> None:
        """Begin to show work; returns at once, for a turn must not wait for a sign."""
        if self._host is None:
            return
        activity = self._activities.setdefault(conversation, _Activity())
        again = question in activity.questions
        activity.questions.add(question)
        if activity.typing is None or activity.typing.done():
            activity.typing = asyncio.create_task(self._type(conversation), name="telegram typing")
        if question is None or again:
            return
        if self._pacer.take_progress():
            self._unmarked.pop(question, None)
            self._eyes[question] = asyncio.create_task(self._set_eyes(question), name="telegram eyes")
        else:
            self._unmarked[question] = None

    async def end(self, conversation: Conversation, question: MessageRef | None) -> None:
        """End the signs of one question; those of others in the same conversation go on.

        Raises:
            Unavailable: 👀 may still stand; to be called again, for afterwards nobody else removes it.
        """
        if (activity := self._activities.get(conversation)) is not None:
            activity.questions.discard(question)
            if not activity.questions:
                del self._activities[conversation]
                await _stop(activity.typing)
        if question is None:
            return
        if (setting := self._eyes.pop(question, None)) is not None:
            await asyncio.wait({setting})  # removed before it is set, it would stay for ever
        if question not in self._unmarked:
            await self._remove_eyes(question)

    async def _type(self, conversation: Conversation) -> None:
        while True:
            seconds = TYPING_SECONDS
            if self._pacer.waiting(conversation.conversation_id) or not self._pacer.take_progress():
                seconds = FULL_SECONDS
            else:
                try:
                    async with asyncio.timeout(CALL_SECONDS), self._client.call("sendChatAction") as bot:
                        await bot.send_chat_action(
                            chat_id=int(conversation.conversation_id),
                            action=ChatAction.TYPING,
                            message_thread_id=thread_of(conversation),
                        )
                except (Rejected, Misconfigured):
                    return  # it will not be shown here; the notices of the core are left
                except Unavailable as error:
                    seconds = max(seconds, error.retry_after or 0.0)
                    self._pacer.be_quiet(error.retry_after or 0.0)
                    log.debug("typing is not shown: %s", error)
                except (BotError, TimeoutError) as error:
                    log.debug("typing is not shown: %s", error)
            await asyncio.sleep(seconds)

    async def _set_eyes(self, question: MessageRef) -> None:
        try:
            await self._react(question, EYES)
        except Rejected:
            self._unmarked[question] = None  # this chat does not allow the emoji (REACTION_INVALID), or it is gone
        except (BotError, TimeoutError) as error:
            log.debug("the question is not marked: %s", error)

    async def _remove_eyes(self, question: MessageRef) -> None:
        """Take 👀 off, when no answer needs the place. Whatever refuses that for good is nobody's trouble."""
        await self._pacer.call(self._host, PROGRESS_RANK)
        try:
            await self._react(question, None)
        except Unavailable as error:
            self._pacer.be_quiet(error.retry_after or 0.0)
            raise
        except TimeoutError:
            raise Unavailable("Telegram did not answer in time to setMessageReaction.", reason="timeout") from None
        except BotError as error:
            log.debug("the mark of a question is not removed: %s", error)
        self._unmarked[question] = None

    async def _react(self, question: MessageRef, emoji: str | None) -> None:
        chat_id, message_id = ids_of(question)
        async with asyncio.timeout(CALL_SECONDS), self._client.call("setMessageReaction") as bot:
            await bot.set_message_reaction(
                chat_id=chat_id, message_id=message_id, reaction=[ReactionTypeEmoji(emoji)] if emoji else []
            )


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
