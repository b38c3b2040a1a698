"""What people think of answers, taken in: emoji, clicks, reasons. Decided in the accepting transaction."""

from __future__ import annotations

from bot import access, notices
from bot.accept import Accepting, Taken, clean
from bot.context import Context
from bot.events import Comment, Message, Reaction
from bot.store import conversations, feedback, receipts, steps, turns
from bot.store.conversations import Where, key_of
from bot.store.database import Tx


def reaction(ctx: Context, tx: Tx, event: Reaction, now: float) -> Taken:
    """Take in an emoji or a click; one that may have overtaken its answer waits for it."""
    rules = ctx.config.feedback
    key = key_of(event.target)
    where = Where(key[0], key[1], conversations.first_conversation(tx, *key[:3]), "")
    if not access.admitted(ctx.config.access, where, event.user_id, event.standing, seen_as=key[2]):
        return Taken("refused")
    found = receipts.find(tx, key)
    if found is None:
        if feedback.meaning(event.emoji, rules) is None or not steps.sending(
            tx, where.channel, where.account, where.conversation
        ):
            return Taken("ignored")
        feedback.keep_early(tx, event, now)
        return Taken()
    if found["kind"] != "answer" or feedback.meaning(event.emoji, rules) is None:
        return Taken("ignored")
    if turns.seen(tx, event.target.channel, event.target.account_id, event.event_id, now):
        return Taken("duplicate")
    changed = feedback.add(tx, found["turn"], key[3], event, rules, now)
    taken = Taken(rated=changed)
    if event.button and feedback.meaning(event.emoji, rules) == "bad":
        _ask_why(ctx, tx, found["turn"], event, taken, now)
    return taken


def _ask_why(ctx: Context, tx: Tx, turn_id: int, event: Reaction, taken: Taken, now: float) -> None:
    turn = turns.get(tx, turn_id)
    if turn is None or not feedback.may_ask_why(tx, turn_id, event.user_id):
        return
    if event.can_ask_why:
        taken.ask_why = True
        return
    found = receipts.find(tx, key_of(event.target))
    place = turn.place if found is None else receipts.place_of(found)
    accepting = Accepting(
        ctx=ctx,
        tx=tx,
        now=now,
        conversation=place,
        where=conversations.first_known(tx, place),
        user=event.user_id,
        ref=None,
        sent_at=event.sent_at.timestamp(),
        prefix="!",
    )
    accepting.say(notices.WHY, "why", about=turn_id, reply_to=event.target)
    taken.lanes += accepting.lanes


def why_reply(tx: Tx, event: Message) -> int | None:
    """Return the answer that a reply gives the reason for, None when it is a message like any other."""
    if event.in_reply_to is None:
        return None
    found = receipts.find(tx, key_of(event.in_reply_to))
    if found is None or found["kind"] != "why":
        return None
    why = turns.get(tx, found["turn"])
    return why.about if why is not None and why.asker == event.user_id else None


def comment(tx: Tx, event: Comment, now: float) -> Taken:
    """Take in the reason that came through a form of the channel."""
    found = receipts.find(tx, key_of(event.target))
    if found is None or found["kind"] != "answer":
        return Taken("ignored")
    feedback.comment(tx, found["turn"], event.user_id, clean(event.text), event.event_id, now)
    return Taken()
