"""A simulated M2M API: it knows what it was asked, how often, and what it said to whom."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from bot.api.errors import retry_after
from bot.api.gate import Gate
from bot.api.models import ChatStatus, FeedbackReceipt, Submitted
from bot.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Rating
from tests.simulation.lasting import Site
from tests.simulation.weather import Fate

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

NEVER = 1e9
"""Seconds after which an answer comes that never comes."""

REFUSALS = ("refused", "limited", "barred")
End = Literal["accepted", "refused", "rejected", "unknown", "died"]


@dataclass(slots=True, eq=False)
class Request:
    """One accepted question. `seen`: when it was first polled; `told`: when a poll told its end."""

    id: str
    session: str
    text: str
    at: float
    ready_at: float
    state: Literal["completed", "failed"]
    answer: str | None
    hidden_until: float
    seen: float | None = None
    told: float | None = None
    lost: bool = False


@dataclass(slots=True, eq=False)
class Submit:
    """One call of the async chat, as a proxy before the API would log it. `end` is what the caller learned."""

    at: float
    session: str
    text: str
    process: int
    request: Request | None = None
    end: End = "died"
    ended_at: float | None = None


@dataclass(slots=True, eq=False)
class Rated:
    """One call of feedback."""

    at: float
    request_id: str
    rating: Rating
    process: int
    acted: bool = False
    end: End = "died"
    ended_at: float | None = None


def _asker(text: str) -> str:
    """Say which question it is, `q2`, or which paste, `p0`, whatever its words are now and goes along with them."""
    found = re.search(r"<(p\d+)\.|(q\d+)v", text)
    assert found is not None, text
    return found[1] or found[2]


@dataclass(eq=False)
class SimApi:
    """The service. `never` is the chance that a request never ends; answers take up to `longest` seconds."""

    world: World
    longest: float
    never: float
    bad: float
    submits: list[Submit] = field(default_factory=list)
    requests: dict[str, Request] = field(default_factory=dict)
    rated: list[Rated] = field(default_factory=list)
    first_ratings: dict[str, Rating] = field(default_factory=dict)
    closes: list[tuple[float, str]] = field(default_factory=list)

    def accept(self, submit: Submit) -> Request:
        """Take a question in."""
        luck, now, text = self.world.luck, self.world.now, submit.text
        asker = _asker(text)
        asked = sum(_asker(one.text) == asker for one in self.requests.values())
        number = f"r{asker.lstrip('q')}{asked + 1:02}"
        dice = luck.dice(f"answer to {text}")
        state: Literal["completed", "failed"] = "completed"
        parts = dice.choice((1, 1, 1, 2, 3))
        answer: str | None = "\n".join(f"{submit.text} ~{i}/{parts} #{number}" for i in range(1, parts + 1))
        if luck.happens(f"{text} is answered badly", self.bad):
            bad: tuple[tuple[Literal["completed", "failed"], str | None], ...] = (
                ("failed", None),
                ("completed", ""),
                ("completed", None),
            )
            state, answer = dice.choice(bad)
        seconds = dice.choice((dice.uniform(0.0, 1.0), dice.uniform(0.2, 8.0), dice.uniform(2.0, self.longest)))
        if luck.happens(f"{text} is never answered", self.never) or self.world.lasting.is_endless(text):
            seconds = NEVER
        hidden = now + (dice.uniform(0.0, 3.0) if luck.happens(f"{text} is not found at first", 0.1) else 0.0)
        made = Request(number, submit.session, submit.text, now, now + seconds, state, answer, hidden)
        self.requests[number] = made
        submit.request = made
        when = "never" if seconds == NEVER else f"after {seconds:.1f} s"
        self.world.note("api accepts", text, number, when, "" if answer else "without an answer")
        return made


class Client:
    """`bot.context.Api` for one process and one site with its key, behind the real gate."""

    def __init__(self, process: Process, api: SimApi, gate: Gate, site: Site) -> None:
        self._site = site
        self._process = process
        self._world = process.world
        self._api = api
        self._gate = gate

    @property
    def trouble(self) -> str:
        return self._gate.trouble

    async def submit(
        self,
        session_id: str,
        message: str,
        *,
        language: str | None = None,
        email: str | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Submitted:
        async with self._gate.attempt():
            if before is not None:
                await before()
            return await self._submit(session_id, message)

    async def _submit(self, session_id: str, message: str) -> Submitted:
        world, api = self._world, self._api
        await self._process.point("api: before a submit")
        one = Submit(world.now, session_id, message, self._process.number)
        fate = self._fate(f"submit of {message}")
        api.submits.append(one)
        if fate in REFUSALS:
            self._end(one, "refused")
            self._refuse(fate, "submit")
        if fate == "odd":
            await self._wait()
            if world.luck.dice(f"garbage for {message}").unit() < 0.5:
                api.accept(one).lost = True
            self._end(one, "rejected")
            world.shaken()
            raise Rejected("Garbage.", status=200, reason="garbage")
        if fate == "cut_late":
            world.later(world.luck.dice(f"{message} taken after").uniform(0.0, 4.0), lambda: api.accept(one))
        elif fate != "cut_before":
            seconds = world.weather.latency(world.weather.api, "api")
            made = await world.on_wire(self._process, seconds, lambda: api.accept(one))
            await self._process.point("api: after a submit")
            if fate == "fine":
                await self._wait()
                self._end(one, "accepted")
                if made.ready_at <= world.now and made.state == "completed" and self._at_once(made):
                    made.told = world.now
                    return Submitted(request_id=made.id, status="completed", answer=made.answer)
                return Submitted(request_id=made.id, status="pending")
        await self._wait()
        self._end(one, "unknown")
        world.note("submit cut", message, fate)
        raise OutcomeUnknown("Cut.", reason="connection")

    async def status(self, request_id: str) -> ChatStatus:
        async with self._gate.attempt():
            return await self._status(request_id)

    async def _status(self, request_id: str) -> ChatStatus:
        world, made = self._world, self._api.requests[request_id]
        await self._process.point("api: a poll")
        if made.seen is None:
            made.seen = world.now
        fate = self._fate(f"poll of {made.text}")
        await self._wait()
        if fate in REFUSALS:
            self._refuse(fate, "poll")
        if fate != "fine":
            raise Unavailable("Cut or garbage.", reason="garbage")
        if world.now < made.hidden_until:
            raise Misconfigured("Not found.", status=404, reason="not_found")
        if world.now < made.ready_at:
            return ChatStatus(state="working", word="running")
        if made.told is None:
            made.told = world.now
            world.note("api tells the end", made.id, made.state)
        return ChatStatus(state=made.state, answer=made.answer, word=made.state)

    async def close_session(self, session_id: str) -> None:
        async with self._gate.attempt():
            await self._process.point("api: before a close")
            fate = self._fate("close")
            await self._wait()
            if fate in REFUSALS:
                self._refuse(fate, "close")
            if fate != "cut_before":
                self._api.closes.append((self._world.now, session_id))
                self._world.note("session closed", session_id)
                await self._process.point("api: after a close")
            if fate not in ("fine", "odd"):
                raise OutcomeUnknown("Cut.", reason="connection")

    async def feedback(self, session_id: str, request_id: str, rating: Rating) -> FeedbackReceipt:
        async with self._gate.attempt():
            return await self._feedback(request_id, rating)

    async def _feedback(self, request_id: str, rating: Rating) -> FeedbackReceipt:
        world, api = self._world, self._api
        await self._process.point("api: before a rating")
        one = Rated(world.now, request_id, rating, self._process.number)
        fate = self._fate("feedback")
        await self._wait()
        if fate in REFUSALS:
            one.end, one.ended_at = "refused", world.now
            api.rated.append(one)
            self._refuse(fate, "feedback")
        api.rated.append(one)
        first = request_id not in api.first_ratings
        if fate != "cut_before":
            one.acted = True
            api.first_ratings.setdefault(request_id, rating)
            world.note("api is told", rating, request_id)
            await self._process.point("api: after a rating")
            await self._wait()
        if fate not in ("fine", "odd"):
            one.end, one.ended_at = "unknown", world.now
            raise OutcomeUnknown("Cut.", reason="connection")
        one.end, one.ended_at = "accepted", world.now
        return FeedbackReceipt(submitted_at="2026-01-01T00:00:00Z" if first else None, feedback=rating)

    async def _wait(self) -> None:
        await asyncio.sleep(self._world.weather.latency(self._world.weather.api, "api"))
        self._process.must_live()

    def _end(self, one: Submit, end: End) -> None:
        self._process.must_live()
        one.end, one.ended_at = end, self._world.now

    def _refuse(self, fate: Fate, what: str) -> None:
        world = self._world
        world.note("api refuses", what, fate)
        if fate == "barred":
            raise Misconfigured("The key is not valid.", status=401, reason="unauthorized")
        if fate == "limited":
            raise Unavailable("Too fast.", status=429, reason="rate_limited", retry_after=self._wait_told())
        status = world.luck.dice("api refuses with").choice((500, 502, 503, None))
        raise Unavailable("Down.", status=status, reason="server_error")

    def _wait_told(self) -> float | None:
        """Read a Retry-After as the bot does: seconds, or a date by the API's own clock."""
        world = self._world
        dice = world.luck.dice("api says wait")
        wait = dice.choice((None, 0.0, 1.0, 5.0))
        if wait is None:
            return None
        sent = world.clocks.api(world.now)
        dated = {"retry-after": format_datetime(sent + timedelta(seconds=wait)), "date": format_datetime(sent)}
        headers = {"retry-after": str(wait)} if dice.unit() < 0.5 else dated
        return retry_after(headers, lambda: datetime.fromtimestamp(world.wall(), UTC))

    def _fate(self, what: str) -> Fate:
        world = self._world
        return world.lasting.of_site(self._site, world.now) or world.weather.fate(world.weather.api, what, world.now)

    def _at_once(self, made: Request) -> bool:
        return self._world.luck.dice(f"{made.text} answered at once").unit() < 0.3
