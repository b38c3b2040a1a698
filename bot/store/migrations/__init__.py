"""The schema, as named steps, a file each; a database knows the number of the last one it has seen.

`0013_words.sql` is for both databases, `0007_words.sqlite.sql` for one of them. SQLite keeps the number in `PRAGMA
user_version`, PostgreSQL in a table `migrations`, which has the names too; it came with the twelfth step.

Steps are written with SQLite's names of types, and `TYPES` says what they are on PostgreSQL, where a plain `REAL` would
keep four bytes and no time of today.

Times are seconds since the epoch (REAL), the platform's for `sent_at`, our clock's otherwise. JSON is TEXT.
`conversation` and `thread` are the first ids known (see `aliases`); `sent_to` (JSON) holds the ids to send to.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from bot.errors import ConfigError

if TYPE_CHECKING:
    from psycopg import Connection

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

TYPES: Final = {"REAL": "DOUBLE PRECISION", "INTEGER": "BIGINT", "BLOB": "BYTEA", "TEXT": 'TEXT COLLATE "C"'}
"""SQLite's name of a type → PostgreSQL's. Words are compared byte by byte, as on SQLite, whatever the language."""

LOCK: Final = 0x757070_7A7901
"""The key of the advisory lock under which PostgreSQL is migrated."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, in the words of its database."""

    number: int
    name: str
    statements: tuple[str, ...]


def steps_for(dialect: Dialect) -> tuple[Migration, ...]:
    """Read the steps of one of the databases, in their order."""
    found = []
    for file in files(__package__).iterdir():
        number, _, rest = file.name.partition("_")
        name, *only = rest.removesuffix(".sql").split(".")
        if file.name.endswith(".sql") and only in ([], [dialect]):
            text = file.read_text(encoding="utf-8")
            if dialect == "postgresql":
                text = re.sub(rf"\b({'|'.join(TYPES)})\b", lambda word: TYPES[word[0]], text)
            statements = tuple(one for one in text.split(";\n") if one.strip())
            found.append(Migration(int(number), name, statements))
    return tuple(sorted(found, key=lambda step: step.number))


STEPS: Final = steps_for("sqlite")


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps a SQLite database has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether the database was written by an older version; a new one was written by none."""
    return 0 < version_of(connection) < len(STEPS)


def newer(version: int) -> ConfigError:
    """Say that a newer version wrote the database: what it means by its tables is not known here."""
    known = STEPS[-1].number
    wanted = f"a database of this version; a newer one wrote it (schema {version}, here {known}): start that one"
    return ConfigError([("BOT_DATABASE_URL", wanted)])


def migrate(connection: sqlite3.Connection) -> int:
    """Bring the schema up to date, each step in a transaction of its own; return the version reached.

    Two processes may start at once: the version is read again under the write lock. Raises `ConfigError` for a database
    of a newer version.
    """
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)
            if version > len(STEPS):
                raise newer(version)
            if version == len(STEPS):
                connection.execute("COMMIT")
                return version
            for statement in STEPS[version].statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def migrate_postgresql(connection: Connection[Any]) -> int:
    """Bring the schema of a PostgreSQL database up to date; return the version reached.

    All steps are one transaction under a lock, for they may run while bots of the version before are at work, and half
    of them is no version. Raises `ConfigError` for a database of a newer version.
    """
    steps = steps_for("postgresql")
    if (version := _seen(connection)) == steps[-1].number:
        return version
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        version = _seen(connection)
        if version > steps[-1].number:
            raise newer(version)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, at TIMESTAMPTZ"
            " NOT NULL DEFAULT now())"
        )
        for step in (step for step in steps if step.number > version):
            for statement in step.statements:
                connection.execute(statement.encode())
            connection.execute("INSERT INTO migrations (version, name) VALUES (%s, %s)", (step.number, step.name))
    return steps[-1].number


def _seen(connection: Connection[Any]) -> int:
    """Return the last step that the database has seen, 0 for none."""
    there = connection.execute("SELECT to_regclass('migrations') IS NOT NULL AS there").fetchone()
    if there is None or not there["there"]:
        return 0
    row = connection.execute("SELECT COALESCE(max(version), 0) AS version FROM migrations").fetchone()
    return 0 if row is None else int(row["version"])
