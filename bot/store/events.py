"""Which events were taken in: platforms deliver again what was not acknowledged in time."""

from __future__ import annotations

from bot.store.database import Tx


def note(tx: Tx, channel: str, account: str, event_id: str, now: float) -> bool:
    """Store that an event is taken in; False when it had been before."""
    return tx.run("INSERT INTO events VALUES (?,?,?,?) ON CONFLICT DO NOTHING", channel, account, event_id, now) > 0


def is_noted(tx: Tx, channel: str, account: str, event_id: str) -> bool:
    """Whether an event was taken in."""
    return bool(tx.one("SELECT 1 FROM events WHERE channel=? AND account=? AND event_id=?", channel, account, event_id))
