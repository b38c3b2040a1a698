"""How often each scope of a conversation has begun anew: the epoch is part of its session_id."""

from __future__ import annotations

from bot.sessions import Address
from bot.store.database import Row, Tx


def epoch(tx: Tx, address: Address, scope: str) -> tuple[int, float | None]:
    """Return the epoch of a scope and when it was last used, None when never (or that is forgotten)."""
    row = tx.one(
        "SELECT epochs.epoch, epochs.last_at, floor.value AS floor FROM (SELECT 1) AS one"
        " LEFT JOIN epochs ON channel=? AND account=? AND conversation=? AND scope=?"
        " LEFT JOIN meta AS floor ON floor.key='epoch_floor'",
        address.channel,
        address.account,
        address.conversation,
        scope,
    )
    assert row is not None
    if row["epoch"] is not None:
        return row["epoch"], row["last_at"]
    return int(row["floor"] or 0), None


def set_epoch(tx: Tx, address: Address, scope: str, number: int, at: float) -> None:
    """Store the epoch of a scope and that it was used now."""
    tx.run(
        "INSERT INTO epochs VALUES (?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, scope)"
        " DO UPDATE SET epoch=excluded.epoch, last_at=excluded.last_at",
        address.channel,
        address.account,
        address.conversation,
        scope,
        number,
        at,
    )


def forget_epochs(tx: Tx, condition: str, *args: object, most: int) -> int:
    """Forget at most so many epochs; return how many.

    Those that begin anew start above all of them: an old memory must not return.
    """
    rows = tx.all(
        f"SELECT channel, account, conversation, scope, epoch FROM epochs WHERE {condition} LIMIT ?",  # noqa: S608
        *(*args, most),
    )
    if not rows:
        return 0
    floor = tx.one("SELECT value FROM meta WHERE key='epoch_floor'")
    number = max(0 if floor is None else int(floor["value"]), *(int(row["epoch"]) + 1 for row in rows))
    tx.run(
        "INSERT INTO meta VALUES ('epoch_floor', ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", str(number)
    )
    for row in rows:
        tx.run("DELETE FROM epochs WHERE channel=? AND account=? AND conversation=? AND scope=?", *_key(row))
    return len(rows)


def _key(row: Row) -> tuple[str, str, str, str]:
    return row["channel"], row["account"], row["conversation"], row["scope"]
