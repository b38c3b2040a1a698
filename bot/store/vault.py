"""Sealed values by name. They are encrypted before they come here."""

from __future__ import annotations

from bot.store.database import Tx


def get(tx: Tx, name: str) -> str | None:
    """Return the sealed value, None without one."""
    row = tx.one("SELECT value FROM vault WHERE name=?", name)
    return None if row is None else str(row["value"])


def put(tx: Tx, name: str, value: str | None) -> None:
    """Store the sealed value; None deletes it."""
    if value is None:
        tx.run("DELETE FROM vault WHERE name=?", name)
    else:
        tx.run("INSERT INTO vault VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value", name, value)
