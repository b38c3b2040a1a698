"""Receipts: which messages are ours, and which turn each belongs to."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.events import Conversation, MessageRef
from bot.store.conversations import Key, key_of, other_keys, pack, unpack
from bot.store.database import Row, Tx

REF_FIELDS = ("channel", "account_id", "conversation_id", "message_id")


def ref_of(values: Sequence[str]) -> MessageRef:
    """Make a MessageRef of its four strings."""
    return MessageRef(**dict(zip(REF_FIELDS, values, strict=True)))


def add(tx: Tx, turn_id: int, ref: MessageRef, place: Conversation, kind: str, part: int, now: float) -> None:
    """Note that a message is ours; `place` is where it was sent to."""
    tx.run(
        "INSERT INTO receipts VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        *key_of(ref),
        turn_id,
        kind,
        part,
        now,
        json.dumps([ref.conversation_id, pack(place)]),
    )


def find(tx: Tx, key: Key) -> Row | None:
    """Find which turn a message of ours belongs to: its `turn`, `kind` and `part`."""
    for one in (key, *other_keys(tx, key)):
        row = tx.one("SELECT * FROM receipts WHERE channel=? AND account=? AND conversation=? AND message=?", *one)
        if row is not None:
            return row
    return None


def place_of(row: Row) -> Conversation:
    """Return where a message was sent to."""
    return unpack(json.loads(row["place"])[1])


def remove(tx: Tx, ref: MessageRef) -> None:
    """Forget a message of ours that was deleted."""
    tx.run("DELETE FROM receipts WHERE channel=? AND account=? AND conversation=? AND message=?", *key_of(ref))


def of_turn(tx: Tx, turn_id: int, kind: str) -> list[MessageRef]:
    """List the messages of one kind that a turn sent, in order of their parts."""
    rows = tx.all("SELECT * FROM receipts WHERE turn=? AND kind=? ORDER BY part", turn_id, kind)
    return [
        MessageRef(
            channel=row["channel"],
            account_id=row["account"],
            conversation_id=json.loads(row["place"])[0],
            message_id=row["message"],
        )
        for row in rows
    ]
