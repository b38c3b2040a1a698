"""Forgetting a person: what is held of them, as slices (see `retention`), each by an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bot.store import contexts, dead_letters, steps, votes
from bot.store.database import Tx
from bot.store.epochs import forget_epochs
from bot.store.retention import ROWS, TURNS, Slice


def person(
    channel: str, account: str, user: str, quoted: Sequence[int], payloads: Sequence[str]
) -> Iterator[tuple[str, Slice]]:
    """Yield what is to be deleted, by the names of `sessions forget --json`; a name may come more than once.

    `quoted`: the questions that `contexts.quoting` has found, `payloads`: the dead letters of `dead_letters.naming`;
    the writer has no time for such a search.
    """
    who = (channel, account, user)
    yield "tallies", lambda tx: votes.forget_tallies(tx, user, ROWS)
    for table, key in (
        ("votes", "turn, message, user_id, emoji"),
        ("clicks", "turn, user_id"),
        ("comments", "turn, event_id"),
    ):
        yield table, _on_answers(table, key, who)
    for name, table in (("early", "early_reactions"), ("overtaken", "early_changes")):
        yield name, _early(table, who)
    yield "dead", lambda tx: _turns_letters(tx, who)
    for start in range(0, len(payloads), ROWS):
        yield "dead", partial(dead_letters.remove_all, references=payloads[start : start + ROWS])
    yield "turns", lambda tx: tx.run("DELETE FROM joining WHERE channel=? AND account=? AND user_id=?", *who)
    for start in range(0, len(quoted), TURNS):
        yield "quoted", partial(contexts.forget_quoted, turn_ids=quoted[start : start + TURNS], user=user)
    yield "quoted", lambda tx: contexts.forget_early_quotes(tx, *who)
    yield "quoted", lambda tx: steps.forget_gathered(tx, (channel, account), user)
    yield (
        "turns",
        lambda tx: tx.run(
            "DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE channel=? AND account=? AND asker=? LIMIT ?)",
            *(*who, TURNS),
        ),
    )
    yield (
        "epochs",
        lambda tx: forget_epochs(
            tx, "channel=? AND account=? AND scope=?", channel, account, f"user:{user}", most=ROWS
        ),
    )
    for table in ("invited", "guesses"):
        yield "invitations", _early(table, who)
    keys = [f"{what}:{channel}:{account}:{user}" for what in ("refused", "limited")]
    yield "said", lambda tx: tx.run("DELETE FROM cooldowns WHERE key IN (?,?)", *keys)


def _on_answers(table: str, key: str, who: tuple[str, str, str]) -> Slice:
    channel, account, user = who
    chosen = (
        f"SELECT {key} FROM {table} WHERE user_id=? AND EXISTS"  # noqa: S608  # constants
        f" (SELECT 1 FROM turns WHERE id={table}.turn AND channel=? AND account=?) LIMIT {ROWS}"
    )
    statement = f"DELETE FROM {table} WHERE ({key}) IN ({chosen})"  # noqa: S608  # constants
    return lambda tx: tx.run(statement, user, channel, account)


def _early(table: str, who: tuple[str, str, str]) -> Slice:
    statement = f"DELETE FROM {table} WHERE channel=? AND account=? AND user_id=?"  # noqa: S608  # constants
    return lambda tx: tx.run(statement, *who)


def _turns_letters(tx: Tx, who: tuple[str, str, str]) -> int:
    return tx.run(
        "DELETE FROM dead WHERE turn IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM turns WHERE id=dead.turn AND channel=? AND account=? AND asker=?)",
        *who,
    )
