"""Several accounts of one channel: an adapter each, one to the core; they share the addresses that are called."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Final

from aiohttp import web

from bot.adapter import AccountAdapter, Check, Handled, Host, HttpHandler, JsonValue, Listed, Part, Vault, Want
from bot.errors import BotError, Rejected
from bot.events import (
    Conversation,
    EarlierMessage,
    Event,
    File,
    Mention,
    MessageRef,
    Outbound,
    Person,
    Rating,
)

NOT_MINE: Final = (401, 403)
"""Statuses by which an account says that a request is none of its own."""
NOT_READY: Final = 503
_REFUSALS: ContextVar[list[tuple[str, str, str]] | None] = ContextVar("refusals", default=None)


class SeveralAccounts:
    """The adapters of several accounts as one; implements `bot.adapter.Adapter`.

    What names an account goes to the adapter that serves it; of an account that none serves, as after it was taken out
    of the settings, the conversation is out of reach.
    """

    def __init__(self, adapters: Sequence[AccountAdapter]) -> None:
        self.adapters = tuple(adapters)

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return self.adapters[0].channel

    async def run(self, host: Host) -> None:
        """Receive with all of them until cancelled, or until one of them ends by an error."""
        shared = SharedAddresses(host)
        async with asyncio.TaskGroup() as group:
            for adapter in self.adapters:
                group.create_task(adapter.run(AccountHost(host, shared, adapter)))

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render; all accounts of a channel render alike."""
        return self.adapters[0].render(outbound, plain=plain, after=after)

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Send by the account of the conversation."""
        return await (await self._of(conversation.account_id)).send(
            conversation, part, delivery_id, reply_to, note=note
        )

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look up by the account of the conversation."""
        return await (await self._of(conversation.account_id)).find(conversation, delivery_id)

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Show a rating by the account of the message."""
        await (await self._of(ref.account_id)).mark(ref, rating)

    async def delete(self, ref: MessageRef) -> None:
        """Delete by the account of the message."""
        await (await self._of(ref.account_id)).delete(ref)

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Begin or end the sign of work by the account of the conversation."""
        await (await self._of(conversation.account_id)).working(conversation, question, on)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read by the account of the conversation."""
        return await (await self._of(conversation.account_id)).earlier(conversation, before, limit)

    async def open(self, file: File) -> bytes:
        """Open by the account of the file."""
        return await (await self._of(file.account_id)).open(file)

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Ask the account."""
        return await (await self._of(account_id)).person(account_id, user_id)

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Ask the account."""
        return await (await self._of(account_id)).name_of(account_id, mention)

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look at all accounts, one after the other."""
        return [check for adapter in self.adapters for check in await adapter.check(wants)]

    async def _of(self, account_id: str) -> AccountAdapter:
        failure: BotError | None = None
        for adapter in self.adapters:
            try:
                if await adapter.serves(account_id):
                    return adapter
            except BotError as error:
                failure = error  # it may be this one's account, which cannot be told now
        if failure is not None:
            raise failure
        raise Rejected(f"No {self.channel} account of the settings is {account_id}.", reason="account_gone", gone=True)


class SharedAddresses:
    """Addresses that several adapters serve: a request goes to the one that takes it for its own, by its secret.

    Who came last is asked first. A 503 (not ready) of one that would take it lets the others be asked: its forerunner
    with the old secrets may take it yet.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._handlers: dict[tuple[str, str], dict[int, HttpHandler]] = {}
        self._taken: dict[int, asyncio.Event] = {}

    def serve(self, owner: object, method: str, path: str, handler: HttpHandler) -> None:
        """Add an adapter's handler, in place of an earlier one of the same adapter."""
        handlers = self._handlers.setdefault((method, path), {})
        is_new = not handlers
        handlers[id(owner)] = handler
        if method == "POST":  # by which a platform delivers; pages that people open prove no secret
            self._taken.setdefault(id(owner), asyncio.Event())
        if is_new:
            self._host.serve(method, path, self._handler(handlers))

    async def proven(self, owner: object) -> None:
        """Return when the adapter has taken a delivery for its own; at once for one that none can come to."""
        if (taken := self._taken.get(id(owner))) is not None:
            await taken.wait()

    def drop(self, owner: object) -> None:
        """Ask this adapter no more."""
        self._taken.pop(id(owner), None)
        for handlers in self._handlers.values():
            handlers.pop(id(owner), None)

    def _handler(self, handlers: Mapping[int, HttpHandler]) -> HttpHandler:
        async def handle(request: web.Request) -> web.StreamResponse:
            refusals: list[tuple[str, str, str]] = []
            token = _REFUSALS.set(refusals)
            not_ready: web.StreamResponse | None = None
            refused: web.StreamResponse = web.Response(status=NOT_READY)
            try:
                for owner, handler in reversed(list(handlers.items())):
                    response = await handler(request)
                    if response.status == NOT_READY:
                        not_ready = response
                    elif response.status in NOT_MINE:
                        refused = response
                    else:
                        if response.status < 300 and request.method == "POST" and owner in self._taken:
                            self._taken[owner].set()
                        return response
            finally:
                _REFUSALS.reset(token)
            if not_ready is not None:
                return not_ready
            for channel, reason, hint in refusals[:1]:  # one request is one refusal
                self._host.note_refused(channel, reason, hint)
            return refused

        return handle


class AccountHost:
    """The host as one of several accounts sees it: addresses are shared; implements `bot.adapter.Host`."""

    def __init__(self, host: Host, shared: SharedAddresses, owner: object) -> None:
        self._host = host
        self._shared = shared
        self._owner = owner

    @property
    def vault(self) -> Vault:
        """The one vault."""
        return self._host.vault

    def listed(self, channel: str, account_id: str) -> Listed:
        """Name the listed ids."""
        return self._host.listed(channel, account_id)

    async def handle(self, event: Event) -> Handled:
        """Take in one event."""
        return await self._host.handle(event)

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised."""
        await self._host.set_aside(channel, account_id, raw, reason)

    def note_refused(self, channel: str, reason: str, hint: str = "") -> None:
        """Count a refused delivery, unless another account may yet take it."""
        refusals = _REFUSALS.get()
        if refusals is None:
            self._host.note_refused(channel, reason, hint)
        else:
            refusals.append((channel, reason, hint))

    def serve(self, method: str, path: str, handler: HttpHandler) -> None:
        """Add a handler beside those of the other accounts."""
        self._shared.serve(self._owner, method, path, handler)

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Hold a right alone, or one of a few equal ones."""
        return self._host.lease(name, places)

    async def pace(self, key: str, seconds: float) -> None:
        """Wait for the next free place."""
        await self._host.pace(key, seconds)

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Return the trace of a turn."""
        return await self._host.trace(ref)
