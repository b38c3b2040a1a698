"""What every part of the core works with: settings, store, channels, API, clock, chance. Made once, in `app`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog
from pydantic import SecretStr

from bot import shared
from bot.adapter import Adapter, Capability, ChannelSpec
from bot.api.models import ChatStatus, FeedbackReceipt, Submitted
from bot.config import Config, Route, api_key_for, route_for
from bot.errors import Unavailable
from bot.events import Rating
from bot.sessions import Address
from bot.store.database import Database, Tx
from bot.telemetry.metrics import Metrics
from bot.telemetry.refusals import RefusedDeliveries

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Api(Protocol):
    """What the core asks of the M2M API; `bot.api.client.ApiClient` is the real one."""

    async def submit(
        self,
        session_id: str,
        message: str,
        *,
        language: str | None = None,
        email: str | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Submitted:
        """Submit a question; `email` is the asker's, for a route that wants it.

        `before` is awaited when the gate has let the call through, right before the HTTP call.
        """
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


class Problems:
    """What is wrong right now, one sentence for each check (`api`, a channel's name); /readyz shows it."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}

    def report(self, check: str, sentence: str) -> bool:
        """Note what is wrong; whether nothing was known to be wrong there before."""
        new = check not in self._sentences
        self._sentences[check] = sentence
        return new

    def clear(self, check: str) -> None:
        """Note that it works again."""
        self._sentences.pop(check, None)

    def of(self, check: str) -> str:
        """Return what is wrong there, "" for nothing."""
        return self._sentences.get(check, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._sentences)


@dataclass(slots=True, kw_only=True)
class Context:
    """The core's surroundings, injected, so that everything can be simulated.

    `clock` is wall time in seconds since the epoch, read once and run on (`shared.steady_clock`): for what is stored.
    Waiting is by the event loop's time.
    `api_for` takes a route's name, "" for the site of the settings. `channels` has the spec of every channel that is
    turned on, and may have others.
    """

    config: Config
    db: Database
    adapters: Mapping[str, Adapter]
    channels: Mapping[str, ChannelSpec]
    api_for: Callable[[str], Api]
    metrics: Metrics
    clock: Callable[[], float]
    random: random.Random
    secret: str
    problems: Problems = field(default_factory=Problems)
    refused: RefusedDeliveries = field(init=False)

    def __post_init__(self) -> None:
        self.refused = RefusedDeliveries(self.metrics, self.clock)

    def reference(self) -> str:
        """Make a reference: 8 base32 characters that name a turn to people."""
        return shared.reference(self.random)

    def route_of(self, address: Address) -> tuple[str, Route]:
        """Return the route that the questions of a place go by, with its name, "" for none."""
        return route_for(self.config.routes, address.channel, address.account, address.conversation)

    def api_key_of(self, route: str) -> SecretStr | None:
        """Return the API key of a route, by its name."""
        return api_key_for(self.config, route)

    def lacks(self, channel: str, capability: Capability) -> bool:
        """Whether a channel cannot do something."""
        spec = self.channels.get(channel)
        return spec is not None and capability in spec.lacks

    async def persist(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Write, and try again as long as the database cannot be written."""
        tries = 0
        while True:
            try:
                return await self.db.write(work, urgent=urgent)
            except Unavailable:
                log.warning("store.again", tries=tries)
                await asyncio.sleep(min(5.0, 0.2 * 2**tries))
                tries = min(tries + 1, 8)

    async def recall(self, work: Callable[[Tx], T]) -> T:
        """Read, and try again as long as the database cannot be read."""
        while True:
            try:
                return await self.db.read(work)
            except Unavailable:
                log.warning("store.again", tries=0)
                await asyncio.sleep(1.0)
