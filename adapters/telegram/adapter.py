"""The Telegram adapter: receives over long polling or a webhook, sends, shows work and ratings."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from telegram.error import ChatMigrated

from adapters.telegram import receive, render, sending
from adapters.telegram.checks import check_account
from adapters.telegram.client import Client
from adapters.telegram.config import TelegramSettings
from adapters.telegram.groups import Groups
from adapters.telegram.identity import Identity
from adapters.telegram.pacing import Limits, Pacer
from adapters.telegram.setup import prepare_polling, prepare_webhook
from adapters.telegram.working import WorkingSigns
from bot.adapter import Check, Host, Part
from bot.errors import Rejected, Unavailable
from bot.events import Conversation, MessageRef, Notice, Outbound, Rating

log = logging.getLogger(__name__)
T = TypeVar("T")

STANDS_ANYWAY: Final = frozenset({"not_modified", "message_gone", "not_editable", "chat_gone"})
STOP_SECONDS: Final = 5.0


class TelegramAdapter:
    """One bot account on Telegram. `limits` and `now` are for tests; Telegram's own and the time are the default."""

    def __init__(
        self,
        settings: TelegramSettings,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._settings = settings
        self._client = Client(settings)
        self._pacer = Pacer(self._client.account_id, limits or Limits(), time.monotonic)
        self._signs = WorkingSigns(self._client, self._pacer)
        self._groups = Groups(self._client)
        self._host: Host | None = None
        self._served: Host | None = None
        self._inbox: receive.Inbox | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return "telegram"

    async def run(self, host: Host) -> None:
        """Receive until cancelled.

        Raises:
            Misconfigured: Telegram refuses the token, or the webhook.
        """
        if self._settings.webhook_url is not None and self._served is not host:
            secret = self._settings.webhook_secret.get_secret_value() if self._settings.webhook_secret else ""
            host.serve("POST", "/telegram/webhook", receive.webhook(secret, lambda: self._inbox))
            self._served = host
        self._host = host
        self._signs.open(host)
        try:
            async with self._client.open():
                try:
                    await self._receive(host)
                finally:
                    await self._let_end()
        finally:
            self._host = None

    def render(self, outbound: Outbound) -> Sequence[Part]:
        """Render; a progress notice carries its nature along, for it has less right to be sent."""
        parts = render.render(outbound)
        if isinstance(outbound, Notice) and outbound.kind == "progress":
            return [{**part, "progress": True} for part in parts]
        return parts

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None
    ) -> MessageRef:
        """Send one message. `delivery_id` stays here: Telegram carries no such thing, and cannot be asked for it."""
        chat_id = conversation.conversation_id
        if (seconds := self._pacer.waiting(chat_id)) > 0:
            raise Unavailable("Telegram asked to wait for this chat.", reason="rate_limited", retry_after=seconds)
        if part.get("progress") and not self._pacer.take_notice(chat_id):
            raise Rejected("A progress notice is left out, for answers need the room.", reason="no_room")
        await self._pacer.message(self._host, chat_id)
        try:
            return await sending.send(self._client, self._host, conversation, part, reply_to)
        except Unavailable as error:
            if error.reason == "rate_limited":
                self._pacer.flooded(chat_id, error.retry_after or 1.0)
            raise

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Return None: Telegram has no way to ask what became of a message."""
        return None

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the rating on the buttons; a message that is gone or shows it already is left as it is."""
        await self._pacer.call(self._host)
        try:
            async with self._client.call("editMessageReplyMarkup") as bot:
                await bot.edit_message_reply_markup(
                    chat_id=int(ref.conversation_id),
                    message_id=int(ref.message_id),
                    reply_markup=sending.buttons(rating),
                )
        except ChatMigrated:
            log.debug("the buttons of a group that has moved stay as they are: its old messages are out of reach")
        except Rejected as error:
            if error.reason not in STANDS_ANYWAY:
                raise

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages. Telegram lets a bot delete for 48 hours."""
        await self._pacer.call(self._host)
        try:
            async with self._client.call("deleteMessage") as bot:
                await bot.delete_message(chat_id=int(ref.conversation_id), message_id=int(ref.message_id))
        except ChatMigrated as error:
            raise Rejected("A message of before the group moved is out of reach.", reason="chat_gone") from error
        except Rejected as error:
            if error.reason != "message_gone":
                raise

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end "typing …" and 👀. Only the end may raise, `Unavailable` alone: 👀 may then still stand."""
        if on:
            self._signs.begin(conversation, question)
        else:
            await self._signs.end(conversation, question)

    async def check(self) -> Sequence[Check]:
        """Look whether the account works."""
        return await check_account(self._client, self._settings, self._groups)

    async def _receive(self, host: Host) -> None:
        me = await self._patiently(self._who)
        self._inbox = receive.Inbox(self._client, host, me, self._groups, self._spawn, self._now)
        if self._settings.webhook_url is not None:
            await self._patiently(lambda: prepare_webhook(self._client, host, self._settings))
            await asyncio.Event().wait()
        async with host.lease(f"telegram:{self._client.account_id}"):
            await self._patiently(lambda: prepare_polling(self._client))
            await receive.poll(self._client, self._inbox)

    async def _who(self) -> Identity:
        async with self._client.call("getMe") as bot:
            me = await bot.get_me()
        return Identity(id=me.id, username=me.username or "")

    async def _let_end(self) -> None:
        """Stop the signs, let calls under way end."""
        self._inbox = None
        await self._signs.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _patiently(self, do: Callable[[], Awaitable[T]]) -> T:
        """Do it until it works: a network that is down at the start ends by itself, a refused token does not."""
        backoff = receive.Backoff()
        while True:
            try:
                return await do()
            except Unavailable as error:
                await backoff.wait(error, "Starting")

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
