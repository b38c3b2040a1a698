"""A question is accepted: its session, its limits, its turn. Everything in the accepting transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot import notices
from bot.config import site_of
from bot.errors import Unavailable
from bot.intake.arrival import Accepted, Arrival
from bot.intake.context import is_new_thread, without_known
from bot.intake.replies import refuse, refuse_for_now, seconds_to_wait
from bot.render import is_blank
from bot.sessions import Address, scope_key, session_id
from bot.store import questions, turns
from bot.store.contexts import NOTHING, QuestionContext
from bot.store.epochs import epoch, set_epoch
from bot.store.turns import LAST, NewTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The assistant's memory that a question belongs to. `lane` is its session_id; `last_at`: its last question."""

    address: Address
    scope: str
    epoch: int
    last_at: float | None
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    """What somebody asks.

    `again`: the message was asked before, and its edits stay with that turn. `edited_at`: when its words were changed
    last, by the platform's time. `number`: of its message (`Joins`). `ready_at`: it waits until then for more of its
    messages; if none comes that mends it, `refusal` is told instead of an answer. `context`: what goes along with it.
    """

    text: str
    again: bool = False
    edited_at: float | None = None
    number: int | None = None
    ready_at: float | None = None
    refusal: str | None = None
    context: QuestionContext = NOTHING


def ask(arrival: Arrival, question: NewQuestion) -> Accepted:
    """Store a question, or say what is wrong with it.

    Raises:
        Unavailable: too many questions are open.
    """
    if question.ready_at is None and (why := question.refusal or problem(arrival, question.text)):
        return refuse(arrival, why)
    if (seconds := seconds_to_wait(arrival)) is not None:
        return refuse_for_now(arrival, notices.too_many(seconds))
    if arrival.full:
        raise too_many_open()
    address = arrival.address
    if arrival.ref is None:
        # The thread does not exist yet; it is known by this name until its root is posted, and after.
        address = replace(address, thread=f"{questions.NEVER_IN_CONVERSATION}{arrival.ctx.reference()}")
    session, close = _continue_session(arrival, address)
    if turns.count_waiting(arrival.tx, session.lane) >= arrival.ctx.config.limits.waiting_per_session:
        limited = refuse_for_now(arrival, notices.queue_full())
        return replace(limited, lanes=close + limited.lanes)
    question = replace(question, context=_context(arrival, session, question.context))
    turn = turns.insert(arrival.tx, _turn_of(arrival, session, question))
    return Accepted(lanes=close if turn.ready_at is not None else (*close, turn.lane), questions=(turn,))


def problem(arrival: Arrival, text: str) -> str | None:
    """Say what is wrong with the words of a question, None for nothing."""
    limit = arrival.ctx.config.limits.question_chars
    if is_blank(text):
        return notices.EMPTY
    return notices.too_long(limit) if len(text) > limit else None


def too_many_open() -> Unavailable:
    """Say that no further question can be taken now."""
    return Unavailable("Too many questions are open; the platform delivers this one again.", reason="open_turns")


def begin_session(arrival: Arrival) -> tuple[str, ...]:
    """Begin a new session here; return the lanes that have work: the close of the old one is the last of its lane."""
    _, lanes = _next_session(arrival, _session(arrival, arrival.address))
    return lanes


def _turn_of(arrival: Arrival, session: Session, question: NewQuestion) -> NewTurn:
    route_name, route = arrival.ctx.route_of(arrival.address)
    return NewTurn(
        reference=arrival.ctx.reference(),
        kind="question",
        lane=session.lane,
        address=session.address,
        conversation=arrival.place,
        posts_root=arrival.ref is None,
        question=None if arrival.ref is None or question.again else arrival.ref.message_id,
        asker=arrival.user,
        text=question.text,
        scope=session.scope,
        epoch=session.epoch,
        route=route_name,
        site=site_of(arrival.ctx.config, route),
        language=route.language,
        locale=arrival.locale,
        edited_at=question.edited_at,
        number=question.number,
        ready_at=question.ready_at,
        refusal=question.refusal,
        context=question.context,
        sent_at=arrival.sent_at,
        accepted_at=arrival.now,
    )


def _context(arrival: Arrival, session: Session, context: QuestionContext) -> QuestionContext:
    """Settle what goes along: nothing that the session knows, and the thread that it does not know."""
    context = without_known(arrival.tx, context, session.lane)
    _, route = arrival.ctx.route_of(arrival.address)
    if route.send_email and arrival.standing == "member":  # neither guests nor people of other organisations
        context = replace(context, sends_email=True)
    reads = _may_read_thread(arrival) and is_new_thread(arrival.tx, session.address, session.scope, session.last_at)
    return replace(context, reads_thread=True) if reads else context


def _may_read_thread(arrival: Arrival) -> bool:
    """Whether there may be a thread that was going on without us: in a direct conversation all was said to us."""
    place, ref = arrival.place, arrival.ref
    if place.is_direct or ref is None or place.thread_id in (None, ref.message_id):
        return False
    along = arrival.ctx.config.context
    return along.thread_messages > 0 and along.chars > 0 and not arrival.ctx.lacks(place.channel, "history")


def _session(arrival: Arrival, address: Address) -> Session:
    """Find the session of a place: its scope by route and settings, its epoch read once."""
    _, route = arrival.ctx.route_of(arrival.address)
    asked_from = questions.asked_from(arrival.tx, address)
    kind = (arrival.place.channel, (asked_from or arrival.place).kind)
    scope = route.scope or arrival.ctx.config.sessions.scopes.get(kind, "user")
    if scope == "topic" and arrival.place.is_direct and not address.thread:
        scope = "user"  # a private chat without topics
    key = scope_key(scope, address.thread, arrival.user)
    number, last_at = epoch(arrival.tx, address, key)
    return Session(address=address, scope=key, epoch=number, last_at=last_at, lane=_lane(arrival, address, key, number))


def _lane(arrival: Arrival, address: Address, scope: str, number: int) -> str:
    return session_id(arrival.ctx.secret, address, scope, number, form=arrival.ctx.config.sessions.id)


def _continue_session(arrival: Arrival, address: Address) -> tuple[Session, tuple[str, ...]]:
    """Find the session of a question, and note that it is used now. Idleness begins a new one; nobody is told."""
    session = _session(arrival, address)
    idle_seconds = arrival.ctx.config.sessions.idle_hours * 3600
    if session.last_at is not None and arrival.now - session.last_at > idle_seconds:
        return _next_session(arrival, session)
    set_epoch(arrival.tx, address, session.scope, session.epoch, arrival.now)
    return session, ()


def _next_session(arrival: Arrival, session: Session) -> tuple[Session, tuple[str, ...]]:
    """Raise the epoch, and let the old session be closed at the API when its questions are answered."""
    number = session.epoch + 1
    set_epoch(arrival.tx, session.address, session.scope, number, arrival.now)
    new = replace(session, epoch=number, lane=_lane(arrival, session.address, session.scope, number))
    if (asked_at := questions.asked_at(arrival.tx, session.lane)) is None:
        return new, ()
    close = NewTurn(
        reference=arrival.ctx.reference(),
        kind="close",
        lane=session.lane,
        address=session.address,
        conversation=arrival.place,
        route=asked_at[0],
        site=asked_at[1],
        asker=arrival.user,
        sent_at=LAST,
        accepted_at=arrival.now,
    )
    turns.make_lane_ready(arrival.tx, session.lane)
    turns.insert(arrival.tx, close)
    return new, (session.lane,)
