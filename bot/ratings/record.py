"""Takes in what people do to an answer: stored, and the answer's rating computed anew, in the caller's transaction."""

from __future__ import annotations

from bot.config import Feedback as Rules
from bot.events import MessageRef, Rating, Reaction
from bot.ratings.votes import is_repeated, meaning, moment, newer_emoji, rating, votes
from bot.store import feedback, out_of_order, turns
from bot.store.database import Tx
from bot.store.receipts import Receipt
from bot.store.votes import (
    Click,
    EmojiVote,
    Gesture,
    click_of,
    clicks_on,
    emoji_of,
    emoji_on,
    is_emoji_added_since,
    last_gesture,
    save_click,
    save_emoji,
)


def gesture_of(event: Reaction) -> Gesture:
    """Make the gesture of an event."""
    return Gesture(
        user=event.user_id,
        emoji=event.emoji,
        added=event.added,
        button=event.button,
        sent_at=event.sent_at.timestamp(),
    )


def gesture(tx: Tx, receipt: Receipt, gesture: Gesture, rules: Rules, now: float) -> bool:
    """Take in one emoji or click on the part of an answer; whether the answer's rating may have changed."""
    meant = meaning(gesture.emoji, rules)
    if meant is None:
        return False
    at = moment(gesture.sent_at, last_gesture(tx, receipt.turn, gesture.user, gesture.sent_at + 1))
    if gesture.button:
        changed = _click(tx, receipt.turn, Click(gesture.user, meant, at))
    else:
        changed = _emoji(tx, receipt, gesture, at)
    if changed:
        feedback.set_rating(tx, receipt.turn, current_rating(tx, receipt.turn, rules), rules.settle_seconds, now)
    return changed


def early_gestures(tx: Tx, receipt: Receipt, rules: Rules, now: float) -> None:
    """A part was sent: take in what people did to it before its receipt was stored, in their order."""
    for early in out_of_order.take_reactions(tx, receipt.ref):
        gesture(tx, receipt, early, rules, now)


def keep_early(tx: Tx, target: MessageRef, event: Reaction, now: float) -> None:
    """Keep a reaction whose answer may still be on its way."""
    out_of_order.keep_reaction(tx, target, event.event_id, gesture_of(event), now)


def current_rating(tx: Tx, turn_id: int, rules: Rules) -> Rating | None:
    """Compute the rating of an answer from all that people did to it."""
    turn = turns.get(tx, turn_id)
    asker = "" if turn is None else turn.asker or ""
    return rating(votes(emoji_on(tx, turn_id), clicks_on(tx, turn_id), rules), asker, rules)


def _click(tx: Tx, turn_id: int, click: Click) -> bool:
    known = click_of(tx, turn_id, click.user)
    if known is not None and click.at < known.at:
        return False  # the latest click counts, by the platform's time
    emoji_since = known is not None and is_emoji_added_since(tx, turn_id, click.user, known.at)
    save_click(tx, turn_id, click)
    return not is_repeated(known, click, emoji_since)


def _emoji(tx: Tx, receipt: Receipt, gesture: Gesture, at: float) -> bool:
    message = receipt.ref.message_id
    news = EmojiVote(
        message=message,
        user=gesture.user,
        emoji=gesture.emoji,
        present=gesture.added,
        at=at,
        added_at=at if gesture.added else 0.0,
    )
    merged = newer_emoji(emoji_of(tx, receipt.turn, message, gesture.user, gesture.emoji), news)
    if merged is None:
        return False
    save_emoji(tx, receipt.turn, merged)
    return True
