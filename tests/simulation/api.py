"""A simulated M2M API: it knows what it was asked, how often, and what it said to whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bot.api.gate import Gate
from bot.api.models import ChatStatus, FeedbackReceipt, Submitted
from bot.errors import Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import Rating

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

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
        rng, now = self.world.rng, self.world.now
        number = f"r{len(self.requests) + 1}"
        state: Literal["completed", "failed"] = "completed"
        parts = rng.choice((1, 1, 1, 2, 3))
        answer: str | None = "\n".join(f"{submit.text} ~{i}/{parts} #{number}" for i in range(1, parts + 1))
        if rng.random() < self.bad:
            state, answer = rng.choice((("failed", None), ("completed", ""), ("completed", None)))
        seconds = rng.choice((rng.uniform(0.0, 1.0), rng.uniform(0.2, 8.0), rng.uniform(2.0, self.longest)))
        if rng.random() < self.never:
            seconds = 1e9
        hidden = now + (rng.uniform(0.0, 3.0) if rng.random() < 0.1 else 0.0)
        made = Request(number, submit.session, submit.text, now, now + seconds, state, answer, hidden)
        self.requests[number] = made
        submit.request = made
        self.world.note("api accepts", submit.text, number, round(seconds, 2), state)
        return made


class Client:
    """`bot.context.Api` for one process, behind the real gate."""

    def __init__(self, process: Process, api: SimApi, gate: Gate) -> None:
        self._process = process
        self._world = process.world
        self._api = api
        self._gate = gate

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
        fate = world.weather.fate(world.weather.api, world.now)
        api.submits.append(one)
        if fate in ("refused", "limited"):
            self._end(one, "refused")
            self._refuse(fate, "submit")
        if fate == "odd":
            await self._wait()
            if world.rng.random() < 0.5:
                api.accept(one).lost = True
            self._end(one, "rejected")
            world.shaken()
            raise Rejected("Garbage.", status=200, reason="garbage")
        if fate == "cut_late":
            world.later(world.rng.uniform(0.0, 4.0), lambda: api.accept(one))
        elif fate != "cut_before":
            await self._wait()
            made = api.accept(one)
            await self._process.point("api: after a submit")
            if fate == "fine":
                await self._wait()
                self._end(one, "accepted")
                if made.ready_at <= world.now and made.state == "completed" and world.rng.random() < 0.3:
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
        fate = world.weather.fate(world.weather.api, world.now)
        await self._wait()
        if fate in ("refused", "limited"):
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
            fate = self._world.weather.fate(self._world.weather.api, self._world.now)
            await self._wait()
            if fate in ("refused", "limited"):
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
        fate = world.weather.fate(world.weather.api, world.now)
        await self._wait()
        if fate in ("refused", "limited"):
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
        await asyncio.sleep(self._world.weather.latency(self._world.weather.api))
        self._process.must_live()

    def _end(self, one: Submit, end: End) -> None:
        self._process.must_live()
        one.end, one.ended_at = end, self._world.now

    def _refuse(self, fate: str, what: str) -> None:
        world = self._world
        world.note("api refuses", what, fate)
        if fate == "limited":
            wait = world.rng.choice((None, 0.0, 1.0, 5.0))
            raise Unavailable("Too fast.", status=429, reason="rate_limited", retry_after=wait)
        raise Unavailable("Down.", status=world.rng.choice((500, 502, 503, None)), reason="server_error")
