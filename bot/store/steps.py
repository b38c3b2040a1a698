"""The steps of turns: what was begun, what came of it. The only file that spells the names of steps, in SQL too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from bot.sessions import Address
from bot.store.codec import pack
from bot.store.database import Tx
from bot.store.kinds import LetterKind, MessageKind, StepKind

IS_SUBMITTED = (
    "EXISTS (SELECT 1 FROM steps WHERE steps.turn=turns.id AND steps.kind='submit' AND steps.number=0"
    " AND steps.begun_at IS NOT NULL)"
)
"""A condition on `turns`: the question's first submit has begun."""
IS_SENDING = (
    "EXISTS (SELECT 1 FROM steps WHERE steps.turn=turns.id AND steps.kind='send' AND steps.begun_at IS NOT NULL"
    " AND steps.done_at IS NULL)"
)
"""A condition on `turns`: a part of the answer may be on its way."""
ANSWER = (
    "SELECT result FROM steps WHERE turn=turns.id AND kind IN ('intent', 'poll') AND result LIKE '{%'"
    " ORDER BY kind, number DESC LIMIT 1"
)
"""The stored answer of each of `turns`, for `answer_in`: the intent has it; of older versions the last poll."""
SENT_WITHOUT_RECEIPT = "[]"
"""The stored result of a send of which nobody can tell whether it arrived."""


class StepName(NamedTuple):
    """Names a step within its turn. `number` counts submits of an edited question, parts of an answer, notices."""

    kind: StepKind
    number: int = 0

    def __str__(self) -> str:
        """Write it as `trace` and the logs show it, and as delivery ids are derived from it.

        >>> str(StepName("send", 2)), str(StepName("intent"))
        ('send:2', 'intent')
        """
        return self.kind if self.kind in ("intent", "verdict", "close") else f"{self.kind}:{self.number}"


INTENT = StepName("intent")
VERDICT = StepName("verdict")
CLOSE = StepName("close")
ROOT = StepName("root")
CONTEXT = StepName("context")
FIRST_NOTICE = StepName("progress", 1)
SECOND_NOTICE = StepName("progress", 2)


def sending_step(kind: MessageKind, part: int) -> StepName:
    """Name the step that sends a message of this kind."""
    return StepName("send" if kind == "answer" else cast("StepKind", kind), part)


@dataclass(slots=True, kw_only=True)
class StepRow:
    """What is known of a step: begun without done means that its outcome is unknown. `result` is a JSON value.

    `unknowns` counts how often the outcome was.
    """

    begun_at: float | None = None
    done_at: float | None = None
    unknowns: int = 0
    result: Any = None


def of_turn(tx: Tx, turn_id: int) -> dict[StepName, StepRow]:
    """Read the steps of a turn by name."""
    return {
        StepName(row["kind"], row["number"]): StepRow(
            begun_at=row["begun_at"],
            done_at=row["done_at"],
            unknowns=row["unknowns"],
            result=None if row["result"] is None else json.loads(row["result"]),
        )
        for row in tx.all("SELECT * FROM steps WHERE turn=? ORDER BY kind, number", turn_id)
    }


def answer_in(stored: str | None) -> str:
    """Return the words of the answer that `ANSWER` has found, "" for none."""
    answer = json.loads(stored)["answer"] if stored else None
    return str(answer["text"] if isinstance(answer, dict) else answer or "")


def save(tx: Tx, turn_id: int, name: StepName, step: StepRow) -> None:
    """Store what is known of a step."""
    tx.run(
        "INSERT INTO steps (turn, kind, number, begun_at, done_at, unknowns, result) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (turn, kind, number) DO UPDATE SET begun_at=excluded.begun_at,"
        " done_at=excluded.done_at, unknowns=excluded.unknowns, result=excluded.result",
        turn_id,
        name.kind,
        name.number,
        step.begun_at,
        step.done_at,
        step.unknowns,
        None if step.done_at is None else pack(step.result),
    )


def forget(tx: Tx, turn_id: int, name: StepName) -> None:
    """Forget one step of a turn."""
    tx.run("DELETE FROM steps WHERE turn=? AND kind=? AND number=?", turn_id, name.kind, name.number)


def is_sending(tx: Tx, address: Address) -> bool:
    """Whether a part of an answer may be on its way into this conversation."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE state='open' AND channel=? AND account=? AND conversation=?"  # noqa: S608
            f" AND {IS_SENDING} LIMIT 1",
            address.channel,
            address.account,
            address.conversation,
        )
    )


def forget_gathered(tx: Tx, account: tuple[str, str], user: str) -> int:
    """Forget what was read of threads, and the names that were looked up, where a person is in it; it is read again if
    it is needed. `account`: the channel and its account."""
    return tx.run(
        # By the few steps of this kind, not by the many turns of the account.
        "DELETE FROM steps WHERE kind='context' AND result LIKE '%' || ? || '%'"
        " AND EXISTS (SELECT 1 FROM turns WHERE id=steps.turn AND channel=? AND account=?)",
        *(user, *account),
    )


def forget_for_retry(tx: Tx, turn_id: int, letter: LetterKind) -> bool:
    """Forget the steps that a dead letter's retry does anew; whether the answer is still there to be sent.

    What was sent stays sent, and the root of an /ask stays posted. The parts of an answer that was not delivered are
    kept, all but those of which nobody can tell whether they arrived; a question without an answer is asked anew.
    """
    kept = "kind IN ('intent', 'send', 'root')" if letter == "delivery" else "kind='root'"
    tx.run(f"DELETE FROM steps WHERE turn=? AND NOT ({kept} AND done_at IS NOT NULL)", turn_id)  # noqa: S608
    tx.run("DELETE FROM steps WHERE turn=? AND kind='send' AND result=?", turn_id, SENT_WITHOUT_RECEIPT)
    return bool(tx.one("SELECT 1 FROM steps WHERE turn=? AND kind='intent'", turn_id))
