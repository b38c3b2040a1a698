"""What a message or command becomes, decided and stored in one transaction: a question, a notice, a new epoch.

`Accepting` is one person's doing in one place, with everything the decision needs. It never waits.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import Literal

from bot import notices
from bot.access import route_for
from bot.context import Context
from bot.errors import Unavailable
from bot.events import Conversation, MessageRef, NoticeKind
from bot.sessions import scope_key, session_id
from bot.store import asked, conversations, turns
from bot.store.conversations import Where
from bot.store.database import Tx
from bot.store.turns import LAST, NewTurn, Turn

MINUTE = 60.0
DAY = 86400.0


@dataclass(slots=True)
class Taken:
    """What the transaction did; what follows from it happens after the commit."""

    outcome: Literal["accepted", "duplicate", "ignored", "refused"] = "accepted"
    ask_why: bool = False
    lanes: list[str] = field(default_factory=list)
    questions: list[Turn] = field(default_factory=list)
    ended: str | None = None
    rated: bool = False


def too_many_open() -> Unavailable:
    """Say that no further question can be taken now."""
    return Unavailable("Too many questions are open; the platform delivers this one again.", reason="open_turns")


@dataclass(slots=True, kw_only=True)
class Accepting:
    """One event on its way into the store. `ref` is the message that carries it, None for a slash command.

    `edited_at`: when its words were changed last, by the platform's time.
    `full`: no more open questions are taken. `again`: the message was asked before, and its edits stay with that turn.
    `lanes` and `questions` are what it made; `outside`: the person is outside the policy; `ended`: the outcome of a
    question that never became a turn (`refused`, `limited`).
    """

    ctx: Context
    tx: Tx
    now: float
    conversation: Conversation
    where: Where
    user: str
    ref: MessageRef | None
    sent_at: float
    prefix: str
    lanes: list[str] = field(default_factory=list)
    questions: list[Turn] = field(default_factory=list)
    edited_at: float | None = None
    full: bool = False
    again: bool = False
    outside: bool = False
    ended: str | None = None

    def question(self, text: str) -> None:
        """Store a question, or say what is wrong with it. Raises `Unavailable` when too many are open."""
        limits = self.ctx.config.limits
        if problem := self.problem(text):
            return self._refuse(problem, "refused")
        wait = self._over_the_limit()
        if wait is not None:
            return self._refuse(notices.too_many(wait), "limited")
        if self.full:
            raise too_many_open()
        name, route = route_for(self.ctx.config.routes, self.where.channel, self.where.account, self.where.conversation)
        place, where, root = self.conversation, self.where, False
        if self.ref is None:
            # The thread does not exist yet; it is known by this name until its root is posted, and after.
            root, where = True, replace(where, thread=f"ask:{self.ctx.reference()}")
        self._idle_epoch(where)
        scope = self._scope(where)
        number, _ = conversations.epoch(self.tx, where, scope)
        lane = self._lane(where)
        if turns.waiting(self.tx, lane) >= limits.waiting_per_session:
            return self._refuse(notices.queue_full(), "limited")
        new = NewTurn(
            reference=self.ctx.reference(),
            kind="question",
            lane=lane,
            where=where,
            place=place,
            root=root,
            question=None if self.ref is None or self.again else self.ref.message_id,
            asker=self.user,
            text=text,
            scope=scope,
            epoch=number,
            route=name,
            language=route.language,
            edited_at=self.edited_at,
            sent_at=self.sent_at,
            accepted_at=self.now,
        )
        made = turns.get(self.tx, turns.insert(self.tx, new))
        assert made is not None
        self.questions.append(made)
        self.lanes.append(lane)
        return None

    def problem(self, text: str) -> str | None:
        """Say what is wrong with the words of a question, None for nothing."""
        limit = self.ctx.config.limits.question_chars
        if not visible(text):
            return notices.EMPTY
        return notices.too_long(limit) if len(text) > limit else None

    def say(self, text: str, kind: NoticeKind, *, about: int | None = None, reply_to: MessageRef | None = None) -> None:
        """Store something to say, in a lane of its own: it is said at once."""
        reference = self.ctx.reference()
        new = NewTurn(
            reference=reference,
            kind="notice",
            lane=f"notice:{reference}",
            where=self.where,
            place=self.conversation,
            question=None if self.ref is None else self.ref.message_id,
            asker=self.user,
            text=text,
            say=kind,
            about=about,
            reply_to=reply_to,
            sent_at=self.sent_at,
            accepted_at=self.now,
        )
        turns.insert(self.tx, new)
        self.lanes.append(new.lane)

    def new_epoch(self, where: Where | None = None) -> None:
        """Begin a new session; the close of the old one is the last item of its lane."""
        where = where or self.where
        scope = self._scope(where)
        number, _ = conversations.epoch(self.tx, where, scope)
        old = self._lane(where)
        conversations.set_epoch(self.tx, where, scope, number + 1, self.now)
        if asked.asked_in_lane(self.tx, old):
            name, _ = route_for(self.ctx.config.routes, where.channel, where.account, where.conversation)
            new = NewTurn(
                reference=self.ctx.reference(),
                kind="close",
                lane=old,
                where=where,
                place=self.conversation,
                route=name,
                asker=self.user,
                sent_at=LAST,
                accepted_at=self.now,
            )
            turns.insert(self.tx, new)
            self.lanes.append(old)

    def refuse_access(self) -> None:
        """Somebody outside the policy: nothing, or one notice a day."""
        self.outside = True
        key = f"refused:{self.where.channel}:{self.where.account}:{self.user}"
        if self.ctx.config.access.refused == "daily_notice" and conversations.may_say(self.tx, key, DAY, self.now):
            self.say(notices.REFUSED, "refusal")

    def refuse(self, text: str) -> None:
        """A question that cannot be asked: say what is possible."""
        self._refuse(text, "refused")

    def _refuse(self, text: str, outcome: str) -> None:
        self.ended = outcome
        if outcome == "limited":
            key = f"limited:{self.where.channel}:{self.where.account}:{self.user}"
            if not conversations.may_say(self.tx, key, MINUTE, self.now):
                return
        self.say(text, "refusal")

    def _over_the_limit(self) -> int | None:
        """Return the seconds to wait when the person has asked too often in this minute."""
        allowed = self.ctx.config.limits.per_person_per_minute
        if allowed <= 0:
            return None
        times = asked.asked_since(
            self.tx, self.where.channel, self.where.account, self.user, self.now - MINUTE, self.now
        )
        if len(times) < allowed:
            return None
        return max(1, round(times[-allowed] + MINUTE - self.now))

    def _scope(self, where: Where) -> str:
        _, route = route_for(self.ctx.config.routes, where.channel, where.account, where.conversation)
        given = asked.asked_from(self.tx, where) if where.thread else None
        kind = (self.conversation.channel, (given or self.conversation).kind)
        scope = route.scope or self.ctx.config.sessions.scopes.get(kind, "user")
        if scope == "topic" and self.conversation.is_direct and not where.thread:
            scope = "user"  # a private chat without topics
        return scope_key(scope, where.thread, self.user)

    def _lane(self, where: Where) -> str:
        scope = self._scope(where)
        number, _ = conversations.epoch(self.tx, where, scope)
        config = self.ctx.config.sessions
        return session_id(
            self.ctx.secret, where.channel, where.account, where.conversation, scope, number, form=config.id
        )

    def _idle_epoch(self, where: Where) -> None:
        """Idleness begins a new session with the next question, and nobody is told."""
        scope = self._scope(where)
        number, last = conversations.epoch(self.tx, where, scope)
        if last is not None and self.now - last > self.ctx.config.sessions.idle_hours * 3600:
            self.new_epoch(where)
            number += 1
        conversations.set_epoch(self.tx, where, scope, number, self.now)


def clean(text: str) -> str:
    """Make words safe to store and send: no lone surrogates, no NUL, no white space around."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()


def visible(text: str) -> bool:
    """Whether there is anything to be seen: format characters of no width are not."""
    return any(not one.isspace() and unicodedata.category(one) not in ("Cf", "Cc") for one in text)
