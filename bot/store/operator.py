"""What the operator's watch reads and keeps. Portable SQL; times in seconds since the epoch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.store.database import Tx

TIMES = 5_000
"""Of so many answers, the newest, the times are looked at: more say the same."""
WORST = 5
PROCESS = "process:"
"""How the names begin under which processes are kept."""
RECENT = 500
"""Turns, the newest, whose accounts have been asking lately."""


@dataclass(frozen=True, slots=True)
class OpenTurns:
    """Questions that have not ended: how many, and the oldest's reference and acceptance, None for none."""

    count: int
    reference: str | None
    accepted_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What happened to the questions accepted in a span of time. `median` and `slow` (95 of 100 were quicker): seconds
    from question to answer, None without one. `worst`: references of those rated bad last."""

    outcomes: dict[str, int]
    median: float | None
    slow: float | None
    good: int
    bad: int
    worst: tuple[str, ...]


def open_turns(tx: Tx) -> OpenTurns:
    """Look at the questions that are open."""
    counted = tx.one("SELECT count(*) AS n FROM turns WHERE state='open' AND kind='question'")
    oldest = tx.one(
        "SELECT reference, accepted_at FROM turns WHERE state='open' AND kind='question' ORDER BY accepted_at LIMIT 1"
    )
    count = 0 if counted is None else int(counted["n"])
    return (
        OpenTurns(count, None, None) if oldest is None else OpenTurns(count, oldest["reference"], oldest["accepted_at"])
    )


def recent_accounts(tx: Tx, channel: str) -> list[str]:
    """Name the accounts of a channel in which somebody asked lately."""
    rows = tx.all(
        "SELECT DISTINCT account FROM (SELECT channel, account FROM turns ORDER BY id DESC LIMIT ?) AS newest"
        " WHERE channel=?",
        *(RECENT, channel),
    )
    return [row["account"] for row in rows]


def newest_dead(tx: Tx, limit: int) -> list[str]:
    """List the references of the newest dead letters."""
    return [row["reference"] for row in tx.all("SELECT reference FROM dead ORDER BY at DESC LIMIT ?", limit)]


def rated(tx: Tx, since: float, until: float) -> tuple[int, int]:
    """Count the good and the bad ratings that were given, or changed, in a span."""
    rows = tx.all(
        "SELECT rating, count(*) AS n FROM feedback WHERE changed_at>=? AND changed_at<? GROUP BY rating", since, until
    )
    found = {row["rating"]: int(row["n"]) for row in rows}
    return found.get("good", 0), found.get("bad", 0)


def span(tx: Tx, since: float, until: float) -> Period:
    """Sum up the questions accepted from `since` up to `until`."""
    asked = "FROM turns WHERE kind='question' AND accepted_at>=? AND accepted_at<?"
    counted = tx.all(
        f"SELECT coalesce(outcome, 'open') AS outcome, count(*) AS n {asked} GROUP BY 1",  # a constant
        *(since, until),
    )
    rows = tx.all(
        f"SELECT finished_at-accepted_at AS seconds {asked} AND outcome='answered'"  # a constant
        " ORDER BY accepted_at DESC LIMIT ?",
        *(since, until, TIMES),
    )
    times = sorted(row["seconds"] for row in rows)
    good, bad = rated(tx, since, until)
    worst = tx.all(
        "SELECT turns.reference FROM feedback JOIN turns ON turns.id=feedback.turn WHERE feedback.rating='bad'"
        " AND feedback.changed_at>=? AND feedback.changed_at<? ORDER BY feedback.changed_at DESC LIMIT ?",
        *(since, until, WORST),
    )
    return Period(
        outcomes={row["outcome"]: int(row["n"]) for row in counted},
        median=times[len(times) // 2] if times else None,
        slow=times[min(len(times) - 1, len(times) * 95 // 100)] if times else None,
        good=good,
        bad=bad,
        worst=tuple(row["reference"] for row in worst),
    )


def keep(tx: Tx, name: str, value: Any) -> None:
    """Keep what the watch must know after a restart; `name` is `alerts`, `limits` or `digest`."""
    tx.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        *(f"operator:{name}", json.dumps(value)),
    )


def kept(tx: Tx, name: str) -> Any:
    """Return what was kept last under the name, None for nothing."""
    row = tx.one("SELECT value FROM meta WHERE key=?", f"operator:{name}")
    return None if row is None else json.loads(row["value"])


def tell_of_process(tx: Tx, name: str, said: Any, now: float, forget_after: float) -> None:
    """Keep what a process says of itself; those that have said nothing for so many seconds are forgotten."""
    keep(tx, f"{PROCESS}{name}", {**said, "at": now})
    for other, known in processes(tx).items():
        if now - known["at"] > forget_after:
            forget_process(tx, other)


def forget_process(tx: Tx, name: str) -> None:
    """Forget a process."""
    tx.run("DELETE FROM meta WHERE key=?", f"operator:{PROCESS}{name}")


def processes(tx: Tx) -> dict[str, Any]:
    """Return what the processes of the database say of themselves, by their names."""
    begins = f"operator:{PROCESS}"
    rows = tx.all("SELECT key, value FROM meta WHERE key LIKE ? ORDER BY key", f"{begins}%")
    return {row["key"].removeprefix(begins): json.loads(row["value"]) for row in rows}
