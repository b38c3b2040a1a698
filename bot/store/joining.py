"""Questions that several messages make: their parts, and whose question may go on with the next message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.events import JoinKind, MessageRef
from bot.sessions import Address
from bot.store.contexts import NOTHING, QuestionContext, pack_context, unpack_context
from bot.store.database import Row, Tx

KEEP = 3600.0
"""Seconds after which nothing can go on any more, however late a platform delivers what came together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """A person's question in a conversation that their next message may be a part of.

    `turn`: the question, None for one that was not taken. `thread` is canonical; `number` and `sent_at` (seconds, the
    platform's) are of its newest message; `since`: when its first one was taken in; `kind`: why more may follow.
    """

    turn: int | None
    thread: str
    number: int
    sent_at: float
    since: float
    kind: JoinKind


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPart:
    """One message of a question, by its id. `glue`: what stands between its words and those that follow. `context`:
    what goes along with it."""

    message: str
    number: int
    text: str
    glue: str
    edited_at: float | None = None
    context: QuestionContext = NOTHING


def from_row(row: Row) -> Joining | None:
    """Make a Joining of the columns that `conversations.locate` reads; None where they are empty."""
    if row["joining_number"] is None:
        return None
    return Joining(
        turn=row["joining_turn"],
        thread=row["joining_thread"],
        number=row["joining_number"],
        sent_at=row["joining_sent_at"],
        since=row["joining_since"],
        kind=row["joining_kind"],
    )


def note(tx: Tx, address: Address, user: str, joining: Joining) -> None:
    """Store that a question may go on; it takes the place of any other of that person in the conversation."""
    tx.run(
        "INSERT INTO joining (channel, account, conversation, user_id, turn, thread, number, sent_at, since, kind)"
        " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, user_id) DO UPDATE SET"
        " turn=excluded.turn, thread=excluded.thread, number=excluded.number, sent_at=excluded.sent_at,"
        " since=excluded.since, kind=excluded.kind",
        *(address.channel, address.account, address.conversation, user),
        *(joining.turn, joining.thread, joining.number, joining.sent_at, joining.since, joining.kind),
    )


def end(tx: Tx, address: Address, user: str) -> None:
    """Store that the person's question is whole."""
    tx.run(
        "DELETE FROM joining WHERE channel=? AND account=? AND conversation=? AND user_id=?",
        *(address.channel, address.account, address.conversation, user),
    )


def parts_of(tx: Tx, turn_id: int) -> list[QuestionPart]:
    """Read the messages that make a question, in their order; none for one that a single message made."""
    return [
        QuestionPart(
            message=row["message"],
            number=row["number"],
            text=row["text"] or "",
            glue=row["glue"],
            edited_at=row["edited_at"],
            context=unpack_context(row["context"]),
        )
        for row in tx.all("SELECT * FROM question_parts WHERE turn=? ORDER BY number", turn_id)
    ]


def save_parts(tx: Tx, turn_id: int, asked_in: MessageRef, parts: Sequence[QuestionPart]) -> None:
    """Store messages as parts of a question; `asked_in` is any message of their conversation."""
    for part in parts:
        tx.run(
            "INSERT INTO question_parts"
            " (channel, account, asked_in, message, turn, number, text, glue, edited_at, context)"
            " VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (channel, account, asked_in, message) DO UPDATE SET"
            " turn=excluded.turn, text=excluded.text, edited_at=excluded.edited_at, context=excluded.context",
            *(asked_in.channel, asked_in.account_id, asked_in.conversation_id, part.message),
            *(turn_id, part.number, part.text, part.glue, part.edited_at, pack_context(part.context)),
        )


def remove_part(tx: Tx, ref: MessageRef) -> None:
    """Forget a message that was deleted."""
    tx.run(
        "DELETE FROM question_parts WHERE channel=? AND account=? AND asked_in=? AND message=?",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
    )


def forget_old(tx: Tx, now: float) -> int:
    """Forget what cannot go on any more; return how much."""
    return tx.run("DELETE FROM joining WHERE since<?", now - KEEP)
