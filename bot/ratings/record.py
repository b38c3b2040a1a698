"""Takes in what people do to an answer: stored, and the answer's rating computed anew, in the caller's transaction."""

from __future__ import annotations

from dataclasses import replace

from bot.config import Feedback as Rules
from bot.events import MessageRef, Rating, Reaction
from bot.ratings.votes import (
    fingerprint,
    is_repeated,
    latest,
    meaning,
    moment,
    moved,
    newer_emoji,
    rating,
    tally,
    tells_whole_seconds,
    votes,
)
from bot.store import feedback, out_of_order, turns
from bot.store.database import Tx
from bot.store.receipts import Receipt
from bot.store.votes import (
    Click,
    EmojiVote,
    Gesture,
    Tally,
    click_of,
    clicks_on,
    emoji_by,
    emoji_of,
    emoji_on,
    is_emoji_added_since,
    last_gesture,
    last_gesture_anywhere,
    save_click,
    save_emoji,
    save_tally,
    tally_of,
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
    if tells_whole_seconds(gesture.sent_at):
        last = latest(
            last_gesture(tx, receipt.turn, gesture.user, gesture.sent_at + 1),
            out_of_order.last_reaction(tx, receipt.ref, gesture.user, gesture.sent_at + 1),
        )
        gesture = replace(gesture, sent_at=moment(gesture.sent_at, last))
    return _take(tx, receipt, gesture, meant, rules, now)


def _take(tx: Tx, receipt: Receipt, gesture: Gesture, meant: Rating, rules: Rules, now: float) -> bool:
    before, at = _vote_of(tx, receipt.turn, gesture.user, rules), gesture.sent_at
    if gesture.button:
        changed = _click(tx, receipt.turn, Click(gesture.user, meant if gesture.added else None, at))
    else:
        changed = _emoji(tx, receipt, gesture, at)
    if changed:
        counted = _tally(tx, receipt.turn, gesture.user, before, rules)
        feedback.set_rating(tx, receipt.turn, _rating(tx, receipt.turn, counted, rules), rules.settle_seconds, now)
    return changed


def early_gestures(tx: Tx, receipt: Receipt, rules: Rules, now: float) -> bool:
    """A part was sent: take in what people did to it before its receipt was stored, in their order; whether they did
    anything."""
    gestures = out_of_order.take_reactions(tx, receipt.ref)
    for early in gestures:
        if (meant := meaning(early.emoji, rules)) is not None:
            _take(tx, receipt, early, meant, rules, now)  # its moment was settled when it came
    return bool(gestures)


def keep_early(tx: Tx, target: MessageRef, event: Reaction, now: float) -> None:
    """Keep a reaction whose answer may still be on its way."""
    early = gesture_of(event)
    if tells_whole_seconds(early.sent_at):
        last = latest(
            out_of_order.last_reaction(tx, target, early.user, early.sent_at + 1),
            last_gesture_anywhere(tx, early.user, early.sent_at, early.sent_at + 1),  # its answer is not known yet
        )
        early = replace(early, sent_at=moment(early.sent_at, last))
    out_of_order.keep_reaction(tx, target, event.event_id, early, now)


def _vote_of(tx: Tx, turn_id: int, user: str, rules: Rules) -> Rating | None:
    """Compute one person's vote from all that they did to an answer."""
    click = click_of(tx, turn_id, user)
    return votes(emoji_by(tx, turn_id, user), [] if click is None else [click], rules).get(user)


def _tally(tx: Tx, turn_id: int, user: str, before: Rating | None, rules: Rules) -> Tally:
    """Count one person's changed vote. Everybody's are read only where they were never counted by these rules."""
    named = fingerprint(rules)
    known = tally_of(tx, turn_id, named)
    if known is None:
        now = tally(votes(emoji_on(tx, turn_id), clicks_on(tx, turn_id), rules).values())
    else:
        now = moved(known, before, _vote_of(tx, turn_id, user, rules))
    save_tally(tx, turn_id, named, now)
    return now


def _rating(tx: Tx, turn_id: int, counted: Tally, rules: Rules) -> Rating | None:
    turn = turns.get(tx, turn_id)
    asker = None if turn is None or not turn.asker else _vote_of(tx, turn_id, turn.asker, rules)
    return rating(asker, counted, rules)


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
