"""Is everything fit to run? The API's own recommended sequence, the database, the clock, and every channel.

Each finding is a `Check`; nothing here raises for what is wrong, for that is what is being asked.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from bot.adapter import Check
from bot.api.client import ApiClient
from bot.errors import BotError, Misconfigured, Unavailable

SMOKE_QUESTION: Final = "What can you help me with?"
ASYNC_SECONDS: Final = 90.0
POLL_SECONDS: Final = 1.0
NOT_YET_SECONDS: Final = 5.0
"""So long after the submit a request that is not found is still on its way."""

CLOCK_SECONDS: Final = 60.0
KEY_FIX: Final = "Set UPPZY_API_KEY to a key of this tenant; check UPPZY_TENANT_ID, UPPZY_SITE_ID, UPPZY_BASE_URL."
REACH_FIX: Final = "See whether this machine reaches the address in UPPZY_BASE_URL, and whether the API is up."
REFUSED_FIX: Final = "Ask the API's operator why it refuses this, with the time of this check."

Step = Callable[[], Awaitable[Check]]
Look = Callable[[], Awaitable[Sequence[Check]]]
"""Let a channel check itself."""


async def examine(
    api: ApiClient,
    channels: Mapping[str, Look],
    database: Callable[[], Awaitable[object]],
    *,
    questions: bool = True,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> list[Check]:
    """Look at everything. `questions=False` leaves out what the API counts as use: questions and their feedback.

    `database` opens the database and does nothing else. `tell` hears what is being looked at.
    """
    found = [await _database(database)]
    found += await _api(api, questions, tell, clock)
    if not channels:
        fix = "Set the token of at least one channel; `uppzy-bot config check` names them."
        found.append(Check(check="channels", status="warn", detail="No channel is turned on.", fix=fix))
    for name, look in channels.items():
        tell(name)
        found += await look()
    return found


def also_seen(fresh: Sequence[Check], at: float, seen: Sequence[Check]) -> list[Check]:
    """Return the warnings that only the running bot can know, such as rights that groups withhold from it.

    `at` is when it looked, in seconds since the epoch.
    """
    known = {(check.check, check.detail) for check in fresh}
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        replace(check, detail=f"{check.detail} (as the running bot saw it at {when})")
        for check in seen
        if check.status == "warn" and (check.check, check.detail) not in known
    ]


async def _database(open_and_close: Callable[[], Awaitable[object]]) -> Check:
    try:
        await open_and_close()
    except (BotError, OSError) as error:
        detail = str(error) if isinstance(error, BotError) else "The database cannot be opened."
        return Check(
            check="database",
            status="fail",
            detail=detail,
            fix="Check BOT_DATABASE_URL, and that its folder exists, is writable and has room.",
        )
    return Check(check="database", status="ok", detail="It opens, and is up to date.")


@dataclass(slots=True)
class _Visit:
    """The API's sequence: read, ask, rate, close. Keeps what a later step needs of an earlier one."""

    api: ApiClient
    clock: Callable[[], float]
    session_id: str = field(default_factory=lambda: f"doctor-{secrets.token_hex(8)}")
    request_id: str | None = None
    rated_at: str | None = None

    async def way(self) -> Check:
        return _ok("api way", self.api.way)

    async def key(self) -> Check:
        await self.api.limits()
        return _ok("api key", "The API knows the key and the tenant.")

    async def tenant(self) -> Check:
        tenant = await self.api.tenant()
        return _ok("api tenant", tenant.name or self.api.tenant_id)

    async def limits(self) -> Check:
        limits = (await self.api.limits()).numbers()
        if not limits:
            return _ok("api limits", "The API names no limits.")
        named = [f"{name.rpartition('.')[2]} {value:,.15g}" for name, value in list(limits.items())[:6]]
        return _ok("api limits", ", ".join(named))

    async def site(self) -> Check:
        site = await self.api.site()
        return _ok("api site", site.name or self.api.site_id)

    async def documents(self) -> Check:
        documents = await self.api.documents()
        if documents:
            return _ok("api documents", "1 document." if len(documents) == 1 else f"{len(documents)} documents.")
        return Check(
            check="api documents",
            status="warn",
            detail="The site has no documents, so there is little to answer from.",
            fix="Load some: uppzy-bot docs push FOLDER.",
        )

    async def ask(self) -> Check:
        began = self.clock()
        reply = await self.api.chat(self.session_id, SMOKE_QUESTION)
        seconds = f"after {self.clock() - began:.1f} s"
        if not reply.answer:
            return Check(check="api question", status="fail", detail=f"An empty answer {seconds}.", fix=REFUSED_FIX)
        return _ok("api question", f"An answer {seconds}.")

    async def ask_async(self) -> Check:
        began = self.clock()
        submitted = await self.api.submit(self.session_id, SMOKE_QUESTION)
        state, answer = submitted.state, submitted.answer
        loop = asyncio.get_running_loop()
        start = loop.time()
        while state == "working":
            if loop.time() - start > ASYNC_SECONDS:
                detail = f"No answer within {ASYNC_SECONDS:.0f} s."
                return Check(check="api async question", status="warn", detail=detail, fix="Look at the API's load.")
            await asyncio.sleep(POLL_SECONDS)
            try:
                seen = await self.api.status(submitted.request_id)
            except Misconfigured as error:
                if error.status == 404 and loop.time() - start < NOT_YET_SECONDS:
                    continue
                raise
            state, answer = seen.state, seen.answer
        if state == "failed" or not answer:
            detail = "The API could not answer the question."
            return Check(check="api async question", status="fail", detail=detail, fix=REFUSED_FIX)
        self.request_id = submitted.request_id
        return _ok("api async question", f"An answer after {self.clock() - began:.1f} s.")

    async def feedback(self) -> Check:
        if self.request_id is None:
            detail = "Not tried, for there is no answer to rate."
            return Check(check="api feedback", status="warn", detail=detail, fix="Mend the async question first.")
        receipt = await self.api.feedback(self.session_id, self.request_id, "good")
        self.rated_at = receipt.submitted_at
        return _ok("api feedback", "A rating was taken.")

    async def statistics(self) -> Check:
        figures = await self.api.site_statistics()
        return _ok("api statistics", f"{len(figures.numbers())} figures.")

    async def clocks(self) -> Check:
        return _clock(self.rated_at, self.clock())

    async def close(self) -> Check:
        await self.api.close_session(self.session_id)
        return _ok("api session", "The session of this check was closed.")


