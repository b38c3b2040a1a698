"""Turns that have ended and may have left signs of progress behind."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.database import Tx
from bot.store.turns import LAST, Turn, from_row


def set_clean(tx: Tx, turn_ids: Sequence[int]) -> list[Turn]:
    """Store that no sign of progress is left of these turns; return those with a notice that another process sent."""
    left = []
    for turn_id in turn_ids:
        clean = (
            "UPDATE turns SET cleanup=0 WHERE id=?"
            " AND NOT EXISTS (SELECT 1 FROM receipts WHERE turn=turns.id AND kind='progress')"
        )
        if not tx.run(clean, turn_id) and (row := tx.one("SELECT * FROM turns WHERE id=?", turn_id)) is not None:
            left.append(from_row(row))
    return left


def with_progress_left(tx: Tx, before: float = LAST) -> list[Turn]:
    """Read the turns, ended before then, that may have left signs of progress."""
    return [from_row(row) for row in tx.all("SELECT * FROM turns WHERE cleanup=1 AND finished_at<?", before)]
