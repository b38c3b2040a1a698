"""What every part of the core works with: settings, store, channels, API, clock, chance. Made once, in `app`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

import structlog
from pydantic import SecretStr

from bot import shared
from bot.adapter import Adapter, Capability, ChannelSpec, Check
from bot.api.models import ChatStatus, FeedbackReceipt, Submitted
from bot.config import Config, Route, Routes, api_key_for, site_of
from bot.config.routes import NO_ROUTE, figures_of
from bot.errors import BotError, Unavailable
from bot.events import Conversation, Person, Rating
from bot.sessions import Address
from bot.shared import BackgroundTasks, BoundedDict
from bot.store.database import Database, Tx
from bot.store.sealed import SealedVault
from bot.store.turns import Turn
from bot.telemetry.metrics import Metrics
from bot.telemetry.refusals import RefusedDeliveries
from bot.telemetry.traces import Trace, Traced, Traces
from bot.texts import best, primary

KEEP_PEOPLE: Final = 10_000
KEEP_SECONDS: Final = 3600.0
ASK_AGAIN: Final = 60.0
"""Seconds until somebody is asked for again whom the channel could not tell."""
PERSON_SECONDS: Final = 5.0
"""How long looking somebody up may take."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Api(Protocol):
    """What the core asks of the M2M API; `bot.api.client.ApiClient` is the real one."""

    @property
    def trouble(self) -> str:
        """Why calls have to wait now, in a sentence, "" when they need not."""
        ...

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


class Cluster(Protocol):
    """What the processes of one database share; `bot.engine.cluster` has it for one process and for several."""

    def lease(self, name: str, places: int = 1) -> AbstractAsyncContextManager[None]:
        """Wait for, then hold, one of so many equal rights. Inside, `Unavailable` says that it was lost."""
        ...

    async def pace(self, key: str, seconds: float) -> None:
        """Wait until `seconds` have passed since the last return for this key, in call order."""
        ...


class People:
    """Who people are, as their channel tells: asked for where it matters, kept in memory for an hour."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: BoundedDict[tuple[str, str, str], tuple[float, Person | None]] = BoundedDict(KEEP_PEOPLE)
        self._asked: dict[tuple[str, str, str], asyncio.Task[Person | None]] = {}
        self._tasks = BackgroundTasks()

    async def email(self, adapter: Adapter, account: str, user: str) -> str | None:
        """Return somebody's e-mail address, None where it cannot be had in time."""
        person = await self._person(adapter, account, user)
        return person.email if person else None

    def expect(self, turn: Turn) -> None:
        """Begin to ask for what `locale` will be asked for soon."""
        if self._is_asked_for(turn):
            self._ask(self._ctx.adapters[turn.address.channel], turn.conversation.account_id, turn.asker or "")

    async def locale(self, turn: Turn) -> str | None:
        """Return the language tag of who asked, None where nobody speaks theirs, or it cannot be had in time."""
        if not self._is_asked_for(turn):
            return turn.locale
        return await self.locale_of(turn.address.channel, turn.conversation.account_id, turn.asker or "")

    async def locale_of(self, channel: str, account: str, user: str) -> str | None:
        """Return somebody's language tag, None where the channel does not tell, or not in time."""
        spec, adapter = self._ctx.channels.get(channel), self._ctx.adapters.get(channel)
        if spec is None or not spec.person_has_locale or adapter is None:
            return None
        person = await self._person(adapter, account, user)
        return person.locale if person else None

    def known_locale(self, channel: str, account: str, user: str) -> str | None:
        """Return the language tag of somebody who was asked for lately, None otherwise."""
        _, person = self._known.get((channel, account, user), (0.0, None))
        return person.locale if person else None

    def _is_asked_for(self, turn: Turn) -> bool:
        spec = self._ctx.channels.get(turn.address.channel)
        if turn.locale or not turn.asker or spec is None or not spec.person_has_locale:
            return False
        wanted = turn.conversation.is_direct or self._ctx.config.languages.answers == "person"
        return wanted and turn.address.channel in self._ctx.adapters

    async def _person(self, adapter: Adapter, account: str, user: str) -> Person | None:
        expires, person = self._known.get((adapter.channel, account, user), (0.0, None))
        if expires >= self._ctx.clock():
            return person
        done, _ = await asyncio.wait([self._ask(adapter, account, user)], timeout=PERSON_SECONDS)
        return next((task.result() for task in done if not task.cancelled()), None)

    def _ask(self, adapter: Adapter, account: str, user: str) -> asyncio.Task[Person | None]:
        """Ask for somebody; who asks for the same person meanwhile waits for the same answer."""
        key = (adapter.channel, account, user)
        if (task := self._asked.get(key)) is None:
            task = self._asked[key] = self._tasks.spawn(self._look_up(adapter, account, user))
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return task

    async def _look_up(self, adapter: Adapter, account: str, user: str) -> Person | None:
        key = (adapter.channel, account, user)
        expires, person = self._known.get(key, (0.0, None))
        if expires >= self._ctx.clock():
            return person
        try:
            person = await adapter.person(account, user)
        except BotError as error:
            log.info("context.failed", what="person", reason=error.reason)
            self._known[key] = (self._ctx.clock() + ASK_AGAIN, None)
            return None
        self._known[key] = (self._ctx.clock() + KEEP_SECONDS, person)
        return person

    async def drain(self) -> None:
        """Ask for nobody more."""
        self._tasks.cancel()
        await self._tasks.drain()


