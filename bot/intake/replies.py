"""What is said in reply to an event, in place of an answer: a turn in a lane of its own, so that it is told at once."""

from __future__ import annotations

from bot import notices
from bot.events import MessageRef, NoticeKind
from bot.intake.arrival import Accepted, Arrival
from bot.store import conversations, turns
from bot.store.turns import NewTurn

MINUTE = 60.0
DAY = 86400.0


def tell(
    arrival: Arrival, text: str, kind: NoticeKind, *, about: int | None = None, reply_to: MessageRef | None = None
) -> Accepted:
    """Store a notice to the person of the event. `about` is the turn of the answer it is about."""
    reference = arrival.ctx.reference()
    turn = turns.insert(
        arrival.tx,
        NewTurn(
            reference=reference,
            kind="notice",
            lane=f"notice:{reference}",
            address=arrival.address,
            conversation=arrival.place,
            question=None if arrival.ref is None else arrival.ref.message_id,
            asker=arrival.user,
            text=text,
            notice=kind,
            about=about,
            reply_to=reply_to,
            sent_at=arrival.sent_at,
            accepted_at=arrival.now,
        ),
    )
    return Accepted(lanes=(turn.lane,))


def refuse(arrival: Arrival, text: str) -> Accepted:
    """A question that cannot be asked: say what is possible."""
    told = tell(arrival, text, "refusal")
    return Accepted(lanes=told.lanes, ended="refused")


def refuse_for_now(arrival: Arrival, text: str) -> Accepted:
    """A question over a limit: say how long to wait, at most once a minute to the same person."""
    key = f"limited:{arrival.address.channel}:{arrival.address.account}:{arrival.user}"
    if not conversations.start_cooldown(arrival.tx, key, MINUTE, arrival.now):
        return Accepted(ended="limited")
    return Accepted(lanes=tell(arrival, text, "refusal").lanes, ended="limited")


def refuse_access(arrival: Arrival) -> Accepted:
    """Somebody outside the policy: nothing, or one notice a day."""
    key = f"refused:{arrival.address.channel}:{arrival.address.account}:{arrival.user}"
    if arrival.ctx.config.access.refused != "daily_notice" or not conversations.start_cooldown(
        arrival.tx, key, DAY, arrival.now
    ):
        return Accepted(outcome="refused")
    return Accepted(outcome="refused", lanes=tell(arrival, notices.REFUSED, "refusal").lanes)
