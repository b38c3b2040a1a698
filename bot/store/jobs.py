"""The jobs of lanes, which pgqueuer keeps on PostgreSQL: one for every lane with work, its key the lane.

A job is deferred in the transaction that gives the lane work, so neither is ever there without the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pgqueuer.db import SyncPsycopgDriver
from pgqueuer.queries import SyncQueries
from psycopg import Connection

from bot.store import turns
from bot.store.database import Tx

LANE: Final = "lane"
LEASE: Final = "lease"
"""The two kinds of jobs: a lane that has work, a right that one process holds."""
WAKE: Final = "uppzy_wake"
"""The channel of notices on which whoever holds a lane is told that more has come for it."""

_Jobs = tuple[list[str], list[bytes | None], list[int], None, list[str | None]]


def as_jobs(entrypoint: str, keys: Sequence[str]) -> _Jobs:
    """Write keys as what the library's `enqueue` takes."""
    return [entrypoint] * len(keys), [key.encode() for key in keys], [0] * len(keys), None, list(keys)


NEW: Final = "ch_pgqueuer"
"""The library's channel: whoever hears of it looks for jobs."""
NEWS: Final = json.dumps(
    {
        "channel": NEW,
        "operation": "insert",
        "sent_at": "2000-01-01T00:00:00+00:00",
        "table": "pgqueuer",
        "type": "table_changed_event",
    }
)
"""What is told there, as the library's own trigger would write it."""


class Holder(Protocol):
    """The queue of this process, as the writer sees it; from any thread."""

    @property
    def picks(self) -> bool:
        """Whether it picks what is deferred here itself, at once."""
        ...

    def holds(self, lane: str) -> bool:
        """Whether the job of a lane is held here."""
        ...

    def come(self, deferred: Deferred) -> None:
        """What was deferred is committed."""
        ...


@dataclass(frozen=True, slots=True)
class Deferred:
    """What a transaction has deferred and nobody was told of: whether there are new jobs, and lanes whose jobs are held
    here, for which more has come."""

    new: bool = False
    held: tuple[str, ...] = ()


def defer(connection: Connection[Any], lanes: Iterable[str], holder: Holder | None) -> Deferred:
    """See to it, in the open transaction, that each lane has a job.

    Other processes are told only what concerns them: of a new job when this one does not pick it, and of more for a
    lane that another one holds. In an order that all keep, for two may defer the same ones at the same moment.
    """
    keys = sorted(lanes)
    queries = SyncQueries(SyncPsycopgDriver(connection))
    made = queries.enqueue(*as_jobs(LANE, keys), on_conflict="skip")
    there = [lane for lane, job in zip(keys, made, strict=True) if job is None]
    held = [lane for lane in there if holder is not None and holder.holds(lane)]
    if others := sorted({*there} - {*held}):
        connection.execute("SELECT pg_notify(%s, lane) FROM unnest(%s::text[]) AS lane", (WAKE, others))
    picks = holder is not None and holder.picks
    if len(there) < len(keys) and not picks:
        connection.execute("SELECT pg_notify(%s, %s)", (NEW, NEWS))
    return Deferred(new=picks and len(there) < len(keys), held=tuple(held))


def with_work(tx: Tx, lanes: Sequence[str]) -> list[str]:
    """Of these lanes, return those that have an open turn."""
    places = ",".join("?" * len(lanes))
    rows = tx.all(f"SELECT DISTINCT lane FROM turns WHERE state='open' AND lane IN ({places})", *lanes)  # noqa: S608
    return [str(row["lane"]) for row in rows]


def without_job(tx: Tx) -> list[str]:
    """Return the lanes that have an open turn and no job: a wake-up was lost."""
    rows = tx.all(
        "SELECT DISTINCT lane FROM turns WHERE state='open' AND NOT EXISTS (SELECT 1 FROM pgqueuer"
        " WHERE pgqueuer.dedupe_key=turns.lane AND pgqueuer.status IN ('queued', 'picked'))"
    )
    return [str(row["lane"]) for row in rows]


def open_in_lane(tx: Tx, lane: str) -> list[turns.Turn]:
    """Read the open turns of one lane, in the order in which they are worked on."""
    query = f"SELECT * FROM turns WHERE lane=? AND state='open' {turns.IN_ORDER}"  # noqa: S608
    return [turns.from_row(row) for row in tx.all(query, lane)]


def count_open_questions(tx: Tx) -> dict[str, int]:
    """Count the questions that are accepted and not ended, by channel."""
    rows = tx.all("SELECT channel, count(*) AS n FROM turns WHERE state='open' AND kind='question' GROUP BY channel")
    return {str(row["channel"]): int(row["n"]) for row in rows}


def lanes_of_notices(tx: Tx) -> set[str]:
    """Name the lanes in which a notice waits to be sent."""
    return {row["lane"] for row in tx.all("SELECT DISTINCT lane FROM turns WHERE state='open' AND kind='notice'")}


def accepted_since(tx: Tx, since: float) -> list[turns.Turn]:
    """Read the open turns that were accepted since then."""
    rows = tx.all("SELECT * FROM turns WHERE accepted_at>? AND state='open'", since)
    return [turns.from_row(row) for row in rows]
