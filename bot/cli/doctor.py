"""`doctor`: is everything fit to run, and what to mend."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bot.adapter import Check
from bot.cli.output import Json, api, config, document, progress, table

if TYPE_CHECKING:
    from bot.config import Config


async def doctor(*, quick: Annotated[bool, Parameter(negative=())] = False, json: Json = False) -> int:
    """Check the API, the database, the clock and every channel that is turned on, and say what to mend.

    Exit code 1 if anything fails; a warning is no failure. Two questions are asked and one is rated, in a session
    of their own, which is closed at the end.

    Parameters
    ----------
    quick
        Ask the API no question.
    """
    from bot.app import make_adapters
    from bot.config import installed, wants
    from bot.doctor import also_seen, examine, failed
    from bot.store import open_admin

    settings = config("api")

    seen: dict[str, tuple[float, list[Check]]] = {}

    async def database() -> None:
        async with open_admin(settings.database_url) as admin:
            for name in adapters:
                at, checks = await admin.noted_checks(name)
                seen[name] = at, [Check(**check) for check in checks]

    with progress("looking at everything") as words:
        async with api(settings) as client:
            adapters = make_adapters(settings, installed())
            looks = {name: partial(adapter.check, wants(settings)) for name, adapter in adapters.items()}
            checks = await examine(
                client, looks, database, questions=not quick, tell=lambda what: words(f"looking at: {what}")
            )
    checks.append(what_goes_along(settings))
    for at, noted in seen.values():
        checks = [*checks, *also_seen(checks, at, noted)]
    if json:
        document([{"check": c.check, "status": c.status, "detail": c.detail, "fix": c.fix} for c in checks])
    else:
        rows = [(c.check, c.status, c.detail, c.fix) for c in checks]
        table(("check", "status", "detail", "fix"), rows, empty="Nothing was looked at.")
    return 1 if failed(checks) else 0


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
