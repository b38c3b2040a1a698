"""The few things the database knows of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.store.database import Tx

MOVED: Final = "moved_to"
"""The key of where everything was moved."""


def secret(tx: Tx, fresh: str) -> str:
    """Return the key of the session-id hash, made once and kept."""
    tx.run("INSERT INTO meta VALUES ('secret', ?) ON CONFLICT (key) DO NOTHING", fresh)
    row = tx.one("SELECT value FROM meta WHERE key='secret'")
    assert row is not None
    return str(row["value"])


def touch(tx: Tx, now: float) -> None:
    """Write a little, to know that the database can be written."""
    tx.run("INSERT INTO meta VALUES ('touched', ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", str(now))


def moved_to(tx: Tx) -> str | None:
    """Return where everything was moved, None for a database that is in use."""
    row = tx.one("SELECT value FROM meta WHERE key=?", MOVED)
    return None if row is None else str(row["value"])


def leave_mark(tx: Tx) -> None:
    """Let running bots see that an operator's command has stored something."""
    tx.run(
        "INSERT INTO meta VALUES ('mark', '1') ON CONFLICT (key)"
        " DO UPDATE SET value=CAST(CAST(meta.value AS INTEGER)+1 AS TEXT)"
    )


def operators_mark(tx: Tx) -> int:
    """Return a number that rises with what operator's commands store."""
    row = tx.one("SELECT value FROM meta WHERE key='mark'")
    return 0 if row is None else int(row["value"])


def note_checks(tx: Tx, channel: str, checks: Sequence[Mapping[str, str]], now: float) -> None:
    """Keep what a running bot's channel found out, for `doctor`, which runs in a process of its own.

    A check is the fields of a `bot.adapter.Check`.
    """
    found = {"at": now, "checks": list(checks)}
    tx.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        f"checks:{channel}",
        json.dumps(found),
    )


def noted_checks(tx: Tx, channel: str) -> tuple[float, list[dict[str, Any]]]:
    """Return when a running bot last looked at a channel (0.0 for never), and what it found."""
    row = tx.one("SELECT value FROM meta WHERE key=?", f"checks:{channel}")
    if row is None:
        return 0.0, []
    found = json.loads(row["value"])
    return float(found["at"]), list(found["checks"])


def keep_completion_times(tx: Tx, route: str, weights: str) -> None:
    """Keep how long a route's answers take, as `turns.poll_schedule` writes it."""
    tx.run(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value",
        f"completion_times:{route}",
        weights,
    )


def completion_times(tx: Tx, route: str) -> str | None:
    """Return what was kept of a route's answers, None for nothing."""
    row = tx.one("SELECT value FROM meta WHERE key=?", f"completion_times:{route}")
    return None if row is None else str(row["value"])
