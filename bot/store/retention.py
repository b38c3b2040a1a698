"""Retention: texts go after `text_days`, whole turns, their counts and whatever names a person after `count_days`.

| goes after     | what                                                                                        |
|----------------|---------------------------------------------------------------------------------------------|
| `text_days`    | questions, rendered answers (steps), reasons, dead letters with their payloads, event ids   |
| `count_days`   | turns with receipts, votes and ratings; epochs, threads of /ask, conversations out of reach |
| 2 days at most | cooldowns of notices, events that came before what they are about                           |

What stays: the key of the session ids, moved conversations, sealed tokens.
"""

from __future__ import annotations

from bot.store import joining, out_of_order
from bot.store.database import Tx
from bot.store.epochs import forget_epochs

DAY = 86400.0
REPEATED = 2 * DAY
"""Seconds that an event id is kept at least: as long as a platform may deliver the event again."""
AT_ONCE = 500
"""Turns forgotten in one transaction, so that nobody waits for it."""


def forget_old(tx: Tx, text_days: int, count_days: int, now: float) -> int:
    """Forget what is old enough, as much as one transaction should; return how many rows changed."""
    text_before, before = now - text_days * DAY, now - count_days * DAY
    changed = _texts(tx, text_before) + _turns(tx, before)
    changed += tx.run("DELETE FROM dead WHERE at<?", text_before)
    changed += tx.run("DELETE FROM events WHERE at<?", min(text_before, now - REPEATED))
    changed += tx.run("DELETE FROM cooldowns WHERE at<?", now - 2 * DAY)
    changed += out_of_order.forget_old(tx, now) + joining.forget_old(tx, now)
    return changed


def _texts(tx: Tx, before: float) -> int:
    # A turn that is done is never worked on again, except by `dead retry`, which needs its words.
    worded = (
        "(SELECT id FROM turns WHERE state='done' AND accepted_at<? AND text IS NOT NULL"  # noqa: S608  # a constant
        f" ORDER BY id LIMIT {AT_ONCE})"
    )
    tx.run(f"DELETE FROM steps WHERE turn IN {worded}", before)  # noqa: S608  # they hold the rendered parts
    tx.run(f"DELETE FROM question_parts WHERE turn IN {worded}", before)  # noqa: S608  # constants
    changed = tx.run(f"UPDATE turns SET text=NULL, context=NULL WHERE id IN {worded}", before)  # noqa: S608  # constants
    return changed + tx.run("UPDATE comments SET text=NULL WHERE at<? AND text IS NOT NULL", before)


def _turns(tx: Tx, before: float) -> int:
    old = f"(SELECT id FROM turns WHERE state='done' AND accepted_at<? ORDER BY id LIMIT {AT_ONCE})"  # noqa: S608
    changed = tx.run(f"DELETE FROM turns WHERE id IN {old}", before)  # noqa: S608  # constants
    changed += forget_epochs(tx, "last_at<?", before)
    changed += tx.run("DELETE FROM aliases WHERE thread<>'' AND at<?", before)
    return changed + tx.run("DELETE FROM unreachable WHERE at<?", before)
