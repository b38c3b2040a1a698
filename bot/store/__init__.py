"""What must not be forgotten: schema, migrations and queries; the only place with SQL besides the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.config import Config
from bot.errors import ConfigError
from bot.store.database import SqliteDatabase
from bot.store.operator import NotPossible, Operator

__all__ = ["NotPossible", "Operator", "open_database", "open_operator"]


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
async def open_operator(config: Config) -> AsyncIterator[Operator]:
    """Open the database for an operator's command, beside a running bot or without one."""
    database = open_database(config.database_url)
    try:
        yield Operator(database)
    finally:
        database.close()
