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

from bot.adapter import ChannelSpec, Check
from bot.api.assumptions import MUCH, used_ratios
from bot.api.client import ApiClient
from bot.config import installed
from bot.errors import BotError, Misconfigured, Unavailable

SMOKE_QUESTION: Final = "What can you help me with?"
ASYNC_SECONDS: Final = 90.0
POLL_SECONDS: Final = 1.0
NOT_YET_SECONDS: Final = 5.0
"""So long after the submit a request that is not found is still on its way."""

CLOCK_SECONDS: Final = 60.0
KEY_FIX: Final = "Set UPPZY_API_KEY to a valid key of the tenant in UPPZY_TENANT_ID."
TENANT_FIX: Final = "Set UPPZY_TENANT_ID to the tenant that UPPZY_API_KEY belongs to; see that UPPZY_BASE_URL is right."
SITE_FIX: Final = "Set UPPZY_SITE_ID to a site of this tenant."
REACH_FIX: Final = "See whether this machine reaches the address in UPPZY_BASE_URL, and whether the API is up."
BUSY_FIX: Final = "Look again in a minute; uppzy-bot limits says what of the plan is used."
REFUSED_FIX: Final = "Ask the API's operator why it refuses this, with the time of this check."

Step = Callable[[], Awaitable[Check]]
Look = Callable[[], Awaitable[Sequence[Check]]]
"""Let a channel check itself."""


async def examine(
    api: ApiClient,
    channels: Mapping[str, Look],
    database: Callable[[], Awaitable[str]],
    *,
    questions: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> list[Check]:
    """Look at everything. `questions` is what the API counts as use: two questions, and a rating of one.

    `database` opens the database, and says in a sentence what it found. `tell` hears what is being looked at.
    """
    found = [await _database(database)]
    found += await _api(api, questions, tell, clock)
    if not channels:
        found.append(no_channel(installed()))
    for name, look in channels.items():
        tell(name)
        found += await look()
    return found


def no_channel(specs: Sequence[ChannelSpec]) -> Check:
    """Say that no channel is turned on, which variable turns each on, and how people get its value."""
    ways = "".join(f" {spec.token}: {spec.token_from or 'ask who made it.'}" for spec in specs if spec.token)
    fix = f"Set the token of at least one channel.{ways}"
    return Check(check="channels", status="warn", detail="No channel is turned on: its token is missing.", fix=fix)


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


async def _database(open_and_close: Callable[[], Awaitable[str]]) -> Check:
    try:
        found = await open_and_close()
    except (BotError, OSError) as error:
        detail = str(error) if isinstance(error, BotError) else "The database cannot be opened."
        return Check(
            check="database",
            status="fail",
            detail=detail,
            fix="Check BOT_DATABASE_URL: a file in a writable folder with room, or a server that is reached.",
        )
    return _ok("database", found)


@dataclass(slots=True)
class _Visit:
    """The API's sequence: read, ask, rate, close. Keeps what a later step needs of an earlier one."""

    api: ApiClient
    clock: Callable[[], float]
    site_unknown: bool = False
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
        limits, usage = await self.api.limits(), await self.api.usage()
        used = used_ratios(limits.values, usage.values)
        if not used:
            return _ok("api limits", "The API names no limits with their use.")
        named = ", ".join(f"{ratio:.0%} of {name.replace('_', ' ')} used" for name, ratio in used.items())
        if max(used.values()) < MUCH:
            return _ok("api limits", f"{named}.")
        fix = "Ask for a larger plan before it is used up: then nobody gets answers."
        return Check(check="api limits", status="warn", detail=f"{named}.", fix=fix)

    async def site(self) -> Check:
        try:
            site = await self.api.site()
        except Misconfigured:
            self.site_unknown = True
            raise
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
        count = len(figures.numbers())
        return _ok("api statistics", "1 figure." if count == 1 else f"{count} figures.")

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
        if found[-1].status == "fail" and (name == "api key" or (name == "api site" and visit.site_unknown)):
            # Everything else would say the same.
            break
    return found


async def _step(name: str, step: Step) -> Check:
    try:
        return await step()
    except Misconfigured as error:
        fix = _fix(name, error.status)
        blamed = "api tenant" if fix == TENANT_FIX else name  # a key that is known, of another tenant
        return Check(check=blamed, status="fail", detail=str(error), fix=fix)
    except Unavailable as error:
        fix = BUSY_FIX if error.reason == "rate_limited" else REACH_FIX
        return Check(check=name, status="fail", detail=str(error), fix=fix)
    except BotError as error:
        return Check(check=name, status="fail", detail=str(error), fix=REFUSED_FIX)


def _fix(name: str, status: int | None) -> str:
    """Say which setting is to blame: tenant and key are looked at before the site, so what comes later is the site's.

    >>> _fix("api key", 401) == KEY_FIX, _fix("api key", 404) == TENANT_FIX, _fix("api site", 403) == SITE_FIX
    (True, True, True)
    """
    if status == 401:
        return KEY_FIX
    if status not in (403, 404):
        return REACH_FIX
    return TENANT_FIX if name in ("api key", "api tenant", "api limits") else SITE_FIX


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
