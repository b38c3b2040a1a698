"""The pace of channels on PostgreSQL: when the next call of a key may be made, by the database's clock.

Each is one statement by itself on the queue's connection, never part of a group: the row of a key that all processes
use must not be held for longer. The table is not logged: after a crash of the server nothing needs to be waited for.
"""

from __future__ import annotations

from typing import Final

_NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"

RESERVE: Final = (
    f"INSERT INTO paces (key, next_at) VALUES ($1, {_NOW} + $2) ON CONFLICT (key) DO UPDATE"  # noqa: S608  # a constant
    f" SET next_at = GREATEST(paces.next_at, {_NOW}) + $2 RETURNING next_at - $2 - {_NOW} AS wait"
)
"""Take the next place of a key ($1), one every so many seconds ($2); `wait` is the seconds until it."""

FORGET: Final = f"DELETE FROM paces WHERE next_at < {_NOW} - 60 RETURNING key"  # noqa: S608  # a constant
"""Forget the keys that nobody has used for a while."""
