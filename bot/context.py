"""What every part of the core works with: settings, store, channels, API, clock, chance. Made once, in `app`."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.adapter import Adapter
from bot.api.models import ChatStatus, FeedbackReceipt, Submitted
from bot.config import Config
from bot.events import Rating
from bot.polling import Pace
from bot.store.database import Database
from bot.telemetry.metrics import Metrics


class Api(Protocol):
    """What the core asks of the M2M API; `bot.api.client.ApiClient` is the real one."""

    async def submit(
        self,
        session_id: str,
        message: str,
        *,
        language: str | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Submitted:
        """Submit a question. `before` is awaited when the gate has let the call through, right before the HTTP call."""
        ...

    async def status(self, request_id: str) -> ChatStatus:
        """Ask once what became of a request."""
        ...

    async def close_session(self, session_id: str) -> None:
        """Close a session; repeatable."""
        ...

    async def feedback(self, session_id: str, request_id: str, rating: Rating) -> FeedbackReceipt:
        """Submit a rating; repeatable."""
        ...


@dataclass(slots=True, kw_only=True)
class Context:
    """The core's surroundings, injected, so that everything can be simulated.

    `clock` is wall time in seconds since the epoch: for what is stored. Waiting is by the event loop's time.
    `api_for` takes a route's name, "" for the site of the settings. `ailing` holds what is wrong right now,
    by check (`api`, a channel's name), for /readyz; one sentence each.
    """

    config: Config
    db: Database
    adapters: Mapping[str, Adapter]
    api_for: Callable[[str], Api]
    metrics: Metrics
    clock: Callable[[], float]
    random: random.Random
    secret: str
    pace: Pace = field(default_factory=Pace)
    ailing: dict[str, str] = field(default_factory=dict)
    wake_feedback: Callable[[], None] = lambda: None

    def reference(self) -> str:
        """Make a reference: 8 base32 characters that name a turn to people."""
        return "".join(self.random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(8))
