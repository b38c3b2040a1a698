"""Conversations: their first-known ids, their epochs, who rests, who takes part, what was said lately."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from bot.events import Conversation, MessageRef
from bot.store.database import Tx


@dataclass(frozen=True, slots=True)
class Where:
    """The first-known ids of a place; `thread` is "" where there is none. Everything is looked up by these."""

    channel: str
    account: str
    conversation: str
    thread: str


def pack(conversation: Conversation) -> str:
    """Encode a conversation as JSON for a column."""
    return json.dumps(asdict(conversation), ensure_ascii=False, separators=(",", ":"))


def unpack(text: str) -> Conversation:
    """Decode what `pack` encoded."""
    return Conversation(**json.loads(text))


def first_known(tx: Tx, conversation: Conversation) -> Where:
    """Resolve a conversation to the ids it was first known by."""
    channel, account = conversation.channel, conversation.account_id
    first = first_conversation(tx, channel, account, conversation.conversation_id)
    thread = conversation.thread_id or ""
    if thread:
        row = tx.one(
            "SELECT first_conversation, first_thread FROM aliases"
            " WHERE channel=? AND account=? AND conversation=? AND thread=?",
            channel,
            account,
            first,
            thread,
        )
        if row is not None:
            return Where(channel, account, row["first_conversation"], row["first_thread"])
    return Where(channel, account, first, thread)


def first_conversation(tx: Tx, channel: str, account: str, conversation_id: str) -> str:
    """Resolve a conversation id alone, as a MessageRef has it."""
    row = tx.one(
        "SELECT first_conversation FROM aliases WHERE channel=? AND account=? AND conversation=? AND thread=''",
        channel,
        account,
        conversation_id,
    )
    return conversation_id if row is None else str(row["first_conversation"])


Key = tuple[str, str, str, str]


def key_of(ref: MessageRef) -> Key:
    """Return the key a message is stored under: channel, account, conversation and message, as the platform says."""
    return ref.channel, ref.account_id, ref.conversation_id, ref.message_id


def other_keys(tx: Tx, key: Key) -> list[Key]:
    """Return the keys the message has if it is older than a move of its conversation.

    Only to be looked up after the key itself: a platform may number the messages of the new conversation anew.
    """
    channel, account, conversation, message = key
    first = first_conversation(tx, channel, account, conversation)
    rows = tx.all(
        "SELECT conversation FROM aliases WHERE channel=? AND account=? AND first_conversation=? AND thread=''",
        channel,
        account,
        first,
    )
    names = {first, *(row["conversation"] for row in rows)} - {conversation}
    return [(channel, account, name, message) for name in sorted(names)]


def current(tx: Tx, conversation: Conversation) -> Conversation:
    """Return the conversation under the id it has now, for sending."""
    first = first_conversation(tx, conversation.channel, conversation.account_id, conversation.conversation_id)
    row = tx.one(
        "SELECT conversation FROM aliases WHERE channel=? AND account=? AND first_conversation=? AND thread=''"
        " ORDER BY at DESC LIMIT 1",
        conversation.channel,
        conversation.account_id,
        first,
    )
    return conversation if row is None else replace(conversation, conversation_id=row["conversation"])


def move(tx: Tx, channel: str, account: str, old: str, new: str, at: float) -> None:
    """Note that a conversation's id changed for good."""
    first = first_conversation(tx, channel, account, old)
    if first == new:
        return
    tx.run(
        "INSERT INTO aliases VALUES (?,?,?,'',?,'',?)"
        " ON CONFLICT (channel, account, conversation, thread)"
        " DO UPDATE SET first_conversation=excluded.first_conversation, at=excluded.at",
        channel,
        account,
        new,
        first,
        at,
    )


def alias_thread(tx: Tx, where: Where, conversation_id: str, thread: str, at: float) -> None:
    """Note that `thread` of `conversation_id` is the place first known as `where` (the root of an /ask was posted)."""
    first = first_conversation(tx, where.channel, where.account, conversation_id)
    tx.run(
        "INSERT INTO aliases VALUES (?,?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, thread) DO NOTHING",
        where.channel,
        where.account,
        first,
        thread,
        where.conversation,
        where.thread,
        at,
    )


def epoch(tx: Tx, where: Where, scope: str) -> tuple[int, float | None]:
    """Return the epoch of a scope and when it was last used, None when never (or that is forgotten)."""
    row = tx.one(
        "SELECT epoch, last_at FROM epochs WHERE channel=? AND account=? AND conversation=? AND scope=?",
        where.channel,
        where.account,
        where.conversation,
        scope,
    )
    if row is not None:
        return row["epoch"], row["last_at"]
    floor = tx.one("SELECT value FROM meta WHERE key='epoch_floor'")
    return (0 if floor is None else int(floor["value"])), None


def forget_epochs(tx: Tx, condition: str, *args: object) -> int:
    """Forget epochs; return how many. Those that begin anew start above all of them: an old memory must not return."""
    highest = tx.one(f"SELECT max(epoch) AS n FROM epochs WHERE {condition}", *args)  # noqa: S608  # a constant
    if highest is None or highest["n"] is None:
        return 0
    floor = tx.one("SELECT value FROM meta WHERE key='epoch_floor'")
    number = max(int(highest["n"]) + 1, 0 if floor is None else int(floor["value"]))
    tx.run(
        "INSERT INTO meta VALUES ('epoch_floor', ?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", str(number)
    )
    return tx.run(f"DELETE FROM epochs WHERE {condition}", *args)  # noqa: S608  # a constant


def set_epoch(tx: Tx, where: Where, scope: str, number: int, at: float) -> None:
    """Store the epoch of a scope and that it was used now."""
    tx.run(
        "INSERT INTO epochs VALUES (?,?,?,?,?,?) ON CONFLICT (channel, account, conversation, scope)"
        " DO UPDATE SET epoch=excluded.epoch, last_at=excluded.last_at",
        where.channel,
        where.account,
        where.conversation,
        scope,
        number,
        at,
    )


def takes_part(tx: Tx, where: Where, user: str) -> bool:
    """Whether this person has asked in this thread before."""
    return bool(
        tx.one(
            "SELECT 1 FROM turns WHERE channel=? AND account=? AND conversation=? AND thread=? AND asker=?"
            " AND kind='question' LIMIT 1",
            where.channel,
            where.account,
            where.conversation,
            where.thread,
            user,
        )
    )


def rest(tx: Tx, channel: str, account: str, conversation: str, at: float) -> None:
    """Let a conversation (first-known id) rest: nothing is sent there."""
    tx.run("INSERT INTO resting VALUES (?,?,?,?) ON CONFLICT DO NOTHING", channel, account, conversation, at)


def wake_up(tx: Tx, where: Where) -> None:
    """Somebody wrote there again."""
    tx.run(
        "DELETE FROM resting WHERE channel=? AND account=? AND conversation=?",
        where.channel,
        where.account,
        where.conversation,
    )


def rests(tx: Tx, channel: str, account: str, conversation: str) -> bool:
    """Whether the conversation (first-known id) is out of reach."""
    return bool(
        tx.one("SELECT 1 FROM resting WHERE channel=? AND account=? AND conversation=?", channel, account, conversation)
    )


def may_say(tx: Tx, key: str, every: float, now: float) -> bool:
    """Whether something may be said, at most once in `every` seconds; notes that it is said now."""
    row = tx.one("SELECT at FROM said WHERE key=?", key)
    if row is not None and 0 <= now - row["at"] < every:
        return False
    tx.run("INSERT INTO said VALUES (?,?) ON CONFLICT (key) DO UPDATE SET at=excluded.at", key, now)
    return True
