"""Questions whose answers people were not content with, for an operator who writes better ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.store.database import Row, Tx
from bot.store.steps import ANSWER, answer_in


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was answered: its words, the answer's, whether that was rated bad, and why."""

    question: str
    answer: str
    bad: bool
    reasons: tuple[str, ...]


def answered(
    tx: Tx, after: float, limit: int, before: tuple[float, int] | None = None
) -> tuple[list[Asked], tuple[float, int] | None]:
    """List the questions accepted at `after` or later whose words are still kept, newest first.

    `before`: where the last list ended, as it was returned beside it; None at the end.
    """
    kept = "turns.text IS NOT NULL AND turns.kind='question' AND turns.outcome='answered'"
    rated = "turns LEFT JOIN feedback ON feedback.turn=turns.id"
    rows = tx.all(
        f"SELECT turns.id, turns.accepted_at, turns.text, feedback.rating, ({ANSWER}) AS answer FROM {rated}"  # noqa: S608  # constants
        f" WHERE turns.accepted_at>=? AND (turns.accepted_at, turns.id)<(?, ?) AND {kept}"
        " ORDER BY turns.accepted_at DESC, turns.id DESC LIMIT ?",
        *(after, *(before or (math.inf, 0)), limit),
    )
    last = (rows[-1]["accepted_at"], rows[-1]["id"]) if rows else None
    return [_asked(tx, row) for row in rows], last


def _asked(tx: Tx, row: Row) -> Asked:
    bad = row["rating"] == "bad"
    said = tx.all("SELECT text FROM comments WHERE turn=? AND text<>'' ORDER BY at", row["id"]) if bad else []
    return Asked(row["text"], answer_in(row["answer"]), bad, tuple(reason["text"] for reason in said))
