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


def remove(tx: Tx, name: str) -> str | None:
    """Delete a sealed value and return it; of several that ask at once one gets it, the others None."""
    row = tx.one("DELETE FROM vault WHERE name=? RETURNING value", name)
    return None if row is None else str(row["value"])


def beginning_with(tx: Tx, beginning: str) -> dict[str, str]:
    """Return the sealed values whose names begin so, by name."""
    rows = tx.all("SELECT name, value FROM vault WHERE substr(name, 1, ?)=? ORDER BY name", len(beginning), beginning)
    return {str(row["name"]): str(row["value"]) for row in rows}


def replace(tx: Tx, name: str, old: str, new: str) -> bool:
    """Put another sealed value in the place of one, unless that was changed meanwhile."""
    return tx.run("UPDATE vault SET value=? WHERE name=? AND value=?", new, name, old) > 0
