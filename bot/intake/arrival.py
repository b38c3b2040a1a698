"""One event inside its transaction: what is known of it, read once, and the values that decide what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.context import Context
from bot.events import (
    Added,
    Command,
    Comment,
    Conversation,
    Deletion,
    Edit,
    Event,
    Gone,
    HomeOpened,
    JoinKind,
    Joins,
    Message,
    MessageRef,
    Moved,
    Reaction,
    Standing,
    Stop,
)
from bot.intake.context import brought_by
from bot.sessions import Address
from bot.store import conversations
from bot.store.contexts import NOTHING, QuestionContext
from bot.store.database import Tx
from bot.store.joining import Joining
from bot.store.kinds import Outcome
from bot.store.turns import Turn

EventOutcome: TypeAlias = Literal["accepted", "duplicate", "ignored", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the transaction did; what follows from it happens after the commit.

    `lanes` have work; `questions` are new, or wait longer than before. `ended`: how a question ended that never became
    a turn. `joined`: why the event has become a part of a question. `refused_as`: why the access policy refuses the
    person (`access.Refusal`). `untold`: a notice was left out, for too many wait to be sent. `rated`: a rating may be
    due. `ask_why`: the adapter may ask the clicker why (`Handled`), in this `language`.
    """

    outcome: EventOutcome = "accepted"
    lanes: tuple[str, ...] = ()
    questions: tuple[Turn, ...] = ()
    refused_as: str | None = None
    ended: Outcome | None = None
    joined: JoinKind | None = None
    untold: bool = False
    rated: bool = False
    ask_why: bool = False
    language: str = "en"


IGNORED = Accepted(outcome="ignored")
DUPLICATE = Accepted(outcome="duplicate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event with what is known of it.

    `address` is canonical; `unreachable`: nothing could be sent there so far. `conversation` is where it was said,
    None for an event that names only a message. `ref`: the message that carries it, None for a slash command.
    `standing`, `locale`: of the person, None where the event says none. `context`: what goes along
    with its words. `joins`: what it belongs together with. `joining`: the question of this person that it may be a part
    of. `full`: as many questions are open as may be; `crowded`: as many notices wait as may. Times in seconds since the
    epoch; `sent_at` is the platform's.
    """

    ctx: Context
    tx: Tx
    event_id: str
    now: float
    sent_at: float
    address: Address
    user: str = ""
    conversation: Conversation | None = None
    ref: MessageRef | None = None
    unreachable: bool = False
    standing: Standing | None = None
    locale: str | None = None
    joins: Joins | None = None
    joining: Joining | None = None
    context: QuestionContext = NOTHING
    full: bool = False
    crowded: bool = False

    @property
    def language(self) -> str:
        """The language in which the person is spoken to here, as far as it is known without asking the channel."""
        _, route = self.ctx.route_of(self.address)
        if self.conversation is None:  # an event that names only a message: it is spoken as in a group
            return self.ctx.language(None, route, None)
        here, place = self.address, self.conversation
        locale = self.locale or self.ctx.people.known_locale(here.channel, place.account_id, self.user)
        return self.ctx.language(place, route, locale)

    @property
    def place(self) -> Conversation:
        """Where it was said; only for events that have a conversation."""
        assert self.conversation is not None
        return self.conversation


Handler: TypeAlias = Callable[[Arrival], Accepted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What an event is to us. `handle` runs after it was noted and admitted.

    `access`: people outside the policy are refused and may be `told` so, refused in `silence`, or it is `open` to all.
    `once`: a redelivery does nothing. Not noted is what must be seen again when more is known, and what does no harm.
    `joins`: it is a part of what the person has begun.
    """

    handle: Handler
    access: Literal["told", "silence", "open"] = "told"
    once: bool = True
    joins: bool = False


def resolve(tx: Tx, event: Event, ctx: Context, *, full: bool, crowded: bool) -> Arrival:
    """Find out where the event belongs: one read for events of a conversation, one for those of a message."""
    now, sent_at, event_id = ctx.clock(), event.sent_at.timestamp(), event.event_id
    match event:
        case Message() | Edit() | Command() | Stop() | Added() | HomeOpened():
            where = conversations.locate(tx, event.conversation, event.user_id)
            return Arrival(
                ctx=ctx,
                tx=tx,
                event_id=event_id,
                now=now,
                sent_at=sent_at,
                address=where.address,
                user=event.user_id,
                conversation=event.conversation,
                ref=None if isinstance(event, Stop | Added | HomeOpened) else event.ref,
                unreachable=where.unreachable,
                standing=None if isinstance(event, Stop) else event.standing,
                locale=None if isinstance(event, Stop | Added) else event.locale,
                joins=event.joins if isinstance(event, Message | Command) else None,
                joining=where.joining,
                context=brought_by(event, ctx.config.limits.message_chars),
                full=full,
                crowded=crowded,
            )
        case _:
            address, user, ref = _of_message(tx, event)
            return Arrival(
                ctx=ctx,
                tx=tx,
                event_id=event_id,
                now=now,
                sent_at=sent_at,
                address=address,
                user=user,
                ref=ref,
                locale=event.locale if isinstance(event, Reaction) else None,
                crowded=crowded,
            )


def _of_message(tx: Tx, event: Reaction | Comment | Deletion | Moved | Gone) -> tuple[Address, str, MessageRef | None]:
    """Find out where an event of a message or of a whole conversation belongs: its address, its person, the message."""
    match event:
        case Reaction() | Comment():
            return conversations.canonical(tx, *_ids(event.target)), event.user_id, event.target
        case Deletion():
            return conversations.canonical(tx, *_ids(event.ref)), "", event.ref
        case Moved():
            return conversations.canonical(tx, event.channel, event.account_id, event.old_id), "", None
        case Gone():
            return conversations.canonical(tx, event.channel, event.account_id, event.conversation_id or ""), "", None


def _ids(ref: MessageRef) -> tuple[str, str, str]:
    return ref.channel, ref.account_id, ref.conversation_id
