"""What the core lends to an adapter while it runs; see `bot.adapter.Host`."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from bot.adapter import Handled, HttpHandler, JsonValue
from bot.context import Context
from bot.errors import Misconfigured
from bot.events import Event, MessageRef
from bot.intake.router import Router
from bot.store import trace, vault
from bot.telemetry.logging import add_secrets
from bot.web.server import Server

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def _cipher_key(key: str) -> bytes:
    """Make a cipher's key; any long random text is one."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())


class EncryptedVault:
    """Small secrets in the database, encrypted with BOT_ENCRYPTION_KEY: the first key encrypts, all decrypt."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._fernet: MultiFernet | None = None

    def _keys(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # here, for most bots store no token

        if self._fernet is None:
            keys = self._ctx.config.encryption_keys
            if not keys:
                raise Misconfigured(
                    "A token must be stored, but BOT_ENCRYPTION_KEY is not set: set it to a long random text."
                )
            self._fernet = MultiFernet([Fernet(_cipher_key(key.get_secret_value())) for key in keys])
        return self._fernet

    async def get(self, name: str) -> str | None:
        """Return the value put last under the name, None without one."""
        stored = await self._ctx.db.read(lambda tx: vault.get(tx, name))
        if stored is None:
            return None
        from cryptography.fernet import InvalidToken

        try:
            value = self._keys().decrypt(stored.encode()).decode()
        except InvalidToken:
            raise Misconfigured(
                "BOT_ENCRYPTION_KEY does not open what is stored: put the old key behind the new one."
            ) from None
        add_secrets(value)  # so that no log shows it
        return value

    async def put(self, name: str, value: str | None) -> None:
        """Store the value; None deletes it."""
        sealed = None if value is None else self._keys().encrypt(value.encode()).decode()
        await self._ctx.db.write(lambda tx: vault.put(tx, name, sealed))


MOST_KEYS = 10_000
"""Keys of `pace` above which those are forgotten whose rows are empty."""


class CoreHost:
    """The one Host of this process."""

    def __init__(self, ctx: Context, router: Router, web: Server) -> None:
        self.vault = EncryptedVault(ctx)
        self._ctx = ctx
        self._router = router
        self._web = web
        self._leases: dict[str, asyncio.Lock] = {}
        self._next: dict[str, float] = {}

    async def handle(self, event: Event) -> Handled:
        """Take in one event."""
        accepted = await self._router.handle(event)
        return Handled(outcome=accepted.outcome, ask_why=accepted.ask_why)

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised."""
        await self._router.set_aside(channel, account_id, raw, reason)

    def note_refused(self, channel: str, reason: str, hint: str = "") -> None:
        """Count a delivery that was refused before any work."""
        self._ctx.refused.note(channel, reason, hint)

    def serve(self, method: str, path: str, handler: HttpHandler) -> None:
        """Add a handler to the one HTTP server."""
        self._web.add(method, path, handler)

    def lease(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a right alone. The embedded engine is alone with its database, so one process is all processes."""
        return self._lease(name)

    @asynccontextmanager
    async def _lease(self, name: str) -> AsyncIterator[None]:
        async with self._leases.setdefault(name, asyncio.Lock()):
            yield

    async def pace(self, key: str, seconds: float) -> None:
        """Wait for the next free place in the key's row: one every `seconds`, in call order."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = max(now, self._next.get(key, 0.0))
        self._next[key] = at + seconds
        if len(self._next) > MOST_KEYS:
            self._next = {known: until for known, until in self._next.items() if until > now}
        if at > now:
            await asyncio.sleep(at - now)

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Return the trace of the turn that a message belongs to."""
        return await self._ctx.db.read(lambda tx: trace.by_message(tx, ref))
