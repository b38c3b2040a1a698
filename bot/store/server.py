"""What a PostgreSQL server must be for the promises to hold."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection

OLDEST: Final = 14
"""The oldest server that is still mended by its makers."""

SAFE: Final = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings of the server without which it forgets, after a power cut, what it has said to be stored."""


def problems(connection: Connection[dict[str, Any]]) -> list[str]:
    """Say what a server must be for the promises to hold, for each thing that it is not."""
    names = ", ".join(f"current_setting('{name}') AS {name}" for name in SAFE)
    row = connection.execute(
        f"SELECT {names}, current_setting('server_encoding') AS encoding,"
        " current_setting('server_version_num') AS version, pg_is_in_recovery() AS follows"
    ).fetchone()
    assert row is not None
    found = []
    if int(row["version"]) < OLDEST * 10_000:
        found.append(f"a server of PostgreSQL {OLDEST} or newer")
    if row["encoding"] != "UTF8":
        found.append("a database whose encoding is UTF8 (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)")
    if row["follows"]:
        found.append("the server that is written to, not one that follows it")
    off = [name for name in SAFE if row[name] == "off"]
    if off:
        found.append(
            f"a server with {' and '.join(off)} on: without, a power cut takes what people were told is stored"
        )
    return found