async def _api(api: ApiClient, questions: bool, tell: Callable[[str], None], clock: Callable[[], float]) -> list[Check]:
    visit = _Visit(api, clock)
    steps: list[tuple[str, Step]] = [
        ("api way", visit.way),
        ("api key", visit.key),
        ("api tenant", visit.tenant),
        ("api limits", visit.limits),
        ("api site", visit.site),
        ("api documents", visit.documents),
    ]
    if questions:
        steps += [
            ("api question", visit.ask),
            ("api async question", visit.ask_async),
            ("api feedback", visit.feedback),
        ]
    steps.append(("api statistics", visit.statistics))
    if questions:
        steps.append(("api session", visit.close))
    steps.append(("clock", visit.clocks))
    found: list[Check] = []
    for name, step in steps:
        tell(name)
        found.append(await _step(name, step))
        if name == "api key" and found[-1].status == "fail":
            # Everything else would say the same.
            break
    return found


async def _step(name: str, step: Step) -> Check:
    try:
        return await step()
    except Misconfigured as error:
        return Check(check=name, status="fail", detail=str(error), fix=KEY_FIX)
    except Unavailable as error:
        return Check(check=name, status="fail", detail=str(error), fix=REACH_FIX)
    except BotError as error:
        return Check(check=name, status="fail", detail=str(error), fix=REFUSED_FIX)


def _clock(rated_at: str | None, now: float) -> Check:
    """Compare our clock with the API's, which the receipt of a rating names."""
    try:
        there = datetime.fromisoformat((rated_at or "").replace("Z", "+00:00"))
    except ValueError:
        there = None
    if there is None:
        if now < datetime(2026, 1, 1, tzinfo=UTC).timestamp():
            return _wrong_clock("It is set to a time before this program was written.", "fail")
        shown = datetime.fromtimestamp(now, UTC)
        return _ok("clock", f"{shown:%Y-%m-%d %H:%M} UTC; the API named no time to compare with.")
    off = abs(now - (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp())
    if off > CLOCK_SECONDS:
        return _wrong_clock(f"It differs from the API's by {off:.0f} s.", "warn" if off < 3600 else "fail")
    return _ok("clock", "It agrees with the API's.")


def _wrong_clock(detail: str, status: str) -> Check:
    fix = "Switch on time synchronisation (NTP) on this machine."
    return Check(check="clock", status="fail" if status == "fail" else "warn", detail=detail, fix=fix)


def _ok(name: str, detail: str) -> Check:
    return Check(check=name, status="ok", detail=detail)


def failed(checks: Sequence[Check]) -> bool:
    """Whether the bot cannot do its work like this."""
    return any(check.status == "fail" for check in checks)
