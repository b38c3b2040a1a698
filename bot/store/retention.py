"""Retention: texts go after `text_days`, whole turns and their counts after `count_days`."""

from __future__ import annotations

from bot.config import Retention
from bot.store import overtaken
from bot.store.database import Tx

DAY = 86400.0
AT_ONCE = 500
"""Turns deleted in one transaction, so that nobody waits for it."""


def forget_old(tx: Tx, retention: Retention, now: float) -> int:
    """Forget what is old enough, as much as one transaction should; return how many rows changed."""
    text_before, before = now - retention.text_days * DAY, now - retention.count_days * DAY
    old = f"(SELECT id FROM turns WHERE state='done' AND accepted_at<? ORDER BY id LIMIT {AT_ONCE})"  # noqa: S608
    worded = "(SELECT id FROM turns WHERE state='done' AND accepted_at<? AND text IS NOT NULL)"
    changed = tx.run(f"DELETE FROM turns WHERE id IN {old}", before)  # noqa: S608  # constants
    # The steps hold the rendered parts of the answer.
    tx.run(f"DELETE FROM steps WHERE turn IN {worded}", text_before)  # noqa: S608  # constants
    changed += tx.run(
        "UPDATE turns SET text=NULL WHERE state='done' AND accepted_at<? AND text IS NOT NULL", text_before
    )
    changed += tx.run("UPDATE comments SET text=NULL WHERE at<? AND text IS NOT NULL", text_before)
    changed += tx.run("DELETE FROM dead WHERE at<?", text_before)
    changed += tx.run("DELETE FROM early WHERE at<?", now - 600.0)
    changed += overtaken.forget_old(tx, now)
    changed += tx.run("DELETE FROM said WHERE at<?", now - 2 * DAY)
    changed += tx.run("DELETE FROM events WHERE at<?", text_before)
    return changed
