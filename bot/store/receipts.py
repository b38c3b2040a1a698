"""Receipts: which messages are ours, and which turn each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from bot.events import Conversation, MessageRef
from bot.store.codec import pack_conversation, unpack_conversation
from bot.store.conversations import refs_before_a_move
from bot.store.database import Row, Tx
from bot.store.kinds import MessageKind


@dataclass(frozen=True, slots=True)
class Receipt:
    """One message of ours: the turn that sent it, what it is, where it was sent to."""

    turn: int
    kind: MessageKind
    ref: MessageRef
    conversation: Conversation


def add(tx: Tx, receipt: Receipt, part: int, now: float) -> None:
    """Store that a message is ours, as part number `part` of its turn's messages of this kind."""
    ref = receipt.ref
    tx.run(
        "INSERT INTO receipts (channel, account, conversation, message, turn, kind, part, at, sent_to)"
        " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
        *(receipt.turn, receipt.kind, part, now, pack_conversation(receipt.conversation)),
    )


def find(tx: Tx, ref: MessageRef) -> Receipt | None:
    """Find the receipt of a message of ours, also of one from before its conversation has moved."""
    if (receipt := _find(tx, ref)) is not None:
        return receipt
    receipts = (_find(tx, older) for older in refs_before_a_move(tx, ref))
    return next((receipt for receipt in receipts if receipt is not None), None)


def _find(tx: Tx, ref: MessageRef) -> Receipt | None:
    row = tx.one(
        "SELECT * FROM receipts WHERE channel=? AND account=? AND conversation=? AND message=?",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
    )
    return None if row is None else _from_row(row)


def _from_row(row: Row) -> Receipt:
    ref = MessageRef(
        channel=row["channel"],
        account_id=row["account"],
        conversation_id=row["conversation"],
        message_id=row["message"],
    )
    return Receipt(row["turn"], row["kind"], ref, unpack_conversation(row["sent_to"]))


def remove(tx: Tx, ref: MessageRef) -> None:
    """Forget a message of ours that was deleted."""
    tx.run(
        "DELETE FROM receipts WHERE channel=? AND account=? AND conversation=? AND message=?",
        *(ref.channel, ref.account_id, ref.conversation_id, ref.message_id),
    )


def of_turn(tx: Tx, turn_id: int, kind: MessageKind) -> list[MessageRef]:
    """List the messages of one kind that a turn sent, in order of their parts."""
    rows = tx.all("SELECT * FROM receipts WHERE turn=? AND kind=? ORDER BY part", turn_id, kind)
    return [_from_row(row).ref for row in rows]
