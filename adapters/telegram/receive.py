"""Receiving: each update is stored, or set aside, before Telegram is told that it arrived."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.telegram.client import Client
from adapters.telegram.groups import Groups
from adapters.telegram.identity import Identity
from adapters.telegram.ids import CHANNEL_NAME
from adapters.telegram.normalize import normalize
from bot.adapter import Host
from bot.errors import BotError, Unavailable
from bot.events import Event, Reaction
from bot.shared import BackgroundTasks

log = logging.getLogger(__name__)


class Inbox:
    """Takes single updates in. `tasks` runs what may happen after the update is safe."""

    def __init__(
        self,
        client: Client,
        host: Host,
        identity: Identity,
        groups: Groups,
        tasks: BackgroundTasks,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._host = host
        self._identity = identity
        self._groups = groups
        self._tasks = tasks
        self._now = now

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Store what the update means, or the update itself when it cannot be read.

        Raises:
            Unavailable: it is not stored; do not confirm it.
        """
        try:
            events = normalize(raw, self._identity_in(raw), self._now())
        except Exception as error:
            # Whatever it is, it comes again for a day if it is not taken, and holds up all that come after it.
            await self._set_aside(raw, f"The update cannot be read ({type(error).__name__}).")
        else:
            for event in events:
                if isinstance(event, Reaction) and event.button:
                    event = await self._named(raw, event)  # the same click, by its right person
                await self._handle(raw, event)
        self._afterwards(raw)

    async def _named(self, raw: Mapping[str, Any], click: Reaction) -> Reaction:
        """Give a click to the group itself, if that asked and the person may be who asked.

        An anonymous administrator writes and reacts as the group, but clicks as a person
        (https://github.com/tdlib/telegram-bot-api/issues/667).
        """
        try:
            question = raw["callback_query"]["message"]["reply_to_message"]
            asked_by, signature = str(question["sender_chat"]["id"]), str(question.get("author_signature") or "")
        except (KeyError, TypeError):
            return click
        chat_id = click.target.conversation_id
        if asked_by == chat_id and await self._groups.speaks_as_group(chat_id, click.user_id, signature):
            return replace(click, user_id=chat_id)
        return click

    def _identity_in(self, raw: Mapping[str, Any]) -> Identity:
        """Return who we are where the update comes from: administrators of a group are shown everything."""
        message = raw.get("message")
        chat = message.get("chat") if isinstance(message, dict) else None
        if isinstance(chat, dict) and self._groups.is_admin(str(chat.get("id"))):
            return replace(self._identity, reads_all=True)
        return self._identity

    async def _handle(self, raw: Mapping[str, Any], event: Event) -> None:
        try:
            await self._host.handle(event)
        except Unavailable:
            raise
        except Exception as error:
            log.exception("An update could not be taken in and is set aside.")
            await self._set_aside(raw, f"Taking the update in failed ({type(error).__name__}).")

    async def _set_aside(self, raw: Mapping[str, Any], reason: str) -> None:
        try:
            body = json.dumps(raw, sort_keys=True, separators=(",", ":")).encode()
        except (RecursionError, ValueError):
            # Nested so deeply that it can only just be read. It has to end here too, or its chat stands still.
            body = json.dumps({"update_id": raw.get("update_id"), "left_out": "nested too deeply"}).encode()
        await self._host.set_aside(CHANNEL_NAME, self._client.account_id, body, reason)

    def _afterwards(self, raw: Mapping[str, Any]) -> None:
        """Do what Telegram's side of the conversation needs; nothing here may fail the update."""
        query = raw.get("callback_query")
        if isinstance(query, dict) and isinstance(query.get("id"), str):
            self._tasks.spawn(self._answer(query["id"]))
        if "message_reaction" in raw:
            self._groups.reactions += 1
        member = raw.get("my_chat_member")
        for update in (member, raw.get("message")):
            chat = update.get("chat") if isinstance(update, dict) else None
            if not isinstance(chat, dict) or chat.get("type") not in ("group", "supergroup"):
                continue
            chat_id = str(chat.get("id"))
            status = _status(member)
            if status:
                self._groups.set_status(chat_id, status)
            elif self._groups.note(chat_id):
                self._tasks.spawn(self._groups.look(chat_id))

    async def _answer(self, query_id: str) -> None:
        """End the button's spinning. An old click cannot be answered any more, which is nobody's trouble."""
        try:
            async with self._client.call("answerCallbackQuery") as bot:
                await bot.answer_callback_query(query_id)
        except BotError as error:
            log.debug("a click is not answered: %s", error)


def _status(member: object) -> str:
    new = member.get("new_chat_member") if isinstance(member, dict) else None
    status = new.get("status") if isinstance(new, dict) else None
    return status if isinstance(status, str) else ""
