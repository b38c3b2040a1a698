"""`doctor`: is everything fit to run, and what to mend."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bot.adapter import Check
from bot.cli.output import Json, api, document, logs, progress, say
from bot.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.config import Config, Examined
    from bot.store.operator import OpenTurns


LEAST_ROOM = 64_000_000
"""Bytes that are to be left on the database's disk: some hundred thousand questions, so there is time to free it."""


LATE = 300.0
"""Seconds after which a question that is still open is told of, as alerts do."""


async def doctor(*, smoke: Annotated[bool, Parameter(negative=())] = False, json: Json = False) -> int:
    """Check the settings, the API, the database, the clock and every channel that is on, and say what to mend.

    Exit code 1 if anything fails; a warning is no failure. It only reads, and leaves nothing in the API's figures,
    unless --smoke is given.

    Example: uppzy-bot doctor

    Parameters
    ----------
    smoke
        Ask two questions and rate one of them, in a session of their own, which is closed at the end: after a new key
        or a deployment. The API counts them.
    """
    from bot.config import examine as examine_settings
    from bot.config import installed
    from bot.doctor import failed, no_channel

    examined = examine_settings(installed(), need=frozenset({"api"}))
    checks = of_settings(examined)
    if examined.config is not None:
        logs(examined.config.model_copy(update={"log_level": "warning", "log_format": "console"}))
        checks += await _looked(examined.config, smoke=smoke)
    elif examined.no_channel:
        checks.append(no_channel(installed()))
    if (traces := await asyncio.to_thread(where_traces_go, os.environ)) is not None:
        checks.append(traces)
    if json:
        document([{"check": c.check, "status": c.status, "detail": c.detail, "fix": c.fix} for c in checks])
    else:
        for check in checks:
            for line in told(check):
                say(line)
    return 1 if failed(checks) else 0


def told(check: Check) -> list[str]:
    """Write a finding for people, what to do below it.

    >>> told(Check(check="clock", status="fail", detail="It is wrong.", fix="Set it."))
    ['FAIL  clock: It is wrong.', '      To do: Set it.']
    """
    word = {"ok": "ok", "warn": "warn", "fail": "FAIL"}[check.status]
    return [f"{word:<4}  {check.check}: {check.detail}", *([f"      To do: {check.fix}"] if check.fix else [])]


def of_settings(examined: Examined) -> list[Check]:
    """Turn what is wrong with the settings, and what they leave open, into findings."""
    found = [
        Check(check="settings", status="fail", detail=f"{one.name}: {one.expected}.", fix=one.fix)
        for one in examined.errors
    ]
    found += [
        Check(check="settings", status="warn", detail=one.expected, fix=f"Set {one.name} if that is not meant.")
        for one in examined.warnings
    ]
    if not examined.errors:
        found.append(Check(check="settings", status="ok", detail="All that is set can be used."))
    return found


def where_traces_go(environ: Mapping[str, str]) -> Check | None:
    """Look whether a collector takes traces, if the environment names one; it is given none."""
    from bot.telemetry.tracing import is_wanted, why_not

    if not is_wanted(environ):
        return None
    if (expected := why_not(environ)) is not None:
        return Check(check="traces", status="warn", detail="No traces are sent.", fix=f"Needed: {expected}.")
    from bot.telemetry.otel import reaches

    if reaches(environ):
        return Check(check="traces", status="ok", detail="The collector takes traces.")
    fix = "See whether OTEL_EXPORTER_OTLP_ENDPOINT is its address, with its port for HTTP (4318). Answers go on."
    return Check(check="traces", status="warn", detail="The collector takes no traces.", fix=fix)


async def _looked(settings: Config, *, smoke: bool) -> list[Check]:
    from bot.app import make_adapters
    from bot.config import installed, wants
    from bot.doctor import also_seen, examine

    adapters = make_adapters(settings, installed())
    seen: dict[str, tuple[float, list[Check]]] = {}
    left: list[Check] = []

    async def database() -> str:
        return await _opened(settings.database_url, list(adapters), seen, left)

    with progress("looking at everything") as words:
        async with api(settings) as client:
            looks = {name: partial(adapter.check, wants(settings)) for name, adapter in adapters.items()}
            checks = await examine(
                client, looks, database, questions=smoke, tell=lambda what: words(f"looking at: {what}")
            )
    checks += [*left, what_goes_along(settings)]
    for at, noted in seen.values():
        checks = [*checks, *also_seen(checks, at, noted)]
    return checks


async def _opened(
    url: str, channels: Sequence[str], seen: dict[str, tuple[float, list[Check]]], left: list[Check]
) -> str:
    """Open the database and gather what a running bot noted and left there. One that is not there is not made."""
    from bot.store import file_of, missing_file, open_admin

    if (file := missing_file(url)) is not None:
        if not _can_be_made(file):
            raise Misconfigured(f"There is no database at {file}, and it cannot be made there.")
        see_room(file)
        return f"There is none at {file} yet; the bot makes it when it first runs."
    if (file := file_of(url)) is not None:
        see_room(file)
    async with open_admin(url) as admin:
        for name in channels:
            at, checks = await admin.noted_checks(name)
            seen[name] = at, [Check(**check) for check in checks]
        left += of_questions(*await admin.unfinished(), time.time())
    return "It opens, and is up to date."


def of_questions(turns: OpenTurns, dead: int, newest: Sequence[str], now: float) -> list[Check]:
    """Turn what is open for too long, and what could not go on, into findings."""
    found = []
    age = 0.0 if turns.accepted_at is None else now - turns.accepted_at
    if age > LATE:
        detail = f"{turns.count} open, the oldest ({turns.reference}) for {age / 60:.0f} minutes."
        found.append(
            Check(check="questions", status="warn", detail=detail, fix=f"Call uppzy-bot trace {turns.reference}.")
        )
    if dead:
        detail = f"{dead} dead letter{'' if dead == 1 else 's'}, the newest: {', '.join(newest)}."
        found.append(
            Check(check="questions", status="warn", detail=detail, fix=f"Call uppzy-bot dead show {newest[0]}.")
        )
    return found or [Check(check="questions", status="ok", detail="None waits for long, and there is no dead letter.")]


def see_room(file: Path, least: int = LEAST_ROOM) -> None:
    """Look how much room is left where the database is.

    Raises:
        Misconfigured: fewer than `least` bytes.
    """
    free = shutil.disk_usage(_above(file)).free
    if free < least:
        left = f"The disk of {file} has {free / 1_000_000:.1f} MB left; when it is full, nothing new is accepted."
        raise Misconfigured(left)


def _above(file: Path) -> Path:
    return next(folder for folder in file.parents if folder.exists())


def _can_be_made(file: Path) -> bool:
    above = _above(file)
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK)


def what_goes_along(settings: Config) -> Check:
    """Say what the API is sent with questions, beside the words that people type."""
    from bot.config import route_name

    along = settings.context
    parts = []
    if along.chars:
        what = "what people point at: quotes, forwards, tables, messages that links show"
        thread = f"; up to {along.thread_messages} earlier messages of a thread" if along.thread_messages else ""
        parts.append(f"{what}{thread} ({along.chars:,} characters in all, [context] in the settings)")
    parts.append("the names of who and what is mentioned")
    routes = [route_name(route) for route in settings.routes if route.send_email]
    parts.append(f"the asker's e-mail address on {', '.join(routes)}" if routes else "no e-mail address")
    return Check(check="sent to the api", status="ok", detail=f"With a question go {'; '.join(parts)}.")
