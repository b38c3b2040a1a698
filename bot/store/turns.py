"""Turns, a row each: what keeps a question from being lost, asked twice or answered twice.

open ── work ──▶ done          `state`; `outcome` says how
 │ cancelled=1                 a deletion or a stop came before the intent: the turn ends without an answer
 │ version+1                   an edit came before the intent: the words are asked anew
 └ intent=1                    the end is promised: from here on edits and deletions come too late
attempt+1 whenever it is taken (earlier attempts are fenced); generation+1 by `dead retry` (new delivery ids)
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.events import Conversation, MessageRef, NoticeKind
from bot.sessions import Address
from bot.store.codec import pack, pack_conversation, ref_from_json, ref_to_json, unpack_conversation
from bot.store.contexts import NOTHING, QuestionContext, pack_context, unpack_context
from bot.store.database import Row, Tx
from bot.store.kinds import Outcome, TurnKind
from bot.store.steps import IS_SUBMITTED, StepName, StepRow, of_turn
from bot.texts import stored

LAST = 1e15
"""`sent_at` of what must come last in its lane: the close of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One row of `turns`, as it was when it was read.

    `address` is canonical, `conversation` where it was said. `question`: the message that asked, None for a slash
    command. `posts_root`: the words of an /ask are posted first, as the root of the thread that is answered in.
    A notice has its kind in `notice`, may be `about` the turn of an answer, and may answer `reply_to`.
    `route` and `site`: where it is asked (`bot.config.site_of`), "" for what an earlier version stored.
    `request_id`: the request at the API that a question became. Times in seconds since the epoch.
    `number`: of its newest message, where messages are numbered (`Joins`). `ready_at`: it waits until then for more of
    its messages, or for what the channel adds; None: it does not. `refusal`: what is told instead of an answer, for it
    cannot be asked as it is. `context`: what goes along with the words.
    """

    id: int
    reference: str
    kind: TurnKind
    lane: str
    address: Address
    conversation: Conversation
    question: MessageRef | None
    posts_root: bool
    asker: str | None
    text: str | None
    notice: NoticeKind | None
    about: int | None
    reply_to: MessageRef | None
    route: str
    site: str
    language: str | None
    locale: str | None
    sent_at: float
    accepted_at: float
    version: int
    cancelled: bool
    attempt: int
    generation: int
    intent: bool
    request_id: str | None
    outcome: Outcome | None
    number: int | None
    ready_at: float | None
    refusal: str | None
    context: QuestionContext


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """What `insert` needs to know; the rest has a natural beginning. `question` is the id of the message that asked."""

    reference: str
    kind: TurnKind
    lane: str
    address: Address
    conversation: Conversation
    sent_at: float
    accepted_at: float
    question: str | None = None
    posts_root: bool = False
    asker: str | None = None
    text: str | None = None
    notice: NoticeKind | None = None
    about: int | None = None
    reply_to: MessageRef | None = None
    scope: str = ""
    epoch: int = 0
    route: str = ""
    site: str = ""
    language: str | None = None
    locale: str | None = None
    edited_at: float | None = None
    number: int | None = None
    ready_at: float | None = None
    refusal: str | None = None
    context: QuestionContext = NOTHING


class Fenced(Exception):
    """Another attempt works on this turn now: this one must end, and store nothing more."""


def insert(tx: Tx, new: NewTurn) -> Turn:
    """Store a turn, and return it as it was stored."""
    row = tx.one(
        "INSERT INTO turns (reference, kind, lane, channel, account, conversation, thread, sent_to, question, root,"
        " asker, text, notice, about, reply_to, scope, epoch, route, language, sent_at, accepted_at, edited_at,"
        " asked_in, number, ready_at, refusal, context, locale, site)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING *",
        *(new.reference, new.kind, new.lane),
        *(new.address.channel, new.address.account, new.address.conversation, new.address.thread),
        *(
            pack_conversation(new.conversation),
            new.question,
            int(new.posts_root),
            new.asker,
            new.text and stored(new.text),
        ),
        *(new.notice, new.about, None if new.reply_to is None else pack(ref_to_json(new.reply_to))),
        *(new.scope, new.epoch, new.route, new.language, new.sent_at, new.accepted_at, new.edited_at),
        *(new.conversation.conversation_id, new.number, new.ready_at, new.refusal and stored(new.refusal)),
        *(pack_context(new.context), new.locale, new.site),
    )
    assert row is not None
    tx.wake(new.lane)
    return from_row(row)


def from_row(row: Row) -> Turn:
    """Make a Turn of its row."""
    conversation = unpack_conversation(row["sent_to"])
    question = row["question"]
    return Turn(
        id=row["id"],
        reference=row["reference"],
        kind=row["kind"],
        lane=row["lane"],
        address=Address(row["channel"], row["account"], row["conversation"], row["thread"]),
        conversation=conversation,
        question=None
        if question is None
        else MessageRef(
            channel=conversation.channel,
            account_id=conversation.account_id,
            conversation_id=conversation.conversation_id,
            message_id=question,
        ),
        posts_root=bool(row["root"]),
        asker=row["asker"],
        text=row["text"],
        notice=row["notice"],
        about=row["about"],
        reply_to=None if row["reply_to"] is None else ref_from_json(json.loads(row["reply_to"])),
        route=row["route"],
        site=row["site"],
        language=row["language"],
        locale=row["locale"],
        sent_at=row["sent_at"],
        accepted_at=row["accepted_at"],
        version=row["version"],
        cancelled=bool(row["cancelled"]),
        attempt=row["attempt"],
        generation=row["generation"],
        intent=bool(row["intent"]),
        request_id=row["request_id"],
        outcome=row["outcome"],
        number=row["number"],
        ready_at=row["ready_at"],
        refusal=row["refusal"],
        context=unpack_context(row["context"]),
    )


def get(tx: Tx, turn_id: int) -> Turn | None:
    """Read one turn."""
    row = tx.one("SELECT * FROM turns WHERE id=?", turn_id)
    return None if row is None else from_row(row)


def open_turns(tx: Tx) -> list[Turn]:
    """Read all open turns, in no order."""
    return [from_row(row) for row in tx.all("SELECT * FROM turns WHERE state='open'")]


def set_request_id(tx: Tx, turn_id: int, request_id: str) -> None:
    """Store which request of the API a question became."""
    tx.run("UPDATE turns SET request_id=? WHERE id=?", request_id, turn_id)


def claim(tx: Tx, turn_id: int, version: int | None = None) -> bool:
    """Promise the end of a question: from here on edits and deletions come too late.

    False when it was cancelled, or its words are not those of `version` any more (None: whatever they are).
    """
    return (
        tx.run(
            "UPDATE turns SET intent=1 WHERE id=? AND cancelled=0 AND version=COALESCE(?, version)",
            turn_id,
            version,
        )
        > 0
    )


def is_next(tx: Tx, turn: Turn) -> bool:
    """Whether no older open turn of the same lane could be worked on."""
    row = tx.one(
        "SELECT id FROM turns WHERE state='open' AND lane=? AND ready_at IS NULL ORDER BY sent_at, id LIMIT 1",
        turn.lane,
    )
    return row is None or row["id"] == turn.id


def is_open(tx: Tx, turn_id: int) -> bool:
    """Whether the turn has not ended."""
    return bool(tx.one("SELECT 1 FROM turns WHERE id=? AND state='open'", turn_id))


def count_waiting(tx: Tx, lane: str) -> int:
    """Count the open turns of one lane."""
    row = tx.one("SELECT count(*) AS n FROM turns WHERE state='open' AND lane=?", lane)
    return 0 if row is None else int(row["n"])


def replace_words(
    tx: Tx, turn_id: int, text: str, context: QuestionContext, edited_at: float, ready_at: float | None
) -> Turn | None:
    """Give an open question new words and what goes along with them; None where these are older than those it has, or
    its answer is already on its way."""
    row = tx.one(
        "UPDATE turns SET text=?, context=?, ready_at=?, version=version+1, edited_at=? WHERE id=? AND state='open'"
        " AND intent=0 AND cancelled=0 AND (edited_at IS NULL OR edited_at<=?) RETURNING *",
        *(text, pack_context(context), ready_at, edited_at, turn_id, edited_at),
    )
    return _changed(tx, row)


def go_on(tx: Tx, changed: Turn) -> Turn | None:
    """Give an open question the words and the context, the number, the wait and the refusal that it has with a further
    message; None when its answer is already on its way."""
    row = tx.one(
        "UPDATE turns SET text=?, context=?, number=?, ready_at=?, refusal=?, version=version+1 WHERE id=?"
        " AND state='open' AND intent=0 AND cancelled=0 RETURNING *",
        *(changed.text, pack_context(changed.context), changed.number, changed.ready_at),
        *(changed.refusal and stored(changed.refusal), changed.id),
    )
    return _changed(tx, row)


def _changed(tx: Tx, row: Row | None) -> Turn | None:
    if row is not None:
        tx.wake(row["lane"])
    return None if row is None else from_row(row)


def make_ready(tx: Tx, turn_id: int, ready_at: float | None = None) -> bool:
    """Let a question wait for no more of its messages; with `ready_at`, unless one has come meanwhile."""
    begins = "UPDATE turns SET ready_at=NULL WHERE id=? AND ready_at=COALESCE(?, ready_at) RETURNING *"
    return _changed(tx, tx.one(begins, turn_id, ready_at)) is not None


def make_lane_ready(tx: Tx, lane: str) -> None:
    """Let the questions of a lane wait for no more: what is put behind them must not overtake them."""
    tx.run("UPDATE turns SET ready_at=NULL WHERE lane=? AND ready_at IS NOT NULL AND state='open'", lane)


def cancel(tx: Tx, turn_id: int) -> bool:
    """End an open question without an answer, unless that is already on its way."""
    return (
        tx.run(
            "UPDATE turns SET cancelled=1, ready_at=NULL WHERE id=? AND state='open' AND intent=0 AND cancelled=0",
            turn_id,
        )
        > 0
    )


def supersede_notice(tx: Tx, lane: str, text: str, now: float) -> None:
    """End a notice that waits in this lane, and was never taken, because the same is to be said again."""
    tx.run(
        "UPDATE turns SET state='done', outcome='superseded', finished_at=?"
        " WHERE state='open' AND lane=? AND kind='notice' AND attempt=0 AND text=?",
        *(now, lane, stored(text)),
    )


def claim_why(tx: Tx, turn_id: int, user: str) -> bool:
    """Store that the asker is asked why an answer is bad; False for anybody else, and when they were asked before."""
    return tx.run("UPDATE turns SET why_asked=1 WHERE id=? AND asker=? AND why_asked=0", turn_id, user) > 0


IN_ORDER = f"ORDER BY {IS_SUBMITTED} DESC, sent_at, id"
"""The order in which the open turns of a lane are worked on."""
_NEXT = f"FROM turns WHERE state='open' AND lane=? AND ready_at IS NULL {IN_ORDER} LIMIT 1"
"""The lane's turn that is to be worked on; one that was submitted before a restart comes first, whatever has arrived
since: one request is in flight."""


def next_of(tx: Tx, lane: str) -> Turn | None:
    """Read the turn of the lane that `take` would take.

    One of no earlier attempt need not be taken: its first write does that (`fence`), and it has no steps.
    """
    row = tx.one(f"SELECT * {_NEXT}", lane)  # a constant
    return None if row is None else from_row(row)


def take(tx: Tx, lane: str, now: float) -> tuple[Turn, dict[StepName, StepRow]] | None:
    """Take the lane's oldest open turn that waits for no more of its messages, under a new attempt that fences all
    earlier ones."""
    row = tx.one(
        f"UPDATE turns SET attempt=attempt+1, began_at=COALESCE(began_at, ?) WHERE id=(SELECT id {_NEXT})"  # noqa: S608
        " RETURNING *",
        *(now, lane),
    )
    if row is None:
        return None
    turn = from_row(row)
    return turn, of_turn(tx, turn.id)


def fence(tx: Tx, turn: Turn, now: float) -> None:
    """Raise `Fenced` unless this attempt still owns the turn. One that nobody has taken so far is taken by it."""
    if turn.attempt == 0:
        begins = "UPDATE turns SET attempt=1, began_at=COALESCE(began_at, ?) WHERE id=? AND attempt=0 AND state='open'"
        if not tx.run(begins, now, turn.id):
            raise Fenced
        return
    row = tx.hold("SELECT attempt, state FROM turns WHERE id=?", turn.id)
    if row is None or row["attempt"] != turn.attempt or row["state"] != "open":
        raise Fenced


def finish(tx: Tx, turn: Turn, outcome: Outcome, now: float, *, reason: str | None, polls: int) -> None:
    """End a turn; signs of progress of a question may be left to remove. `polls` is for `trace`."""
    tx.run(
        "UPDATE turns SET state='done', outcome=?, reason=?, finished_at=?, cleanup=?, polls=polls+? WHERE id=?",
        *(outcome, reason, now, int(turn.kind == "question"), polls, turn.id),
    )
