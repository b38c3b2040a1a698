"""A database as an earlier version left it: today's rows in the schema of then.

What an earlier version did not know is lost on the way, as it was never there. The migrations of `bot.store` then
bring it up to date again, with all that was open. A step that only adds tables or columns needs nothing here; one
that renames or rewrites is taken back in `BACK`.
"""

from __future__ import annotations

import sqlite3
from unittest.mock import patch

from bot.store import migrations

_PLACE = "json_remove(json_set({0}, '$.place', json_extract({0}, '$.kind')), '$.kind')"

BACK: dict[int, tuple[str, ...]] = {
    10: (),  # the votes keep their name and columns
    9: ("UPDATE steps SET result=json_remove(result, '$.replied_at') WHERE kind='submit' AND result IS NOT NULL",),
    7: (
        "ALTER TABLE unreachable RENAME TO resting",
        "ALTER TABLE cooldowns RENAME TO said",
        "ALTER TABLE early_reactions RENAME COLUMN user_id TO user",
        "ALTER TABLE early_changes RENAME COLUMN user_id TO user",
        "ALTER TABLE votes RENAME COLUMN user_id TO user",
        "ALTER TABLE clicks RENAME COLUMN user_id TO user",
        "ALTER TABLE comments RENAME COLUMN user_id TO user",
        "ALTER TABLE early_reactions RENAME TO early",
        "ALTER TABLE early_changes RENAME TO overtaken",
        "ALTER TABLE turns RENAME COLUMN sent_to TO place",
        "ALTER TABLE turns RENAME COLUMN notice TO say",
        "ALTER TABLE receipts RENAME COLUMN sent_to TO place",
        "UPDATE receipts SET place=json_array(conversation, place)",
        "ALTER TABLE steps ADD COLUMN name TEXT",
        "UPDATE steps SET name=CASE WHEN kind IN ('intent', 'verdict', 'close') THEN kind"
        " ELSE kind || ':' || number END",
    ),
    6: (
        "UPDATE turns SET place=" + _PLACE.format("place"),
        "UPDATE receipts SET place=json_array(json_extract(place, '$[0]'), "
        + _PLACE.format("json_extract(place, '$[1]')")
        + ")",
    ),
    2: (
        "ALTER TABLE votes ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0",
        "UPDATE votes SET replaced=1 WHERE EXISTS (SELECT 1 FROM clicks WHERE clicks.turn=votes.turn"
        " AND clicks.user=votes.user AND votes.added_at<=clicks.at)",
    ),
}
"""How to take back what a step renamed and rewrote, under the version that the step reaches."""


def schema_of(version: int) -> sqlite3.Connection:
    """Make an empty database as a version of the schema had it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(connection, version)
    return connection


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Run the migrations up to a version."""
    with patch.object(migrations, "STEPS", migrations.STEPS[:version]):
        migrations.migrate(connection)


def version_of(connection: sqlite3.Connection) -> int:
    """Say which version of the schema a database has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def take_back(connection: sqlite3.Connection, version: int) -> None:
    """Make of a database of today, in memory, one of an earlier version."""
    for reached in sorted(BACK, reverse=True):
        if reached > version:
            for statement in BACK[reached]:
                connection.execute(statement)
    old = schema_of(version)
    for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        then, now = ([row[1] for row in one.execute(f"PRAGMA table_info({table})")] for one in (old, connection))
        columns = [column for column in then if column in now]
        rows = [tuple(row) for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table}")]
        into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        old.executemany(into, rows)
    connection.deserialize(old.serialize())
    old.close()
