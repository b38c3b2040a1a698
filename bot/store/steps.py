"""The steps of turns: what was begun, what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.store.database import Tx


@dataclass(slots=True, kw_only=True)
class StepRow:
    """What is known of a step: begun without done means that its outcome is unknown."""

    begun_at: float | None = None
    done_at: float | None = None
    unknowns: int = 0
    result: Any = None


def steps_of(tx: Tx, turn_id: int) -> dict[str, StepRow]:
    """Read the steps of a turn by name."""
    return {
        row["name"]: StepRow(
            begun_at=row["begun_at"],
            done_at=row["done_at"],
            unknowns=row["unknowns"],
            result=None if row["result"] is None else json.loads(row["result"]),
        )
        for row in tx.all("SELECT * FROM steps WHERE turn=?", turn_id)
    }


def save(tx: Tx, turn_id: int, name: str, step: StepRow) -> None:
    """Store what is known of a step."""
    result = None if step.done_at is None else json.dumps(step.result, ensure_ascii=False, separators=(",", ":"))
    tx.run(
        "INSERT INTO steps VALUES (?,?,?,?,?,?) ON CONFLICT (turn, name) DO UPDATE SET begun_at=excluded.begun_at,"
        " done_at=excluded.done_at, unknowns=excluded.unknowns, result=excluded.result",
        turn_id,
        name,
        step.begun_at,
        step.done_at,
        step.unknowns,
        result,
    )


def sending(tx: Tx, channel: str, account: str, conversation: str) -> bool:
    """Whether a part of an answer may be on its way into this conversation (first-known id)."""
    return bool(
        tx.one(
            "SELECT 1 FROM steps JOIN turns ON turns.id=steps.turn WHERE turns.state='open' AND turns.channel=?"
            " AND turns.account=? AND turns.conversation=? AND steps.name LIKE 'send:%' AND steps.done_at IS NULL"
            " AND steps.begun_at IS NOT NULL LIMIT 1",
            channel,
            account,
            conversation,
        )
    )
