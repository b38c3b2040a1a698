"""What is held of one person, as they may ask for it: every row that names them, table by table."""

from __future__ import annotations

from typing import Any

from bot.store.database import Row, Tx
from bot.store.trace import iso

OF_ANSWERS = (
    "SELECT {0}.* FROM {0} JOIN turns ON turns.id={0}.turn"
    " WHERE {0}.user_id=? AND turns.channel=? AND turns.account=? ORDER BY {0}.at"
)
ON_ANSWERS = ("votes", "clicks", "comments")
NAMING = ("early_reactions", "early_changes", "joining", "invited", "guesses")
"""Tables with a person's reactions to answers of anybody, and those that name a person in every row."""
TIMES = frozenset(
    {"at", "sent_at", "accepted_at", "began_at", "finished_at", "edited_at", "ready_at", "since", "last_at", "added_at"}
)


def person(tx: Tx, channel: str, account: str, user: str) -> dict[str, list[dict[str, Any]]]:
    """Return what is held of a person (channel, account, user), by table; a table without anything of them is left out.

    `turns` are what they asked and were told, `steps` the answers as they were rendered, `quoted` the questions of
    others that quote them. Keys are the columns' names; times are ISO 8601 in UTC.
    """
    who = (channel, account, user)
    mine = "SELECT id FROM turns WHERE channel=? AND account=? AND asker=?"
    found = {
        "turns": tx.all("SELECT * FROM turns WHERE channel=? AND account=? AND asker=? ORDER BY id", *who),
        "steps": tx.all(f"SELECT * FROM steps WHERE turn IN ({mine}) ORDER BY turn, kind, number", *who),  # noqa: S608
        "question_parts": tx.all(f"SELECT * FROM question_parts WHERE turn IN ({mine}) ORDER BY turn, number", *who),  # noqa: S608
        "receipts": tx.all(f"SELECT * FROM receipts WHERE turn IN ({mine}) ORDER BY turn, part", *who),  # noqa: S608
        "dead": tx.all(f"SELECT * FROM dead WHERE turn IN ({mine}) ORDER BY at", *who),  # noqa: S608
        **{
            table: tx.all(OF_ANSWERS.format(table), user, channel, account) for table in ("votes", "clicks", "comments")
        },
        **{
            table: _named(tx, table, who)
            for table in ("early_reactions", "early_changes", "joining", "invited", "guesses")
        },
        "epochs": tx.all(
            "SELECT * FROM epochs WHERE channel=? AND account=? AND scope=?", channel, account, f"user:{user}"
        ),
        "cooldowns": tx.all(
            "SELECT * FROM cooldowns WHERE key IN (?,?)",
            *(f"{what}:{channel}:{account}:{user}" for what in ("refused", "limited")),
        ),
        "quoted": [
            row
            for row in tx.all("SELECT * FROM turns WHERE channel=? AND account=? AND context IS NOT NULL", *who[:2])
            if row["asker"] != user and f'"{user}"' in row["context"]
        ],
    }
    return {table: [_plain(row) for row in rows] for table, rows in found.items() if rows}


def _named(tx: Tx, table: str, who: tuple[str, str, str]) -> list[Row]:
    return tx.all(f"SELECT * FROM {table} WHERE channel=? AND account=? AND user_id=?", *who)  # noqa: S608  # constants


def _plain(row: Row) -> dict[str, Any]:
    values = {}
    for key in row.keys():  # noqa: SIM118  # a row is no mapping
        value = row[key]
        if isinstance(value, bytes | memoryview):
            value = bytes(value).decode("utf-8", "replace")
        values[key] = iso(value) if key in TIMES and isinstance(value, int | float) and value < 1e11 else value
    return values
