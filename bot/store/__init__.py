"""What must not be forgotten: schema, migrations and queries; the only place of the core with SQL.

database.py  what a query may do               sqlite.py · postgres.py  the two databases    migrations/  the schema
writer.py    one writer, group commit          kinds.py   words out of a fixed set
turns.py     a row a turn                      steps.py   what was begun    receipts.py  which messages are ours
questions.py look-ups of questions             conversations.py · epochs.py · events.py · out_of_order.py
votes.py · feedback.py · reasons.py            dead_letters.py · trace.py · admin.py · retention.py · meta.py · vault.py
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from bot.errors import Misconfigured
from bot.store.admin import Admin, NotPossible
from bot.store.database import OpenDatabase
from bot.store.file import scrub
from bot.store.sqlite import SqliteDatabase

__all__ = ["Admin", "NotPossible", "file_of", "missing_file", "open_admin", "open_database"]


def open_database(url: str, *, direct_url: str = "") -> OpenDatabase:
    """Open the database of `BOT_DATABASE_URL`, created and migrated. Raises `ConfigError`.

    `direct_url`: past a pooler, "" where there is none.
    """
    if url.startswith("sqlite:///"):
        embedded = SqliteDatabase(Path(url.removeprefix("sqlite:///")))
        embedded.open()
        return embedded
    from bot.store.postgres import PostgresDatabase  # its import takes a while, and most have no use for it

    shared = PostgresDatabase(url, direct_url=direct_url)
    shared.open()
    return shared


def missing_file(url: str) -> Path | None:
    """Return the path of a database file that is not there yet; None where there is one, or that is none's business."""
    file = file_of(url)
    return None if file is None or file.exists() else file


def file_of(url: str) -> Path | None:
    """Return the path of a database file, None for the address of a server."""
    return Path(url.removeprefix("sqlite:///")).absolute() if url.startswith("sqlite:///") else None


@asynccontextmanager
async def open_admin(url: str, *, direct_url: str = "", make: bool = False) -> AsyncIterator[Admin]:
    """Open the database for an operator's command, beside a running bot or without one. `make`: also a new one.

    `direct_url`: see `open_database`.

    Raises:
        ConfigError: it cannot be opened.
        Misconfigured: there is none, and none is made.
    """
    if not make and (file := missing_file(url)) is not None:
        raise Misconfigured(
            f"There is no database at {file}: the bot makes it when it first runs. Call this in the folder where the "
            "bot runs, or set BOT_DATABASE_URL."
        )
    database = open_database(url, direct_url=direct_url)
    try:
        if isinstance(database, SqliteDatabase):
            yield Admin(database, scrub=partial(scrub, database.path))
        else:
            from bot.store import scrubbing  # as above

            yield Admin(database, scrub=partial(scrubbing.scrub, direct_url or url))
    finally:
        database.close()
