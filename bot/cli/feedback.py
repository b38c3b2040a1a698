"""`feedback list|report`: how answers were rated, and whether the API knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from bot.cli.output import Json, config, document, picked, say, table

app = App(name="feedback", help="See how answers were rated.")
KEYS = ("reference", "channel", "session_id", "request_id", "rating", "submitted", "outcome")
Since = Annotated[datetime | None, Parameter(help="Only what changed since this day or time, such as 2026-05-01.")]


@app.command(name="list")
async def list_(*, since: Since = None, json: Json = False) -> None:
    """List every answer that was rated: what people mean now, and what was last submitted."""
    found = await _feedback(since)
    if json:
        document(found)
    else:
        table(KEYS, picked(found, *KEYS), empty="No answer has been rated yet.")


@app.command
async def report(*, since: Since = None, json: Json = False) -> None:
    """Sum the ratings up, and show where the API knows something else than people mean."""
    found = await _feedback(since)
    summary = summarised(found)
    if json:
        document(summary)
        return
    if not found:
        say("No answer has been rated yet.")
        return
    channels = summary["channels"]
    rows = [(name, c["good"], c["bad"], c["none"], f"{c['good_share']:.0%}") for name, c in channels.items()]
    table(("channel", "good", "bad", "withdrawn", "good of all"), rows, empty="")
    if summary["differs"]:
        say("\nThe API was last told something else than people mean now:")
        table(
            ("reference", "request_id", "people mean", "submitted", "outcome"),
            picked(summary["differs"], "reference", "request_id", "rating", "submitted", "outcome"),
            empty="",
        )
    if summary["reasons"]:
        say("\nWhy answers are bad, in people's own words:")
        for entry in summary["reasons"]:
            say(f"  {entry['reference']}: {entry['reason']}")


def summarised(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count by channel; list where our truth and what was submitted differ; collect reasons.

    A rating that people withdrew after it was submitted differs too: the API cannot take anything back.
    """
    channels: dict[str, Counter[str]] = {}
    for entry in found:
        channels.setdefault(entry["channel"], Counter())[entry["rating"] or "none"] += 1
    return {
        "answers": len(found),
        "channels": {
            name: {
                "good": count["good"],
                "bad": count["bad"],
                "none": count["none"],
                "good_share": round(count["good"] / max(1, count["good"] + count["bad"]), 4),
            }
            for name, count in sorted(channels.items())
        },
        "outcomes": dict(Counter(str(entry["outcome"]) for entry in found)),
        "differs": [{key: entry.get(key) for key in KEYS} for entry in found if entry["rating"] != entry["submitted"]],
        "reasons": [
            {"reference": entry["reference"], "reason": text} for entry in found for text in entry.get("comments", ())
        ],
    }


async def _feedback(since: datetime | None) -> list[dict[str, Any]]:
    from bot.store import open_admin

    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    async with open_admin(config().database_url) as admin:
        return await admin.feedback(since)
