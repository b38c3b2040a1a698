"""Retention: texts go after `text_days`, whole turns, their counts and whatever names a person after `count_days`.

| goes after     | what                                                                                        |
|----------------|---------------------------------------------------------------------------------------------|
| `text_days`    | questions, rendered answers (steps), reasons, dead letters with their payloads, event ids   |
| `count_days`   | turns with receipts, votes and ratings; epochs, threads of /ask, conversations out of reach |
| 2 days at most | cooldowns of notices, events that came before what they are about                           |
| when void      | invitations that have expired or are used up, wrong guesses of codes                        |

What stays: the key of the session ids, moved conversations, sealed tokens, who was invited, in which conversations the
bot has greeted.

All of it is done in slices, each a transaction of some milliseconds that finds its rows by an index: the writer is
everybody's, and a platform waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from bot.store import invitations, joining, out_of_order
from bot.store.conversations import GREETED
from bot.store.database import Tx
from bot.store.epochs import forget_epochs

DAY = 86400.0
REPEATED = 2 * DAY
"""Seconds that an event id is kept at least: as long as a platform may deliver the event again."""

TURNS: Final = 10
ROWS: Final = 200
"""Turns, with all that hangs on them, and single rows that one slice forgets."""
PAGES: Final = 50
SPARE_PAGES: Final = 1_000
"""Pages that one slice gives back to the disk, as long as more than SPARE_PAGES lie empty; a page has 4 kB."""

Slice: TypeAlias = Callable[[Tx], int]
"""Forgets some rows, and returns how many; 0 when there are none left."""


async def in_slices(write: Callable[[Slice], Awaitable[int]], slices: tuple[Slice, ...]) -> list[int]:
    """Do each slice until nothing is left for it; return how many rows went by each."""
    counts = []
    for one in slices:
        counts.append(0)
        while changed := await write(one):
            counts[-1] += changed
    return counts


def old(text_days: float, count_days: float, now: float) -> tuple[Slice, ...]:
    """Return the slices that forget what is old enough."""
    text_before, before = now - text_days * DAY, now - count_days * DAY
    events_before = min(text_before, now - REPEATED)
    return (
        lambda tx: _texts(tx, text_before),
        lambda tx: tx.run(
            "UPDATE comments SET text=NULL WHERE (turn, event_id) IN"
            " (SELECT turn, event_id FROM comments WHERE at<? AND text IS NOT NULL ORDER BY at LIMIT ?)",
            *(text_before, ROWS),
        ),
        lambda tx: tx.run(
            "DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE accepted_at<? AND state='done'"
            " ORDER BY accepted_at LIMIT ?)",
            *(before, TURNS),
        ),
        lambda tx: forget_epochs(tx, "last_at<?", before, most=ROWS),
        lambda tx: tx.run(
            "DELETE FROM aliases WHERE (channel, account, conversation, thread) IN"
            " (SELECT channel, account, conversation, thread FROM aliases WHERE thread<>'' AND at<? LIMIT ?)",
            *(before, ROWS),
        ),
        lambda tx: tx.run("DELETE FROM unreachable WHERE at<?", before),
        lambda tx: tx.run(
            "DELETE FROM dead WHERE reference IN (SELECT reference FROM dead WHERE at<? ORDER BY at LIMIT ?)",
            *(text_before, ROWS),
        ),
        lambda tx: tx.run(
            "DELETE FROM events WHERE (channel, account, event_id) IN"
            " (SELECT channel, account, event_id FROM events WHERE at<? ORDER BY at LIMIT ?)",
            *(events_before, ROWS),
        ),
        lambda tx: tx.run(
            "DELETE FROM cooldowns WHERE key IN (SELECT key FROM cooldowns WHERE at<? AND key NOT LIKE ? LIMIT ?)",
            *(now - 2 * DAY, f"{GREETED}%", ROWS),
        ),
        lambda tx: out_of_order.forget_old(tx, now),
        lambda tx: joining.forget_old(tx, now),
        lambda tx: invitations.forget_old(tx, now, ROWS),
        give_back,
    )


def _texts(tx: Tx, before: float) -> int:
    """Forget the words and the rendered parts of some turns that are done.

    A turn that is done is never worked on again, except by `dead retry`, which needs its words.
    """
    rows = tx.all(
        "SELECT id FROM turns WHERE accepted_at<? AND text IS NOT NULL AND state='done' ORDER BY accepted_at LIMIT ?",
        *(before, TURNS),
    )
    for row in rows:
        tx.run("DELETE FROM steps WHERE turn=?", row["id"])
        tx.run("DELETE FROM question_parts WHERE turn=?", row["id"])
        tx.run("UPDATE turns SET text=NULL, context=NULL WHERE id=?", row["id"])
    return len(rows)


def give_back(tx: Tx) -> int:
    """Give some empty pages back to the disk, if there are many; return how many.

    A database that was made by a version before this one has no list of them and keeps its size; SQLite's
    `VACUUM`, with the bot stopped, would give back all.
    """
    return tx.give_back(SPARE_PAGES, PAGES)
