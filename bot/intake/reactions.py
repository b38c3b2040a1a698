"""What people think of answers, on its way in: emoji, clicks, reasons."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot import notices
from bot.events import Comment, Message, Reaction
from bot.intake.access import Asker, why_refused
from bot.intake.arrival import IGNORED, Accepted, Arrival, Purpose
from bot.intake.context import clean
from bot.intake.replies import tell
from bot.ratings import record
from bot.ratings.votes import meaning
from bot.store import conversations, reasons, receipts, steps, turns
from bot.store.database import Tx
from bot.store.reasons import Reason
from bot.store.receipts import Receipt


def purpose_of_reaction(arrival: Arrival, event: Reaction) -> Purpose | None:
    """Tell what an emoji or a click is to us; one that may have overtaken its answer waits for it.

    Of people outside the policy nothing is looked up and nothing is noted, for they may react to everything.
    """
    asker = Asker(
        address=arrival.address,
        user=event.user_id,
        standing=event.standing,
        groups=event.groups,
        seen_as=event.target.conversation_id,
    )
    if why_refused(arrival, asker) is not None:
        return Purpose(handle=lambda _: IGNORED, access="silence", once=False)
    if meaning(event.emoji, arrival.ctx.config.feedback) is None:
        return None
    receipt = receipts.find(arrival.tx, event.target)
    if receipt is not None:
        is_answer = receipt.kind == "answer"
        return Purpose(handle=partial(_rate, receipt=receipt, event=event), access="silence") if is_answer else None
    if not steps.is_sending(arrival.tx, arrival.address):
        return None
    return Purpose(handle=partial(_keep, event=event), access="silence", once=False)


def purpose_of_comment(arrival: Arrival, event: Comment) -> Purpose | None:
    """Tell what the reason that came through a form of the channel is to us."""
    return Purpose(handle=partial(_comment, event=event), access="open")


def reason_for(tx: Tx, event: Message) -> int | None:
    """Return the turn of the answer that a reply gives the reason for, None when it is a message like any other."""
    if event.in_reply_to is None:
        return None
    receipt = receipts.find(tx, event.in_reply_to)
    if receipt is None or receipt.kind != "why":
        return None
    why = turns.get(tx, receipt.turn)
    return why.about if why is not None and why.asker == event.user_id else None


def give_reason(arrival: Arrival, answer: int, event: Message) -> Accepted:
    """Store the reason that a reply to our "why?" gives."""
    reason = Reason(user=event.user_id, text=clean(event.text), event_id=event.event_id, message=event.ref.message_id)
    reasons.add(arrival.tx, answer, reason, arrival.now)
    return Accepted()


def _rate(arrival: Arrival, receipt: Receipt, event: Reaction) -> Accepted:
    rules = arrival.ctx.config.feedback
    changed = record.gesture(arrival.tx, receipt, record.gesture_of(event), rules, arrival.now)
    accepted = Accepted(rated=changed)
    if not (event.button and event.added) or meaning(event.emoji, rules) != "bad":
        return accepted
    if not turns.claim_why(arrival.tx, receipt.turn, event.user_id):
        return accepted
    # Where the answer was sent to is where the asker is asked; the "why?" is about it, and no message carries it.
    address = conversations.locate(arrival.tx, receipt.conversation).address
    here = replace(arrival, conversation=receipt.conversation, address=address, ref=None)
    if event.can_ask_why:
        return replace(accepted, ask_why=True, language=here.language)
    asked = tell(here, notices.WHY, "why", about=receipt.turn, reply_to=event.target)
    return replace(accepted, lanes=asked.lanes, untold=asked.untold)


def _keep(arrival: Arrival, event: Reaction) -> Accepted:
    record.keep_early(arrival.tx, event.target, event, arrival.now)
    return Accepted()


def _comment(arrival: Arrival, event: Comment) -> Accepted:
    receipt = receipts.find(arrival.tx, event.target)
    if receipt is None or receipt.kind != "answer":
        return IGNORED
    reason = Reason(user=event.user_id, text=clean(event.text), event_id=event.event_id)
    reasons.add(arrival.tx, receipt.turn, reason, arrival.now)
    return Accepted()
