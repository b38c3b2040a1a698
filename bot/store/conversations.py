"""Conversations: their canonical addresses, where they are now, whether they can be reached, what was told lately."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from bot.events import Conversation, MessageRef
from bot.sessions import Address
from bot.store import joining
from bot.store.database import Tx
from bot.store.joining import Joining

GREETED: Final = "greeted:"
"""What the key of a cooldown that never ends begins with."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known of a conversation: its canonical address, whether nothing can be sent there (blocked, left), and
    which question of the person may go on there."""

    address: Address
    unreachable: bool
    joining: Joining | None = None


def locate(tx: Tx, conversation: Conversation, user: str = "") -> Whereabouts:
    """Resolve a conversation to the ids it was first known by, for what somebody says there."""
    channel, account = conversation.channel, conversation.account_id
    row = tx.one(
        "SELECT known.first AS first, aliases.first_conversation, aliases.first_thread, EXISTS (SELECT 1"
        " FROM unreachable WHERE channel=? AND account=?"
        " AND conversation=COALESCE(aliases.first_conversation, known.first)) AS unreachable,"
        " joining.turn AS joining_turn, joining.thread AS joining_thread, joining.number AS joining_number,"
        " joining.sent_at AS joining_sent_at, joining.since AS joining_since, joining.kind AS joining_kind"
        " FROM (SELECT COALESCE((SELECT first_conversation FROM aliases WHERE channel=? AND account=?"
        " AND conversation=? AND thread=''), ?) AS first) AS known"
        " LEFT JOIN aliases ON aliases.channel=? AND aliases.account=? AND aliases.conversation=known.first"
        " AND aliases.thread=? AND aliases.thread<>''"
        " LEFT JOIN joining ON joining.channel=? AND joining.account=?"
        " AND joining.conversation=COALESCE(aliases.first_conversation, known.first) AND joining.user_id=?",
        *(channel, account),
        *(channel, account, conversation.conversation_id, conversation.conversation_id),
        *(channel, account, conversation.thread_id or ""),
        *(channel, account, user),
    )
    assert row is not None
    if row["first_conversation"] is not None:  # the thread of an /ask has a name of its own
        address = Address(channel, account, row["first_conversation"], row["first_thread"])
    else:
        address = Address(channel, account, row["first"], conversation.thread_id or "")
    return Whereabouts(address, bool(row["unreachable"]), joining.from_row(row))


def canonical(tx: Tx, channel: str, account: str, conversation_id: str) -> Address:
    """Resolve a conversation by its id alone, as a MessageRef has it; the address is that of the whole conversation."""
    row = tx.one(
        "SELECT first_conversation FROM aliases WHERE channel=? AND account=? AND conversation=? AND thread=''",
        channel,
        account,
        conversation_id,
    )
    return Address(channel, account, conversation_id if row is None else str(row["first_conversation"]))


def refs_before_a_move(tx: Tx, ref: MessageRef) -> list[MessageRef]:
    """Return the names the message has if it is older than a move of its conversation.

    Only to be looked up after the ref itself: a platform may number the messages of the new conversation anew.
    """
    first = canonical(tx, ref.channel, ref.account_id, ref.conversation_id).conversation
    rows = tx.all(
        "SELECT conversation FROM aliases WHERE channel=? AND account=? AND first_conversation=? AND thread=''",
        ref.channel,
        ref.account_id,
        first,
    )
    ids = {first, *(row["conversation"] for row in rows)} - {ref.conversation_id}
    return [replace(ref, conversation_id=conversation_id) for conversation_id in sorted(ids)]


def current(tx: Tx, conversation: Conversation) -> Conversation:
    """Return the conversation under the id it has now, for sending."""
    account, id_ = (conversation.channel, conversation.account_id), conversation.conversation_id
    row = tx.one(
        "SELECT conversation FROM aliases WHERE channel=? AND account=? AND thread='' AND first_conversation="
        "COALESCE((SELECT first_conversation FROM aliases WHERE channel=? AND account=? AND conversation=?"
        " AND thread=''), ?) ORDER BY at DESC LIMIT 1",
        *(*account, *account, id_, id_),
    )
    return conversation if row is None else replace(conversation, conversation_id=row["conversation"])


def note_move(tx: Tx, old: Address, new_id: str, at: float) -> None:
    """Store that a conversation's id changed for good; `old` is its canonical address."""
    if old.conversation == new_id:
        return
    tx.run(
        "INSERT INTO aliases VALUES (?,?,?,'',?,'',?)"
        " ON CONFLICT (channel, account, conversation, thread)"
        " DO UPDATE SET first_conversation=excluded.first_conversation, at=excluded.at",
        old.channel,
        old.account,
        new_id,
        old.conversation,
        at,
    )


def note_thread(tx: Tx, address: Address, root: MessageRef, at: float) -> None:
    """Store that the thread of `root` is the place first known as `address`: the root of an /ask was posted."""
    first = canonical(tx, address.channel, address.account, root.conversation_id).conversation
    tx.run(
        "INSERT INTO aliases VALUES (?,?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, thread) DO NOTHING",
        address.channel,
        address.account,
        first,
        root.message_id,
        address.conversation,
        address.thread,
        at,
    )


def mark_unreachable(tx: Tx, address: Address, at: float) -> None:
    """Store that nothing can be sent to a conversation until somebody writes there again."""
    tx.run(
        "INSERT INTO unreachable VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        address.channel,
        address.account,
        address.conversation,
        at,
    )


def mark_reachable(tx: Tx, address: Address) -> None:
    """Store that somebody wrote there again."""
    tx.run(
        "DELETE FROM unreachable WHERE channel=? AND account=? AND conversation=?",
        address.channel,
        address.account,
        address.conversation,
    )


def is_unreachable(tx: Tx, address: Address) -> bool:
    """Whether nothing can be sent to the conversation."""
    return bool(
        tx.one(
            "SELECT 1 FROM unreachable WHERE channel=? AND account=? AND conversation=?",
            address.channel,
            address.account,
            address.conversation,
        )
    )


def claim_greeting(tx: Tx, address: Address, now: float) -> bool:
    """Store that the bot greets in a conversation; False when it ever did."""
    return start_cooldown(tx, f"{GREETED}{address.channel}:{address.account}:{address.conversation}", math.inf, now)


def start_cooldown(tx: Tx, key: str, seconds: float, now: float) -> bool:
    """Start the cooldown of a notice; False when the last one was told less than `seconds` ago and must not be now."""
    return (
        tx.run(
            "INSERT INTO cooldowns (key, at) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET at=excluded.at"
            " WHERE excluded.at<cooldowns.at OR excluded.at-cooldowns.at>=?",
            *(key, now, seconds),
        )
        > 0
    )
