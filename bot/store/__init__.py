"""What must not be forgotten: schema, migrations and queries; the only place of the core with SQL.

database.py  one writer, transactions      migrations.py  the schema        kinds.py   words out of a fixed set
turns.py     a row a turn                  steps.py       what was begun    receipts.py  which messages are ours
questions.py look-ups of questions         conversations.py · epochs.py · events.py · out_of_order.py
votes.py · feedback.py · reasons.py        dead_letters.py · trace.py · admin.py · retention.py · meta.py · vault.py
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.errors import ConfigError
from bot.store.admin import Admin, NotPossible
from bot.store.database import SqliteDatabase

__all__ = ["Admin", "NotPossible", "open_admin", "open_database"]


def open_database(url: str) -> SqliteDatabase:
    """Open the database of `BOT_DATABASE_URL`, created and migrated. Raises `ConfigError`."""
    scheme, _, path = url.partition(":///")
    if scheme != "sqlite" or not path:
        raise ConfigError(
            [("BOT_DATABASE_URL", "sqlite:/// and the path of a file; this version serves no other database")]
        )
    database = SqliteDatabase(Path(path))
    database.open()
    return database


@asynccontextmanager
async def open_admin(url: str) -> AsyncIterator[Admin]:
    """Open the database for an operator's command, beside a running bot or without one. Raises `ConfigError`."""
    database = open_database(url)
    try:
        yield Admin(database)
    finally:
        database.close()
