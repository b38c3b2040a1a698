"""Turns, their steps and their receipts: what keeps a question from being lost, asked twice or answered twice."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.events import Conversation, MessageRef
from bot.store.conversations import Where, pack, unpack
from bot.store.database import Row, Tx
from bot.store.receipts import REF_FIELDS, ref_of
from bot.store.steps import StepRow, steps_of

LAST = 1e15
"""`sent_at` of what must come last in its lane: the close of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One row of `turns`, as it was when it was read."""

    id: int
    reference: str
    kind: str
    lane: str
    where: Where
    place: Conversation
    question: MessageRef | None
    root: bool
    asker: str | None
    text: str | None
    say: str | None
    about: int | None
    reply_to: MessageRef | None
    route: str
    language: str | None
    sent_at: float
    accepted_at: float
    version: int
    cancelled: bool
    attempt: int
    generation: int
    intent: bool
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """What `insert` needs to know; the rest has a natural beginning."""

    reference: str
    kind: str
    lane: str
    where: Where
    place: Conversation
    sent_at: float
    accepted_at: float
    question: str | None = None
    root: bool = False
    asker: str | None = None
    text: str | None = None
    say: str | None = None
    about: int | None = None
    reply_to: MessageRef | None = None
    scope: str = ""
    epoch: int = 0
    route: str = ""
    language: str | None = None
    edited_at: float | None = None


class Fenced(Exception):
    """Somebody else works on this turn now: whoever meets this stops without another word."""


def seen(tx: Tx, channel: str, account: str, event_id: str, now: float) -> bool:
    """Note an event; whether it had been noted before."""
    return tx.run("INSERT INTO events VALUES (?,?,?,?) ON CONFLICT DO NOTHING", channel, account, event_id, now) == 0


def insert(tx: Tx, new: NewTurn) -> int:
    """Store a turn; return its id."""
    reply = None if new.reply_to is None else json.dumps([getattr(new.reply_to, field) for field in REF_FIELDS])
    row = tx.one(
        "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, place, question, root,"
        " asker, text, say, about, reply_to, scope, epoch, route, language, sent_at, accepted_at, edited_at,"
        " asked_in) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id",
        new.reference,
        new.kind,
        new.lane,
        new.where.channel,
        new.where.account,
        new.where.conversation,
        new.where.thread,
        pack(new.place),
        new.question,
        int(new.root),
        new.asker,
        new.text,
        new.say,
        new.about,
        reply,
        new.scope,
        new.epoch,
        new.route,
        new.language,
        new.sent_at,
        new.accepted_at,
        new.edited_at,
        new.place.conversation_id,
    )
    assert row is not None
    return int(row["id"])


def load(row: Row) -> Turn:
    """Make a Turn of its row."""
    place = unpack(row["place"])
    question = row["question"]
    return Turn(
        id=row["id"],
        reference=row["reference"],
        kind=row["kind"],
        lane=row["lane"],
        where=Where(row["channel"], row["account"], row["conversation"], row["thread"]),
        place=place,
        question=None
        if question is None
        else MessageRef(
            channel=place.channel,
            account_id=place.account_id,
            conversation_id=place.conversation_id,
            message_id=question,
        ),
        root=bool(row["root"]),
        asker=row["asker"],
        text=row["text"],
        say=row["say"],
        about=row["about"],
        reply_to=None if row["reply_to"] is None else ref_of(json.loads(row["reply_to"])),
        route=row["route"],
        language=row["language"],
        sent_at=row["sent_at"],
        accepted_at=row["accepted_at"],
        version=row["version"],
        cancelled=bool(row["cancelled"]),
        attempt=row["attempt"],
        generation=row["generation"],
        intent=bool(row["intent"]),
        request_id=row["request_id"],
    )


def get(tx: Tx, turn_id: int) -> Turn | None:
    """Read one turn."""
    row = tx.one("SELECT * FROM turns WHERE id=?", turn_id)
    return None if row is None else load(row)


def open_turns(tx: Tx) -> list[Turn]:
    """Read all open turns, in no order."""
    return [load(row) for row in tx.all("SELECT * FROM turns WHERE state='open'")]


def submitted(tx: Tx, turn_id: int, request_id: str) -> None:
    """Note which request of the API a question became."""
    tx.run("UPDATE turns SET request_id=? WHERE id=?", request_id, turn_id)


def polled(tx: Tx, turn_id: int, polls: int) -> None:
    """Count polls, for `trace`."""
    tx.run("UPDATE turns SET polls=polls+? WHERE id=?", polls, turn_id)


def claim(tx: Tx, turn_id: int, version: int | None = None) -> bool:
    """Promise the end of a question: from here on edits and deletions come too late.

    False when it was cancelled, or its words are not those of `version` any more (None: whatever they are).
    """
    return (
        tx.run(
            "UPDATE turns SET intent=1 WHERE id=? AND cancelled=0 AND (? IS NULL OR version=?)",
            turn_id,
            version,
            version,
        )
        > 0
    )


def is_next(tx: Tx, turn: Turn) -> bool:
    """Whether no older open turn waits in the same lane."""
    row = tx.one("SELECT id FROM turns WHERE state='open' AND lane=? ORDER BY sent_at, id LIMIT 1", turn.lane)
    return row is None or row["id"] == turn.id


def is_open(tx: Tx, turn_id: int) -> bool:
    """Whether the turn has not ended."""
    return bool(tx.one("SELECT 1 FROM turns WHERE id=? AND state='open'", turn_id))


def waiting(tx: Tx, lane: str) -> int:
    """Count the open turns of one lane."""
    row = tx.one("SELECT count(*) AS n FROM turns WHERE state='open' AND lane=?", lane)
    return 0 if row is None else int(row["n"])


def replace_text(tx: Tx, turn_id: int, text: str, edited_at: float) -> bool:
    """Give an open question new words, unless they are older than those it has, or its answer is already on its way."""
    return (
        tx.run(
            "UPDATE turns SET text=?, version=version+1, edited_at=? WHERE id=? AND state='open' AND intent=0"
            " AND cancelled=0 AND (edited_at IS NULL OR edited_at<=?)",
            text,
            edited_at,
            turn_id,
            edited_at,
        )
        > 0
    )


def cancel(tx: Tx, turn_id: int) -> bool:
    """End an open question without an answer, unless that is already on its way."""
    return tx.run("UPDATE turns SET cancelled=1 WHERE id=? AND state='open' AND intent=0 AND cancelled=0", turn_id) > 0


def take(tx: Tx, lane: str, now: float) -> tuple[Turn, dict[str, StepRow]] | None:
    """Take the lane's oldest open turn, under a new attempt that fences all earlier ones.

    One that was submitted before a restart comes first, whatever has arrived since: one request is in flight.
    """
    row = tx.one(
        "UPDATE turns SET attempt=attempt+1, began_at=COALESCE(began_at, ?) WHERE id="
        "(SELECT id FROM turns WHERE state='open' AND lane=? ORDER BY EXISTS (SELECT 1 FROM steps WHERE"
        " steps.turn=turns.id AND steps.name='submit:0' AND steps.begun_at IS NOT NULL) DESC, sent_at, id LIMIT 1)"
        " RETURNING *",
        now,
        lane,
    )
    if row is None:
        return None
    turn = load(row)
    return turn, steps_of(tx, turn.id)


def fence(tx: Tx, turn: Turn) -> None:
    """Raise `Fenced` unless this attempt still owns the turn."""
    row = tx.one("SELECT attempt, state FROM turns WHERE id=?", turn.id)
    if row is None or row["attempt"] != turn.attempt or row["state"] != "open":
        raise Fenced


def finish(tx: Tx, turn: Turn, outcome: str, now: float, reason: str | None = None, *, cleanup: bool = False) -> None:
    """End a turn; `cleanup` says that signs of progress may be left to remove."""
    tx.run(
        "UPDATE turns SET state='done', outcome=?, reason=?, finished_at=?, cleanup=? WHERE id=?",
        outcome,
        reason,
        now,
        int(cleanup),
        turn.id,
    )


def cleaned(tx: Tx, turn_id: int) -> None:
    """Note that no sign of progress is left."""
    tx.run("UPDATE turns SET cleanup=0 WHERE id=?", turn_id)


def to_clean(tx: Tx) -> list[Turn]:
    """Read the ended turns that may have left signs of progress."""
    return [load(row) for row in tx.all("SELECT * FROM turns WHERE cleanup=1")]
