"""What goes along with a question, as it is stored beside its words: a value, and its form as JSON in a column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bot.events import ContextItem, File, Mention, MessageRef
from bot.store.codec import pack
from bot.store.database import Tx
from bot.store.steps import IS_SUBMITTED


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionContext:
    """`items`: what the person points at. `mentions`: those in the words of the question itself. `files`: those that
    came with it. `reads_thread`: the thread it was asked in is to be read, for the session does not know it.
    `sends_email`: the asker's address goes along.
    """

    items: tuple[ContextItem, ...] = ()
    mentions: tuple[Mention, ...] = ()
    files: tuple[File, ...] = ()
    reads_thread: bool = False
    sends_email: bool = False


NOTHING: Final = QuestionContext()
"""What goes along with most questions; it is stored as NULL."""


def pack_context(context: QuestionContext) -> str | None:
    """Encode it; None for nothing."""
    if context == NOTHING:
        return None
    return pack({name: value for name, value in asdict(context).items() if value})


def unpack_context(stored: str | None) -> QuestionContext:
    """Decode what `pack_context` encoded."""
    if stored is None:
        return NOTHING
    raw = json.loads(stored)
    return QuestionContext(
        items=tuple(_item(item) for item in raw.get("items", ())),
        mentions=_mentions(raw.get("mentions", ())),
        files=tuple(File(**file) for file in raw.get("files", ())),
        reads_thread=raw.get("reads_thread", False),
        sends_email=raw.get("sends_email", False),
    )


def without_person(context: QuestionContext, user: str) -> QuestionContext:
    """Take out what somebody said, and that somebody was named."""
    items = [item for item in context.items if item.author_id != user]
    return replace(
        context,
        items=tuple(replace(item, mentions=_others(item.mentions, user)) for item in items),
        mentions=_others(context.mentions, user),
    )


def add(tx: Tx, turn_id: int, context: QuestionContext) -> bool:
    """Let something more go along with a question that has not been asked yet, and wait no longer; False: too late."""
    return (
        tx.run(
            "UPDATE turns SET context=?, ready_at=NULL WHERE id=? AND state='open' AND intent=0"  # noqa: S608
            f" AND cancelled=0 AND (ready_at IS NOT NULL OR NOT {IS_SUBMITTED})",
            *(pack_context(context), turn_id),
        )
        > 0
    )


def quoting(tx: Tx, channel: str, account: str, user: str) -> list[int]:
    """Find the questions whose context has words of a person, in the whole account: a read that may take a while."""
    found = set()
    for table, key in (("turns", "id"), ("question_parts", "turn")):
        # LIKE finds too much rather than too little; what is changed is decided on the value.
        rows = tx.all(
            f"SELECT {key} AS turn, context FROM {table} WHERE channel=? AND account=? AND context IS NOT NULL"  # noqa: S608
            " AND context LIKE '%' || ? || '%'",
            *(channel, account, user),
        )
        for row in rows:
            context = unpack_context(row["context"])
            if without_person(context, user) != context:
                found.add(row["turn"])
    return sorted(found)


def forget_quoted(tx: Tx, turn_ids: Sequence[int], user: str) -> int:
    """Delete a person's words that are stored with these questions because somebody else pointed at them; return of how
    many questions."""
    return sum(_forget_in_question(tx, turn_id, user) for turn_id in turn_ids)


def _forget_in_question(tx: Tx, turn_id: int, user: str) -> bool:
    changed = False
    row = tx.one("SELECT context FROM turns WHERE id=?", turn_id)
    if row is not None and (left := _without(row["context"], user)) != row["context"]:
        tx.run("UPDATE turns SET context=? WHERE id=?", left, turn_id)
        changed = True
    parts = "SELECT channel, account, asked_in, message, context FROM question_parts WHERE turn=?"
    for part in tx.all(parts, turn_id):
        if (left := _without(part["context"], user)) != part["context"]:
            tx.run(
                "UPDATE question_parts SET context=? WHERE channel=? AND account=? AND asked_in=? AND message=?",
                *(left, part["channel"], part["account"], part["asked_in"], part["message"]),
            )
            changed = True
    return changed


def _without(stored: str | None, user: str) -> str | None:
    """Take a person out of a stored context; as it is where they are not in it."""
    context = unpack_context(stored)
    left = without_person(context, user)
    return stored if left == context else pack_context(left)


def forget_early_quotes(tx: Tx, channel: str, account: str, user: str) -> int:
    """Delete them from what came before its message; return of how many."""
    return tx.run(
        "UPDATE early_changes SET context=NULL WHERE channel=? AND account=? AND context IS NOT NULL"
        " AND context LIKE '%' || ? || '%'",
        *(channel, account, user),
    )


def _others(mentions: tuple[Mention, ...], user: str) -> tuple[Mention, ...]:
    return tuple(mention for mention in mentions if (mention.kind, mention.id) != ("person", user))


def _item(raw: dict[str, Any]) -> ContextItem:
    ref = raw.pop("ref", None)
    return ContextItem(
        **{
            **raw,
            "mentions": _mentions(raw.get("mentions", ())),
            "ref": None if ref is None else MessageRef(**ref),
            "files": tuple(raw.get("files", ())),
        }
    )


def _mentions(raw: Any) -> tuple[Mention, ...]:
    return tuple(Mention(**mention) for mention in raw)
