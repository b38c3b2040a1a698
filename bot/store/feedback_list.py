"""The ratings as an operator reads them. Dicts have the keys of `--json`; `after` is seconds since the epoch."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.store import trace
from bot.store.database import Row, Tx

EVERYTHING: Final = 1 << 62
"""As a limit: none."""
_RATED = "FROM feedback JOIN turns ON turns.id=feedback.turn WHERE feedback.changed_at>=?"
_OUTCOME = "coalesce(feedback.outcome, CASE WHEN feedback.due_at IS NULL THEN NULL ELSE 'waiting' END)"
_KEYS = ("reference", "channel", "session_id", "request_id", "rating", "submitted", "held", "outcome")
_DIFFERS = (
    "(coalesce(feedback.rating, '')<>coalesce(feedback.held, '')"
    " AND (feedback.rating IS NOT NULL OR feedback.submitted IS NOT NULL))"
)
"""People mean something else than the API holds, or nobody can tell what that is. Withdrawn before it was ever
submitted, it is no difference."""
_COLUMNS = (
    "turns.reference, turns.channel, turns.lane AS session_id, turns.request_id, feedback.turn, feedback.rating,"
    f" feedback.submitted, feedback.held, {_OUTCOME} AS outcome, feedback.changed_at"
)


def newest(
    tx: Tx, after: float, limit: int, before: tuple[float, int] | None = None
) -> tuple[list[dict[str, Any]], tuple[float, int] | None]:
    """List the ratings that changed at `after` or later, newest change first, with the reasons that are still kept.

    `before`: where the last list ended, as it was returned beside it; None at the end.
    """
    rows = tx.all(
        f"SELECT {_COLUMNS} {_RATED} AND (feedback.changed_at, feedback.turn)<(?, ?)"
        " ORDER BY feedback.changed_at DESC, feedback.turn DESC LIMIT ?",
        *(after, *(before or (math.inf, 0)), limit),
    )
    entries = [
        {**_entry(row), "at": trace.iso(row["changed_at"]), "comments": _reasons(tx, row["turn"])} for row in rows
    ]
    return entries, (rows[-1]["changed_at"], rows[-1]["turn"]) if rows else None


def count(tx: Tx, after: float) -> int:
    """Count the ratings that changed at `after` or later."""
    row = tx.one("SELECT count(*) AS n FROM feedback WHERE changed_at>=?", after)
    return 0 if row is None else int(row["n"])


def report(tx: Tx, after: float, limit: int) -> dict[str, Any]:
    """Count by channel and outcome; list, newest first and at most `limit` of each, where our truth and what
    the API holds differ (a rating that people withdrew after it was submitted differs too: the API cannot take anything
    back), the questions rated bad (`worst`), and people's reasons. `differ` and `reasoned` count all of them. `weeks`:
    by week, channel and route."""
    channels: dict[str, Counter[str]] = {}
    for row in tx.all(
        f"SELECT turns.channel, feedback.rating, count(*) AS n {_RATED} GROUP BY turns.channel, feedback.rating",
        after,
    ):
        channels.setdefault(row["channel"], Counter())[row["rating"] or "none"] += row["n"]
    outcomes = tx.all(f"SELECT {_OUTCOME} AS outcome, count(*) AS n {_RATED} GROUP BY 1", after)
    differing = f"{_RATED} AND {_DIFFERS}"
    differs = tx.all(f"SELECT {_COLUMNS} {differing} ORDER BY feedback.changed_at DESC LIMIT ?", after, limit)
    reasoned = "FROM comments JOIN turns ON turns.id=comments.turn WHERE comments.text<>'' AND comments.at>=?"
    reasons = tx.all(
        f"SELECT turns.reference, comments.text {reasoned} ORDER BY comments.at DESC LIMIT ?",
        *(after, limit),
    )
    return {
        "answers": sum(sum(ratings.values()) for ratings in channels.values()),
        "channels": {name: _shares(ratings) for name, ratings in sorted(channels.items())},
        "outcomes": {str(row["outcome"]): row["n"] for row in outcomes},
        "differ": _number(tx, f"SELECT count(*) AS n {differing}", after),
        "differs": [_entry(row) for row in differs],
        "weeks": _weeks(tx, after),
        "worst": _worst(tx, after, limit),
        "reasoned": _number(tx, f"SELECT count(*) AS n {reasoned}", after),
        "reasons": [{"reference": row["reference"], "reason": row["text"]} for row in reasons],
    }


def rated(tx: Tx, after: float, limit: int) -> list[dict[str, Any]]:
    """List as `newest` does, with route, question and reasons, as far as their words are kept."""
    columns = f"{_COLUMNS}, turns.route, turns.text AS question"
    rows = tx.all(f"SELECT {columns} {_RATED} ORDER BY feedback.changed_at DESC LIMIT ?", after, limit)
    return [
        {
            **_entry(row),
            "at": trace.iso(row["changed_at"]),
            "route": row["route"],
            "question": row["question"],
            "reasons": _reasons(tx, row["turn"]),
        }
        for row in rows
    ]


def _weeks(tx: Tx, after: float) -> list[dict[str, Any]]:
    """Count good and bad ratings by week (named by its Monday, UTC), channel and route, the oldest first."""
    weeks: dict[tuple[str, str, str], Counter[str]] = {}
    rows = tx.all(f"SELECT feedback.changed_at, feedback.rating, turns.channel, turns.route {_RATED}", after)
    for row in rows:
        if row["rating"] is not None:
            day = datetime.fromtimestamp(row["changed_at"], UTC).date()
            monday = day - timedelta(days=day.weekday())
            weeks.setdefault((monday.isoformat(), row["channel"], row["route"]), Counter())[row["rating"]] += 1
    return [
        {"week": week, "channel": channel, "route": route, "good": found["good"], "bad": found["bad"]}
        for (week, channel, route), found in sorted(weeks.items())
    ]


def _worst(tx: Tx, after: float, limit: int) -> list[dict[str, Any]]:
    """List the questions whose answers are rated bad, the newest rating first."""
    rows = tx.all(
        f"SELECT turns.reference, turns.text, feedback.turn {_RATED} AND feedback.rating='bad'"
        " ORDER BY feedback.changed_at DESC LIMIT ?",
        *(after, limit),
    )
    return [
        {"reference": row["reference"], "question": row["text"], "reasons": _reasons(tx, row["turn"])} for row in rows
    ]


def _entry(row: Row) -> dict[str, Any]:
    return {key: row[key] for key in _KEYS}


def _shares(ratings: Counter[str]) -> dict[str, float]:
    good, bad = ratings["good"], ratings["bad"]
    return {"good": good, "bad": bad, "none": ratings["none"], "good_share": round(good / max(1, good + bad), 4)}


def _reasons(tx: Tx, turn_id: int) -> list[str]:
    rows = tx.all("SELECT text FROM comments WHERE turn=? AND text<>'' ORDER BY at", turn_id)
    return [row["text"] for row in rows]


def _number(tx: Tx, sql: str, after: float) -> int:
    row = tx.one(sql, after)
    return 0 if row is None else int(row["n"])
