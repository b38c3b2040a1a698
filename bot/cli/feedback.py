"""`feedback list|report`: how answers were rated, and whether the API knows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from bot.cli.output import Json, at_most, config, document, more, picked, say, table

app = App(name="feedback", help="See how answers were rated.")
KEYS = ("reference", "channel", "session_id", "request_id", "rating", "submitted", "outcome")
Since = Annotated[datetime | None, Parameter(help="Only what changed since this day or time, such as 2026-05-01.")]
Limit = Annotated[int, Parameter(help="At most so many, the newest; 0 for all.")]


@app.command(name="list")
async def list_(*, since: Since = None, limit: Limit = 100, json: Json = False) -> None:
    """List the answers that were rated, newest change first: what people mean now, and what was last submitted."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        entries = await admin.feedback(_aware(since), at_most(limit))
        left = await admin.feedback_count(_aware(since)) - len(entries)
    if json:
        document(entries)
    else:
        table(KEYS, picked(entries, *KEYS), empty="No answer has been rated yet.")
    more(left, "rating")


@app.command
async def report(*, since: Since = None, limit: Limit = 100, json: Json = False) -> None:
    """Sum the ratings up, and show where the API knows something else than people mean."""
    from bot.store import open_admin

    async with open_admin(config().database_url) as admin:
        summary = await admin.feedback_report(_aware(since), at_most(limit))
    if json:
        document(summary)
        return
    if not summary["answers"]:
        say("No answer has been rated yet.")
        return
    rows = [(name, c["good"], c["bad"], c["none"], f"{c['good_share']:.0%}") for name, c in summary["channels"].items()]
    table(("channel", "good", "bad", "withdrawn", "good of all"), rows, empty="")
    if summary["differs"]:
        say("\nThe API was last told something else than people mean now:")
        table(
            ("reference", "request_id", "people mean", "submitted", "outcome"),
            picked(summary["differs"], "reference", "request_id", "rating", "submitted", "outcome"),
            empty="",
        )
        more(summary["differ"] - len(summary["differs"]), "difference")
    if summary["reasons"]:
        say("\nWhy answers are bad, in people's own words:")
        for entry in summary["reasons"]:
            say(f"  {entry['reference']}: {entry['reason']}")
        more(summary["reasoned"] - len(summary["reasons"]), "reason")


def _aware(since: datetime | None) -> datetime | None:
    return since.replace(tzinfo=UTC) if since is not None and since.tzinfo is None else since
