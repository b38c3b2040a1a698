"""Takes an event in: for us? allowed? seen? store it, wake its lane. Everything is decided in one transaction."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

import structlog

from bot import access, commands, notices, opinions
from bot.accept import Accepting, Taken, clean, too_many_open
from bot.adapter import Handled
from bot.calm import Rush
from bot.context import Context
from bot.engine.inprocess import Engine
from bot.errors import Unavailable
from bot.events import (
    Command,
    Comment,
    Conversation,
    Deletion,
    Edit,
    Event,
    Gone,
    HomeOpened,
    Message,
    MessageRef,
    Moved,
    Reaction,
    Stop,
    origin_of,
)
from bot.home import HomePages
from bot.store import asked, conversations, dead, feedback, overtaken, turns
from bot.store.conversations import Where, key_of
from bot.store.database import Tx

log = structlog.get_logger(__name__)

Spoken: TypeAlias = Message | Edit


class Router:
    """The way in. One instance per process."""

    def __init__(self, ctx: Context, engine: Engine, home: HomePages) -> None:
        self.ctx = ctx
        self.engine = engine
        self.home = home
        self._rush = Rush()
        # Questions counted by the writer's thread, and those of them that the loop has heard of; never by both.
        self._stored = self._known = 0

    async def handle(self, event: Event) -> Handled:
        """Take in one event; see `Host.handle`. A caller that gives up waiting leaves nothing half-done."""
        if self._rush.full:
            raise Unavailable("Too much is waiting to be stored; the platform delivers this again.", reason="waiting")
        if self._full and await self._is_new_question(event):
            raise too_many_open()  # before the writer is asked: in a flood even a refusal must cost next to nothing
        task = asyncio.get_running_loop().create_task(self._handle(event))
        self._rush.enter(task)
        task.add_done_callback(self._handled)
        return await asyncio.shield(task)

    def _handled(self, task: asyncio.Task[Handled]) -> None:
        self._rush.leave(task)
        if not task.cancelled():
            task.exception()  # told to who waits, if anybody still does

    async def _handle(self, event: Event) -> Handled:
        channel, _ = origin_of(event)
        started = self.ctx.clock()
        stored: list[turns.Turn] = []
        try:
            taken = await self.ctx.db.write(lambda tx: self._store(tx, event, stored), urgent=True)
            self.engine.accepted(taken.questions, taken.lanes)
        finally:
            self._known += len(stored)
        self._count(channel, event, taken.outcome)
        took = max(0.0, self.ctx.clock() - started)
        self.ctx.metrics.turn_overhead_seconds.labels(channel=channel, step="accept").observe(took)
        if taken.ended is not None:
            self.ctx.metrics.turns_total.labels(channel=channel, outcome=taken.ended).inc()
        if taken.rated:
            self.ctx.wake_feedback()
        if isinstance(event, HomeOpened) and taken.outcome == "accepted":
            self.home.show(event)
        return Handled(outcome=taken.outcome, ask_why=taken.ask_why)

    async def set_aside(self, channel: str, account: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised; see `Host.set_aside`."""
        now, reference = self.ctx.clock(), self.ctx.reference()
        new = await self.ctx.db.write(
            lambda tx: dead.add_payload(tx, reference, channel, account, raw, reason, now), urgent=True
        )
        self.ctx.metrics.events_total.labels(channel=channel, kind="payload", outcome="poison").inc()
        if new:
            log.error("payload.set_aside", channel=channel, reference=reference, reason=reason)

    def _store(self, tx: Tx, event: Event, stored: list[turns.Turn]) -> Taken:
        """Take the event, and count its questions at once: the engine hears of them only after the commit."""
        taken = self._take(tx, event)
        stored += taken.questions
        self._stored += len(stored)
        return taken

    def _take(self, tx: Tx, event: Event) -> Taken:
        now = self.ctx.clock()
        match event:
            case Message():
                return self._message(tx, event, now)
            case Command():
                return self._command(tx, event, now)
            case Edit():
                return self._edit(tx, event, now)
            case Reaction():
                return opinions.reaction(self.ctx, tx, event, now)
            case HomeOpened():
                where = conversations.first_known(tx, event.conversation)
                admitted = self._admitted(event, where)
                return Taken() if admitted else Taken("refused")
        channel, account = origin_of(event)
        if turns.seen(tx, channel, account, event.event_id, now):
            return Taken("duplicate")
        match event:
            case Deletion():
                return self._delete(tx, event, now)
            case Stop():
                where = conversations.first_known(tx, event.conversation)
                found = asked.open_questions(tx, where, event.user_id)
                return _cancel_all(tx, [turn for turn in found if turn.sent_at <= event.sent_at.timestamp()])
            case Comment():
                return opinions.comment(tx, event, now)
            case Moved():
                conversations.move(tx, channel, account, event.old_id, event.new_id, now)
                return Taken()
            case Gone():
                return self._gone(tx, event, now)

    # -- words ----------------------------------------------------------------------------------------------------

    def _message(self, tx: Tx, event: Message, now: float) -> Taken:
        if (why := opinions.why_reply(tx, event)) is not None:
            if turns.seen(tx, event.ref.channel, event.ref.account_id, event.event_id, now):
                return Taken("duplicate")
            feedback.comment(tx, why, event.user_id, clean(event.text), event.event_id, now, event.ref.message_id)
            return Taken()
        accepting = self._accepting(tx, event.conversation, event.user_id, event.ref, event.sent_at.timestamp(), now)
        if not self._for_us(tx, event, accepting.where):
            return Taken("ignored")
        return self._spoken(tx, event, accepting, now)

    def _spoken(self, tx: Tx, event: Spoken, accepting: Accepting, now: float) -> Taken:
        """Something said to us: a typed command or a question."""
        if turns.seen(tx, event.ref.channel, event.ref.account_id, event.event_id, now):
            return Taken("duplicate")
        if (earlier := asked.by_question(tx, key_of(event.ref), moved=False)) is not None:
            asks = isinstance(event, Message) and event.asks
            if not asks or (earlier.asker == event.user_id and turns.is_open(tx, earlier.id)):
                return Taken("duplicate")
            accepting.again = True
        if not self._admitted(event, accepting.where):
            accepting.refuse_access()
            return _taken(accepting)
        text, edited = clean(event.text), event.sent_at.timestamp() if isinstance(event, Edit) else None
        newer = overtaken.find(tx, key_of(event.ref))
        if newer is not None:
            if newer.text is None:
                return Taken("ignored")  # deleted before it arrived
            if edited is None or newer.sent_at > edited:
                text, edited = newer.text, newer.sent_at
        conversations.wake_up(tx, accepting.where)
        accepting.edited_at = edited
        command = commands.typed(text)
        if command is not None:
            name, args = command
            commands.COMMANDS[name](accepting, args)
        elif not text.strip() and event.has_attachment:
            accepting.refuse(notices.ONLY_ATTACHMENT)
        else:
            accepting.question(text)
        return _taken(accepting)

    def _admitted(self, event: Spoken | Command | HomeOpened, where: Where) -> bool:
        seen_as = event.conversation.conversation_id
        return access.admitted(self.ctx.config.access, where, event.user_id, event.standing, seen_as=seen_as)

    def _for_us(self, tx: Tx, event: Spoken, where: Where) -> bool:
        if event.conversation.is_direct or event.mentions_bot or (isinstance(event, Message) and event.asks):
            return True
        _, route = access.route_for(self.ctx.config.routes, where.channel, where.account, where.conversation)
        if route.mode == "all" or (route.mode == "questions" and event.text.rstrip().endswith(("?", "？", "؟"))):
            return not event.mentions_others
        if event.mentions_others or event.conversation.thread_id in (None, event.ref.message_id):
            return False  # nobody has asked before the root of a thread, even if it arrives late
        return conversations.takes_part(tx, where, event.user_id)

    def _command(self, tx: Tx, event: Command, now: float) -> Taken:
        if turns.seen(tx, event.conversation.channel, event.conversation.account_id, event.event_id, now):
            return Taken("duplicate")
        accepting = self._accepting(tx, event.conversation, event.user_id, event.ref, event.sent_at.timestamp(), now)
        run = commands.COMMANDS.get(event.name)
        if run is None:
            return Taken("ignored")
        if not self._admitted(event, accepting.where):
            accepting.refuse_access()
            return _taken(accepting)
        conversations.wake_up(tx, accepting.where)
        accepting.prefix = "/" if event.ref is not None else "!"
        run(accepting, clean(event.args))
        return _taken(accepting)

    def _edit(self, tx: Tx, event: Edit, now: float) -> Taken:
        turn = asked.by_question(tx, key_of(event.ref))
        accepting = self._accepting(tx, event.conversation, event.user_id, event.ref, event.sent_at.timestamp(), now)
        if feedback.replace_comment(
            tx, event.ref.channel, event.ref.account_id, event.ref.message_id, event.user_id, clean(event.text)
        ):
            return Taken()
        if turn is None:
            # An edit that adds the mention is a new question, and so is one that mends a question that was refused.
            # A direct message was one from the beginning; if it has not arrived yet, its newest words wait for it.
            if event.mentions_bot or (event.conversation.is_direct and asked.refused(tx, key_of(event.ref))):
                return self._spoken(tx, event, accepting, now)
            admitted = self._admitted(event, accepting.where)
            if event.conversation.is_direct and admitted:
                text, sent_at = clean(event.text), event.sent_at.timestamp()
                overtaken.keep(tx, key_of(event.ref), text, sent_at, now, event.user_id)
            return Taken("ignored")
        if turns.seen(tx, event.ref.channel, event.ref.account_id, event.event_id, now):
            return Taken("duplicate")
        if turn.asker != event.user_id:
            return Taken("ignored")
        text = clean(event.text)
        if command := commands.typed(text):
            if command[0] != "ask":
                return _cancel_all(tx, [turn])  # no question any more
            text = command[1]
        if text == turn.text:
            return Taken("ignored")
        if problem := accepting.problem(text):
            if not turns.cancel(tx, turn.id):
                return Taken("ignored")
            accepting.refuse(problem)
            accepting.ended = None  # the turn ends as cancelled
            accepting.lanes.append(turn.lane)
            return _taken(accepting)
        return Taken() if turns.replace_text(tx, turn.id, text, event.sent_at.timestamp()) else Taken("ignored")

    # -- endings --------------------------------------------------------------------------------------------------

    def _delete(self, tx: Tx, event: Deletion, now: float) -> Taken:
        key = key_of(event.ref)
        turn = asked.by_question(tx, key)
        if turn is None:  # none of ours, or one that has not arrived yet
            overtaken.keep(tx, key, None, event.sent_at.timestamp(), now)
            return Taken("ignored")
        return _cancel_all(tx, [turn])

    def _gone(self, tx: Tx, event: Gone, now: float) -> Taken:
        if event.conversation_id is None:
            found = [
                t
                for t in turns.open_turns(tx)
                if (t.where.channel, t.where.account) == (event.channel, event.account_id)
            ]
            return _cancel_all(tx, found)
        first = conversations.first_conversation(tx, event.channel, event.account_id, event.conversation_id)
        conversations.rest(tx, event.channel, event.account_id, first, now)
        return _cancel_all(tx, asked.open_questions(tx, Where(event.channel, event.account_id, first, "")))

    # -- helpers --------------------------------------------------------------------------------------------------

    def _accepting(
        self, tx: Tx, conversation: Conversation, user: str, ref: MessageRef | None, sent_at: float, now: float
    ) -> Accepting:
        where = conversations.first_known(tx, conversation)
        return Accepting(
            ctx=self.ctx,
            tx=tx,
            now=now,
            conversation=conversation,
            where=where,
            user=user,
            ref=ref,
            sent_at=sent_at,
            prefix="!",
            full=self._full,
        )

    async def _is_new_question(self, event: Event) -> bool:
        """Whether this is one for sure; of what remains the transaction decides."""
        if not isinstance(event, Message) or not (event.conversation.is_direct or event.mentions_bot):
            return False
        if event.in_reply_to is not None or commands.typed(clean(event.text)) is not None:
            return False
        return not await self.ctx.db.read(lambda tx: asked.met(tx, key_of(event.ref), event.event_id))

    @property
    def _full(self) -> bool:
        """Whether as many questions are open as may be."""
        return self.engine.open_questions + self._stored - self._known >= self.ctx.config.limits.open_turns

    def _count(self, channel: str, event: Event, outcome: str) -> None:
        kind = type(event).__name__.lower()
        self.ctx.metrics.events_total.labels(channel=channel, kind=kind, outcome=outcome).inc()


def _taken(accepting: Accepting) -> Taken:
    return Taken(
        "refused" if accepting.outside else "accepted",
        lanes=accepting.lanes,
        questions=accepting.questions,
        ended=accepting.ended,
    )


def _cancel_all(tx: Tx, found: list[turns.Turn]) -> Taken:
    cancelled = [turn for turn in found if turns.cancel(tx, turn.id)]
    return Taken(lanes=[turn.lane for turn in cancelled]) if cancelled else Taken("ignored")
