"""The few things the database knows of itself."""

from __future__ import annotations

from bot.store.database import Tx


def secret(tx: Tx, fresh: str) -> str:
    """Return the key of the session-id hash, made once and kept."""
    tx.run("INSERT INTO meta VALUES ('secret', ?) ON CONFLICT (key) DO NOTHING", fresh)
    row = tx.one("SELECT value FROM meta WHERE key='secret'")
    assert row is not None
    return str(row["value"])


def touch(tx: Tx, now: float) -> None:
    """Write a little, to know that the database can be written."""
    tx.run("INSERT INTO meta VALUES ('touched', ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", str(now))
