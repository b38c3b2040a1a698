"""PostgreSQL keeps deleted rows in its files until they are written anew: what to do after a person was forgotten."""

from __future__ import annotations

import time
from typing import Final

import psycopg
from psycopg import sql

LOCK: Final = "1s"
"""So long a table is waited for at a time: while it is waited for, nobody else gets it either."""
REST: Final = 0.5
WORK: Final = 60.0
"""Seconds in all that a busy table is tried for."""


def scrub(url: str) -> bool:
    """Write our tables anew without what was deleted, and then what the server has learnt of their values.

    A table is locked while it is written. False when a table was in use all the while, and it is left to a later time.
    What the server keeps beside its tables is not ours to clean: the write-ahead log, until it is overwritten, archives
    of it, replicas, backups, and blocks that the file system has given up.
    """
    with psycopg.connect(url, autocommit=True, application_name="uppzy-bot forget") as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname=current_schema() AND tablename NOT LIKE 'pgqueuer%'"
            ).fetchall()
        ]
        connection.execute(f"SET lock_timeout='{LOCK}'")
        written = all([_anew(connection, sql.Identifier(table)) for table in tables])
        connection.execute("ANALYZE")
        # Its rows are samples of our values; the owner of the database may do that, and for others it does nothing.
        return _anew(connection, sql.SQL("pg_catalog.pg_statistic")) and written


def _anew(connection: psycopg.Connection[tuple[str]], table: sql.Composable) -> bool:
    until = time.monotonic() + WORK
    while True:
        try:
            connection.execute(sql.SQL("VACUUM (FULL) {}").format(table))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() > until:
                return False
            time.sleep(REST)
        else:
            return True
