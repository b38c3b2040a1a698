"""What the core lends to an adapter while it runs; see `bot.adapter.Host`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from bot.adapter import Handled, HttpHandler, JsonValue, Listed
from bot.context import Cluster, Context
from bot.events import Event, MessageRef
from bot.intake.router import Router
from bot.shared import BoundedDict
from bot.store import trace
from bot.web.server import Server

MOST_ACCOUNTS = 10_000
"""Accounts of which is kept whom the access policy lists."""


class CoreHost:
    """The one Host of this process."""

    def __init__(self, ctx: Context, router: Router, web: Server, cluster: Cluster) -> None:
        self.vault = ctx.vault
        self._ctx = ctx
        self._router = router
        self._web = web
        self._cluster = cluster
        self._listed: BoundedDict[tuple[str, str], Listed] = BoundedDict(MOST_ACCOUNTS)

    def listed(self, channel: str, account_id: str) -> Listed:
        """Name the ids of an account that the access policy lists."""
        if (known := self._listed.get((channel, account_id))) is None:
            beginning, access = f"{channel}:{account_id}:", self._ctx.config.access
            ids = [
                frozenset(one.removeprefix(beginning) for one in entries if one.startswith(beginning))
                for entries in (access.allow, access.deny)
            ]
            account = f"{channel}:{account_id}"
            named = bool(ids[0]) or account in access.allow or self._ctx.routes.names_account(channel, account_id)
            known = self._listed[channel, account_id] = Listed(allow=ids[0], deny=ids[1], named=named)
        return known

    async def handle(self, event: Event) -> Handled:
        """Take in one event."""
        accepted = await self._router.handle(event)
        return Handled(outcome=accepted.outcome, ask_why=accepted.ask_why, language=accepted.language)

    async def set_aside(self, channel: str, account_id: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised."""
        await self._router.set_aside(channel, account_id, raw, reason)

    def note_refused(self, channel: str, reason: str, hint: str = "") -> None:
        """Count a delivery that was refused before any work."""
        self._ctx.refused.note(channel, reason, hint)

    def serve(self, method: str, path: str, handler: HttpHandler) -> None:
        """Add a handler to the one HTTP server."""
        self._web.add(method, path, handler)

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Hold a right alone, or one of a few equal ones."""
        return self._cluster.lease(name, places)

    async def pace(self, key: str, seconds: float) -> None:
        """Wait for the next free place in the key's row: one every `seconds`, in call order."""
        await self._cluster.pace(key, seconds)

    async def trace(self, ref: MessageRef) -> Mapping[str, JsonValue] | None:
        """Return the trace of the turn that a message belongs to."""
        return await self._ctx.db.read(lambda tx: trace.by_message(tx, ref))
