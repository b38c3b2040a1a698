"""The Telegram adapter: receives over long polling or a webhook, sends, shows work and ratings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from adapters.telegram.checks import check_account
from adapters.telegram.client import Client
from adapters.telegram.config import TelegramSettings
from adapters.telegram.files import open_file
from adapters.telegram.groups import Groups
from adapters.telegram.identity import Identity
from adapters.telegram.ids import CHANNEL_NAME, ids_of
from adapters.telegram.pacing import PaceLimits, Pacer
from adapters.telegram.parts import TelegramPart
from adapters.telegram.polling import pause, poll
from adapters.telegram.receive import Inbox
from adapters.telegram.render import render, with_note
from adapters.telegram.sending import Sender, buttons
from adapters.telegram.setup import prepare_polling, prepare_webhook
from adapters.telegram.users import Users
from adapters.telegram.webhook import WEBHOOK_PATH, webhook
from adapters.telegram.working import WorkingSigns
from bot.adapter import Check, Host, Part, Want
from bot.errors import Rejected, Unavailable
from bot.events import Conversation, EarlierMessage, File, Mention, MessageRef, Outbound, Person, Rating
from bot.shared import NOTICE_RANK, PROGRESS_RANK, BackgroundTasks, Backoff

T = TypeVar("T")

STANDS_ANYWAY: Final = frozenset({"not_modified", "message_gone", "not_editable", "chat_gone"})
STOP_SECONDS: Final = 5.0


class TelegramAdapter:
    """One bot account on Telegram. It knows no guests: whether they differ changes nothing.

    `limits`, `now` and `make_backoff` are for tests; Telegram's own limits, the time and pauses from a second to
    half a minute are the defaults.
    """

    def __init__(
        self,
        settings: TelegramSettings,
        *,
        guests_differ: bool = False,
        limits: PaceLimits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        make_backoff: Callable[[], Backoff] = lambda: Backoff(first=1.0, longest=30.0),
    ) -> None:
        self._settings = settings
        self._now = now
        self._make_backoff = make_backoff
        self._client = Client(settings)
        self._pacer = Pacer(self._client.account_id, limits or PaceLimits(), time.monotonic)
        self._sender = Sender(self._client, self._pacer)
        self._signs = WorkingSigns(self._client, self._pacer)
        self._groups = Groups(self._client)
        self._users = Users(self._client)
        self._tasks = BackgroundTasks()
        self._host: Host | None = None
        self._served: Host | None = None
        self._inbox: Inbox | None = None

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return CHANNEL_NAME

    async def serves(self, account_id: str) -> bool:
        """Whether the account is this bot."""
        return account_id == self._client.account_id

    async def run(self, host: Host) -> None:
        """Receive until cancelled.

        Raises:
            Misconfigured: Telegram refuses the token, or the webhook.
        """
        if self._settings.webhook_url is not None and self._served is not host:
            secret = self._settings.webhook_secret.get_secret_value() if self._settings.webhook_secret else ""
            host.serve("POST", WEBHOOK_PATH, webhook(secret, host, lambda: self._inbox))
            self._served = host
        self._host = host
        self._signs.open(host)
        try:
            async with self._client.open():
                try:
                    await self._receive(host)
                finally:
                    self._inbox = None
                    await self._signs.close()
                    await self._tasks.drain(STOP_SECONDS)
        finally:
            self._host = None

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render as text and entities, or as text alone."""
        return [part.to_json() for part in render(outbound, plain=plain, after=after)]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Send one message. `delivery_id` stays here: Telegram carries no such thing, and cannot be asked for it."""
        message = with_note(TelegramPart.from_json(part), note) if note else TelegramPart.from_json(part)
        return await self._sender.send(self._host, conversation, message, reply_to)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Return None: Telegram has no way to ask what became of a message."""
        return None

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show the rating on the buttons; a message that is gone or shows it already is left as it is."""
        await self._pacer.call(self._host, NOTICE_RANK)
        chat_id, message_id = ids_of(ref)
        try:
            async with self._client.call("editMessageReplyMarkup") as bot:
                await bot.edit_message_reply_markup(
                    chat_id=chat_id, message_id=message_id, reply_markup=buttons(rating)
                )
        except Rejected as error:
            if error.reason not in STANDS_ANYWAY:
                raise

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages, for 48 hours (https://core.telegram.org/bots/api#deletemessage)."""
        await self._pacer.call(self._host, PROGRESS_RANK)
        chat_id, message_id = ids_of(ref)
        try:
            async with self._client.call("deleteMessage") as bot:
                await bot.delete_message(chat_id=chat_id, message_id=message_id)
        except Rejected as error:
            if error.reason != "message_gone":
                raise

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Return None: the Bot API has no method that reads what was said."""
        return None

    async def open(self, file: File) -> bytes:
        """Fetch the bytes of a file of a message."""
        return await open_file(self._client, self._pacer, self._host, file)

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Ask for somebody's name; None where Telegram does not tell it."""
        if account_id != self._client.account_id:
            return None
        await self._pacer.call(self._host)
        return await self._users.person(user_id)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end "typing …" and 👀. Only the end may raise, `Unavailable` alone: 👀 may then still stand."""
        if on:
            self._signs.begin(conversation, question)
        else:
            await self._signs.end(conversation, question)

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Answer None: Telegram's messages name everybody by name."""
        return None

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look whether the account works."""
        return await check_account(self._client, self._settings, self._groups)

    async def _receive(self, host: Host) -> None:
        identity = await self._patiently(self._identify)
        self._inbox = Inbox(self._client, host, identity, self._groups, self._tasks, self._now)
        if self._settings.webhook_url is not None:
            await self._patiently(lambda: prepare_webhook(self._client, host, self._settings))
            await asyncio.Event().wait()
        async with host.lease(f"{CHANNEL_NAME}:{self._client.account_id}"):
            await self._patiently(lambda: prepare_polling(self._client))
            await poll(self._client, self._inbox, self._make_backoff)

    async def _identify(self) -> Identity:
        async with self._client.call("getMe") as bot:
            user = await bot.get_me()
            reads_all = bool(user.can_read_all_group_messages)
            return Identity(id=user.id, username=user.username or "", reads_all=reads_all)

    async def _patiently(self, do: Callable[[], Awaitable[T]]) -> T:
        """Do it until it works: a network that is down at the start ends by itself, a refused token does not."""
        backoff = self._make_backoff()
        while True:
            try:
                return await do()
            except Unavailable as error:
                await pause(backoff, error, "Starting")
