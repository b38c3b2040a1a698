"""Reads how much of the plan is used, at the start and every five minutes, and warns before nobody gets answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from typing import Protocol

import structlog

from bot.api.assumptions import MUCH, used_ratios
from bot.context import Context
from bot.errors import BotError, Misconfigured, Unavailable
from bot.store import operator

EVERY = 300.0
"""Seconds between two readings."""
PATIENCE = 60.0
"""Seconds that a reading may take: while a key is shut, its calls wait."""
MOST = 50
"""Limits that are kept: their names become a metric's label."""


class Counted(Protocol):
    """What is known of limits and usage, as the API says it."""

    @property
    def values(self) -> Mapping[str, object]:
        """By name, nested as it came."""
        ...


class TenantLimits(Protocol):
    """What asks one tenant; `bot.api.client.ApiClient` is one."""

    async def limits(self) -> Counted:
        """Read the plan's limits."""
        ...

    async def usage(self) -> Counted:
        """Read what has been used of them."""
        ...


log = structlog.get_logger(__name__)


class LimitsReader:
    """Reads the limits of all tenants in use, the fullest of each name; keeps them for every process.

    `tenants`: each with the names under which its figures are counted.
    """

    def __init__(self, ctx: Context, tenants: Sequence[tuple[Set[str], TenantLimits]]) -> None:
        self._ctx = ctx
        self._tenants = tenants
        self._warned: set[str] = set()
        self._refusal = ""

    async def run(self) -> None:
        """Read until cancelled; for one process at a time."""
        while True:
            try:
                await self.read()
            except Unavailable as error:
                log.warning("limits.not_kept", reason=str(error))  # the database; who watches that tells of it
            except Exception:
                log.exception("limits.failed")
            await asyncio.sleep(EVERY)

    def _is_refused(self, sentence: str) -> None:
        """Let the operator know of a key that is not taken before anybody asks; what others reported stays."""
        problems = self._ctx.problems
        if self._refusal and problems.of("api") == self._refusal:
            problems.clear("api")
        if sentence:
            problems.report("api", sentence)
        self._refusal = sentence

    async def read(self) -> None:
        """Read once, all tenants beside each other, for one may have to wait. What cannot be read stays as known."""
        known = await self._ctx.db.read(lambda tx: operator.kept(tx, "limits")) or {}
        routes: dict[str, dict[str, float]] = known.get("routes", {})
        found = await asyncio.gather(*(self._read_one(tenant) for _, tenant in self._tenants))
        self._tell(found)
        if all(isinstance(one, BotError | TimeoutError) for one in found):
            return
        fresh: dict[str, dict[str, float]] = {}
        for (names, _), one in zip(self._tenants, found, strict=True):
            for route in names:
                of_route = fresh.setdefault(route, {})
                was = routes.get(route, {}) if isinstance(one, BotError | TimeoutError) else one
                for name, ratio in was.items():
                    of_route[name] = max(ratio, of_route.get(name, 0.0))
        used: dict[str, float] = {}
        for of_route in fresh.values():
            for name, ratio in of_route.items():
                used[name] = max(ratio, used.get(name, 0.0))
        kept = {"at": self._ctx.clock(), "used": used, "routes": fresh}
        await self._ctx.db.write(lambda tx: operator.keep(tx, "limits", kept))
        self._warn(used)

    async def _read_one(self, tenant: TenantLimits) -> dict[str, float] | BotError | TimeoutError:
        try:
            async with asyncio.timeout(PATIENCE):
                limits, usage = await tenant.limits(), await tenant.usage()
        except (BotError, TimeoutError) as error:
            log.info("limits.unread", reason=getattr(error, "reason", "timeout"))
            return error
        return dict(list(used_ratios(limits.values, usage.values).items())[:MOST])

    def _tell(self, found: Sequence[object]) -> None:
        refused = [one for one in found if isinstance(one, Misconfigured) and one.status in (401, 403)]
        if refused:
            self._is_refused(str(refused[0]))
        elif not any(isinstance(one, BotError | TimeoutError) for one in found):
            self._is_refused("")

    def _warn(self, used: Mapping[str, float]) -> None:
        much = {name for name, ratio in used.items() if ratio >= MUCH}
        for name in sorted(much - self._warned):
            log.warning("limits.much_used", limit=name, used=f"{used[name]:.0%}")
        self._warned = much