class Problems:
    """What is wrong right now, one sentence for each check (`api`, `database`, a channel's name)."""

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
    `api_for` takes a route's name, "" for the site of the settings; `api_of_site` a site that no route leads to any
    more. `channels` has the spec of every channel that is turned on, and may have others. `traces`: where they go, None
    for nowhere. `warned`: what the last check of a channel warned of.
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
    api_of_site: Callable[[str], Api] | None = None
    traces: Traces | None = None
    problems: Problems = field(default_factory=Problems)
    warned: dict[str, list[Check]] = field(default_factory=dict)
    routes: Routes = field(init=False)
    refused: RefusedDeliveries = field(init=False)
    people: People = field(init=False)
    vault: SealedVault = field(init=False)

    def __post_init__(self) -> None:
        self.people = People(self)
        self.vault = SealedVault(self.db, lambda: self.config.encryption_keys)
        self.routes = Routes(self.config.routes)
        self.refused = RefusedDeliveries(self.metrics, self.clock)

    def reference(self) -> str:
        """Make a reference: 8 base32 characters that name a turn to people."""
        return shared.reference(self.random)

    def route_of(self, address: Address) -> tuple[str, Route]:
        """Return the route that the questions of a place go by, with its name, "" for none."""
        return self.routes.of(address.channel, address.account, address.conversation)

    def api_of(self, turn: Turn) -> Api:
        """Return the API of a turn: where it began, even if its route leads elsewhere now."""
        route = self.routes.named(turn.route) if turn.route else NO_ROUTE
        moved = turn.site and self.api_of_site and (route is None or site_of(self.config, route) != turn.site)
        return self.api_of_site(turn.site) if moved and self.api_of_site else self.api_for(turn.route)

    def trace_of(self, turn: Turn) -> Trace | None:
        """Return the trace of a question, None for other turns and where nobody wants any."""
        if self.traces is None or turn.kind != "question":
            return None
        return self.traces.of(
            Traced(
                reference=turn.reference,
                generation=turn.generation,
                channel=turn.address.channel,
                session_id=turn.lane,
                accepted_at=turn.accepted_at,
            )
        )

    def language(self, place: Conversation | None, route: Route, locale: str | None) -> str:
        """Return the language that is spoken in a place: in a direct one the person's own, else the route's."""
        own = place is not None and place.is_direct
        return best(locale if own else None, route.language, self.config.languages.default)

    async def language_of(self, turn: Turn) -> str:
        """Return the language in which the person of a turn is spoken to; asks the channel for theirs where it must."""
        _, route = self.route_of(turn.address)
        return self.language(turn.conversation, route, await self.people.locale(turn))

    async def answer_language_of(self, turn: Turn) -> str | None:
        """Return the language that the API is asked to answer in, None for its own choice."""
        match self.config.languages.answers:
            case "none":
                return None
            case "route":
                return turn.language
            case "person":
                locale = await self.people.locale(turn)
                return primary(locale) if locale else turn.language

    def figures_of(self, turn: Turn) -> str:
        """Name under what the figures of a turn's route are counted (`bot.config.routes.figures_of`)."""
        return figures_of(self.routes.named(turn.route))

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
