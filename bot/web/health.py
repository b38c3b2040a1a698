"""Is the process there (`/healthz`), and may it be given work (`/readyz`)?"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeAlias

from bot.telemetry.logging import get_logger

Word: TypeAlias = Literal["ok", "degraded", "unavailable"]
HealthCheck: TypeAlias = Callable[[], Word | Awaitable[Word]]
State: TypeAlias = Literal["starting", "running", "draining"]

PATIENCE = 2.0
"""Seconds a check may take; one that takes longer is `unavailable`."""

log = get_logger(__name__)


class Health:
    """Asks the checks. `state` is the app's to set: `starting` at first, `running`, then `draining`.

    Checks are named `database`, `api` and like the channels. Only the database decides about readiness: when the
    API or a channel fails, accepting must go on, so that shows as `degraded`.
    """

    def __init__(self, checks: Mapping[str, HealthCheck] | None = None) -> None:
        self.checks: dict[str, HealthCheck] = dict(checks or {})
        self.state: State = "starting"

    async def words(self) -> dict[str, Word]:
        """Ask every check, at the same time."""
        found = await asyncio.gather(*(self._ask(name, check) for name, check in self.checks.items()))
        return dict(zip(self.checks, found, strict=True))

    def verdict(self, words: Mapping[str, Word]) -> Word:
        """One word for all: `unavailable` exactly when `/readyz` is 503."""
        if self.state != "running" or words.get("database") == "unavailable":
            return "unavailable"
        return "ok" if all(word == "ok" for word in words.values()) else "degraded"

    async def _ask(self, name: str, check: HealthCheck) -> Word:
        try:
            answer = check()
            if not inspect.isawaitable(answer):
                return answer
            async with asyncio.timeout(PATIENCE):
                return await answer
        except Exception as error:
            log.warning("health check failed", check=name, error=type(error).__name__)
            return "unavailable"
