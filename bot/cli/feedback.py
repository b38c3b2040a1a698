"""`feedback list|report`: how answers were rated, and whether the API knows it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from bot.cli.output import Json, WrongUsage, at_most, config, document, listing, more, progress, say, table
from bot.cli.words import ago
from bot.errors import Misconfigured

app = App(name="feedback", help="See how answers were rated.")
COLUMNS = ("reference", "channel", "people mean", "submitted", "the API holds", "outcome", "changed")
Since = Annotated[datetime | None, Parameter(help="Only what changed since this day or time, such as 2026-05-01.")]
Limit = Annotated[int, Parameter(help="At most so many, the newest; 0 for all.")]


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    known = [entry[key] for key in ("reference", "channel", "rating", "submitted", "held", "outcome")]
    return (*known, ago(entry["at"]))


@app.command(name="list")
async def list_(*, since: Since = None, limit: Limit = 100, json: Json = False) -> None:
    """List the answers that were rated, newest change first: what people mean now, and what the API holds.

    Example: uppzy-bot feedback list --since 2026-05-01
    """
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        pages = admin.feedback(aware(since), at_most(limit))
        count = await listing(pages, COLUMNS, cells=_row, as_json=json, empty="No answer has been rated yet.")
        left = await admin.feedback_count(aware(since)) - count
    more(left, "rating")


@app.command
async def report(
    *,
    since: Since = None,
    limit: Limit = 100,
    csv: Annotated[bool, Parameter(negative=())] = False,
    html: Path | None = None,
    json: Json = False,
) -> None:
    """Sum the ratings up by channel, route and week, with the worst questions, and show where the API holds something
    else than people mean.

    Example: uppzy-bot feedback report --since 2026-05-01

    Parameters
    ----------
    csv
        Print the rated answers with their words as a table for a spreadsheet instead; no cell becomes a formula.
    html
        Write a page with charts into this file, which is made anew; it needs nothing else to be shown.
    """
    from bot.cli.quality import as_csv, as_html
    from bot.store import open_admin

    if csv + json + (html is not None) > 1:
        raise WrongUsage("One of --csv, --html and --json is possible at a time.")
    async with open_admin(config().database_url) as admin:
        with progress("counting the ratings"):
            summary = await admin.feedback_report(aware(since), at_most(limit))
            rated = await admin.rated(aware(since), at_most(limit)) if csv else []
    if csv:
        print(as_csv(rated), end="")
        more(summary["answers"] - len(rated), "rated answer")
    elif html is not None:
        _write(html, as_html(summary, made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"))
    elif json:
        document(summary)
    elif not summary["answers"]:
        say("No answer has been rated yet.")
    else:
        _tell(summary)


def _write(path: Path, text: str) -> None:
    """Write the page for its owner's eyes: it holds people's words."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written ({error.strerror}); name another file with --html.") from None
    say(f"Written: {path}. It holds people's words.")


def _tell(summary: Mapping[str, Any]) -> None:
    rows = [(name, c["good"], c["bad"], c["none"], f"{c['good_share']:.0%}") for name, c in summary["channels"].items()]
    table(("channel", "good", "bad", "withdrawn", "good of all"), rows, empty="")
    say("\nBy week:")
    weeks = [(one["week"], one["channel"], one["route"] or "", one["good"], one["bad"]) for one in summary["weeks"]]
    table(("week of", "channel", "route", "good", "bad"), weeks, empty="All ratings were withdrawn.")
    if summary["differs"]:
        say("\nThe API holds something else than people mean now (it may keep the first rating):")
        differing = [
            (one["reference"], one["request_id"], one["rating"] or "nothing", one["held"] or _unknown(one))
            for one in summary["differs"]
        ]
        table(("reference", "request_id", "people mean", "the API holds"), differing, empty="")
        more(summary["differ"] - len(summary["differs"]), "difference")
    if summary["worst"]:
        say("\nRated bad, the newest first:")
        for one in summary["worst"]:
            say(f"  {one['reference']}: {' '.join((one['question'] or '(no longer kept)').split())}")
            for reason in one["reasons"]:
                say(f"    why: {reason}")


def _unknown(entry: Mapping[str, Any]) -> str:
    """Say what the API holds where that is no rating of ours."""
    return "what somebody else said first" if entry["outcome"] == "already_rated" else "nothing yet"


def aware(since: datetime | None) -> datetime | None:
    """A time without a zone is meant in UTC."""
    return since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
