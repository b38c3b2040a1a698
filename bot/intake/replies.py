"""What is said in reply to an event, in place of an answer: a turn beside the session's lane, told at once.

Who makes the bot talk is limited as one who asks: what they get is counted, and what waits to be said is not repeated.
"""

from __future__ import annotations

from dataclasses import replace

from bot import notices
from bot.events import MessageRef, NoticeKind
from bot.intake.arrival import Accepted, Arrival
from bot.sessions import session_id
from bot.store import conversations, questions, turns
from bot.store.kinds import TurnKind
from bot.store.turns import NewTurn

MINUTE = 60.0
DAY = 86400.0
TOLD_A_MINUTE = 20
"""Notices that one person gets in a minute at most, where `per_person_per_minute` sets no other limit."""

EVERYTHING: tuple[TurnKind, ...] = ("question", "notice")
NOTICES: tuple[TurnKind, ...] = ("notice",)


def tell(
    arrival: Arrival, text: str, kind: NoticeKind, *, about: int | None = None, reply_to: MessageRef | None = None
) -> Accepted:
    """Store a notice to the person of the event, unless they got too many. `about`: the turn of the answer it is about.

    What is said for something they did is said once: it takes the place of the same words that still wait there.
    """
    if about is not None:
        lane = questions.notice_lane(arrival.address.channel, arrival.ctx.reference())
        return _tell(arrival, text, kind, lane, about=about, reply_to=reply_to)
    if (seconds := seconds_to_wait(arrival, TOLD_A_MINUTE)) is not None:
        return refuse_for_now(arrival, notices.too_many(seconds))
    return _tell(arrival, text, kind, _to_person(arrival), reply_to=reply_to)


def _tell(
    arrival: Arrival,
    text: str,
    kind: NoticeKind,
    lane: str,
    *,
    about: int | None = None,
    reply_to: MessageRef | None = None,
) -> Accepted:
    if arrival.crowded:
        return Accepted(untold=True)
    turns.supersede_notice(arrival.tx, lane, text, arrival.now)
    turn = turns.insert(
        arrival.tx,
        NewTurn(
            reference=arrival.ctx.reference(),
            kind="notice",
            lane=lane,
            address=arrival.address,
            conversation=arrival.place,
            question=None if arrival.ref is None else arrival.ref.message_id,
            asker=arrival.user,
            text=text,
            notice=kind,
            about=about,
            reply_to=reply_to,
            locale=arrival.locale,
            sent_at=arrival.sent_at,
            accepted_at=arrival.now,
        ),
    )
    return Accepted(lanes=(turn.lane,))


def _to_person(arrival: Arrival, prefix: str = "") -> str:
    """Name the lane of what is said to one person in one conversation: one, so that it is said in order."""
    name = session_id(arrival.ctx.secret, arrival.address, f"notice:{arrival.user}", 0)
    return questions.notice_lane(arrival.address.channel, name, prefix=prefix)


def seconds_to_wait(arrival: Arrival, otherwise: int = 0) -> int | None:
    """Return the seconds to wait when the person asked, or was told something, too often in this minute; else None.

    `otherwise`: how many notices a minute are allowed where the settings limit nothing, 0 for no limit.
    """
    limit = arrival.ctx.config.limits.per_person_per_minute
    allowed = limit if limit > 0 else otherwise
    if allowed <= 0:
        return None
    since, kinds = arrival.now - MINUTE, EVERYTHING if limit > 0 else NOTICES
    times = questions.times_of(arrival.tx, arrival.address, arrival.user, since, arrival.now, kinds)
    if len(times) < allowed:
        return None
    return max(1, round(times[-allowed] + MINUTE - arrival.now))


def refuse(arrival: Arrival, text: str) -> Accepted:
    """A question that cannot be asked: say what is possible."""
    told = tell(arrival, text, "refusal")
    return replace(told, ended=told.ended or "refused")


def refuse_for_now(arrival: Arrival, text: str) -> Accepted:
    """A question over a limit: say how long to wait, at most once a minute to the same person."""
    if not _is_due(arrival, "limited", MINUTE):
        return Accepted(ended="limited")
    told = _tell(arrival, text, "refusal", _to_person(arrival, questions.LIMITED))
    return replace(told, ended="limited")


def _is_due(arrival: Arrival, what: str, seconds: float) -> bool:
    """Whether the person may be told what is said once in so many seconds. What is left out anyway begins no time."""
    key = f"{what}:{arrival.address.channel}:{arrival.address.account}:{arrival.user}"
    return arrival.crowded or conversations.start_cooldown(arrival.tx, key, seconds, arrival.now)


def refuse_access(arrival: Arrival) -> Accepted:
    """Somebody outside the policy: nothing, or one notice a day; whose account waits to be admitted is always told."""
    pending = arrival.standing == "pending"
    is_told = pending or arrival.ctx.config.access.refused == "daily_notice"
    if not is_told or not _is_due(arrival, "refused", DAY):
        return Accepted(outcome="refused")
    told = _tell(arrival, notices.PENDING if pending else notices.REFUSED, "refusal", _to_person(arrival))
    return replace(told, outcome="refused")
