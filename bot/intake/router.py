"""The way in: sheds load, takes an event in by one write, then wakes who has to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from bot.context import Context
from bot.engine import Engine
from bot.engine.overload import LoadShedder
from bot.errors import Unavailable
from bot.events import Command, Edit, Event, HomeOpened, Joins, Message, origin_of
from bot.intake.acceptance import take
from bot.intake.arrival import Accepted
from bot.intake.commands import typed
from bot.intake.context import clean
from bot.intake.questions import too_many_open
from bot.intake.replies import DAY
from bot.store import conversations, dead_letters, events, questions
from bot.store.database import Tx

REASONS: Final = {
    "denied": "a list of [access] denies the person or the place",
    "guest": "guests are not admitted; see [access]",
    "external": "people of other workspaces and organisations are not admitted; see [access]",
    "loop": "somebody whom nobody addressed had five answers in a minute: a program that answers the bot, it seems",
    "pending": "a workspace has installed the app that no route and no entry of [access] names; see doctor",
    "public": "only who is listed in [access] is admitted",
}
"""Why the access policy refuses somebody, as an operator reads it."""
MOST_NOTICES: Final = 1000
"""Lanes of a channel's notices in this process. Who would have to wait behind so many is told nothing: people can make
the bot talk faster than a platform lets it, and what they did a minute ago they have done again since."""

log = structlog.get_logger(__name__)


class Router:
    """The way in. One instance per process.

    `show_home` is called when somebody has opened their page, `wake_ratings` when a rating may be due.
    """

    def __init__(
        self,
        ctx: Context,
        engine: Engine,
        show_home: Callable[[HomeOpened], None],
        wake_ratings: Callable[[], None],
    ) -> None:
        self.ctx = ctx
        self._engine = engine
        self._show_home = show_home
        self._wake_ratings = wake_ratings
        self._load = LoadShedder()
        self._refused: dict[tuple[str, str], float] = {}
        self._asking: dict[asyncio.Task[Accepted], str] = {}  # on their way into the store, and perhaps questions

    async def handle(self, event: Event) -> Accepted:
        """Take in one event; see `Host.handle`. A caller that gives up waiting leaves nothing half-done."""
        if self._load.overloaded:
            raise Unavailable("Too much is waiting to be stored; the platform delivers this again.", reason="waiting")
        channel, _ = origin_of(event)
        full = self._is_full(channel)
        if full and await self._is_new_question(event):
            raise too_many_open()  # before the writer is asked: in a flood even a refusal must cost next to nothing
        crowded = self._engine.notices_in(channel) >= MOST_NOTICES
        task = asyncio.get_running_loop().create_task(self._handle(event, full, crowded))
        self._load.enter(task)
        if _may_ask(event):
            self._asking[task] = channel
        task.add_done_callback(self._handled)
        return await asyncio.shield(task)

    def _handled(self, task: asyncio.Task[Accepted]) -> None:
        self._load.leave(task)
        self._asking.pop(task, None)
        if not task.cancelled():
            task.exception()  # told to who waits, if anybody still does

    async def _handle(self, event: Event, full: bool, crowded: bool) -> Accepted:
        started = self.ctx.clock()
        accepted = await self.ctx.db.write(
            lambda tx: take(tx, event, self.ctx, full=full, crowded=crowded), urgent=True
        )
        if self.ctx.traces is not None:
            self._trace(accepted, started)
        self._engine.accepted(accepted.questions, accepted.lanes)
        self._count(event, accepted, max(0.0, self.ctx.clock() - started))
        if accepted.rated:
            self._wake_ratings()
        if isinstance(event, HomeOpened) and accepted.outcome == "accepted":
            self._show_home(event)
        return accepted

    def _trace(self, accepted: Accepted, started: float) -> None:
        """Tell that an event was taken in which is a question, or a part of one."""
        for turn in accepted.questions:
            if (trace := self.ctx.trace_of(turn)) is not None:
                trace.event(started)

    async def set_aside(self, channel: str, account: str, raw: bytes, reason: str) -> None:
        """Keep a payload that cannot be normalised; see `Host.set_aside`."""
        now, reference = self.ctx.clock(), self.ctx.reference()
        payload = dead_letters.Payload(channel, account, raw)
        new = await self.ctx.db.write(
            lambda tx: dead_letters.add_payload(tx, reference, payload, reason, now), urgent=True
        )
        self.ctx.metrics.events_total.labels(channel=channel, kind="payload", outcome="poison").inc()
        if new:
            log.error("payload.set_aside", channel=channel, reference=reference, reason=reason)

    def _is_full(self, channel: str) -> bool:
        """Whether as many questions of a channel are open, or about to be stored, as may be."""
        asking = sum(one == channel for one in self._asking.values())  # a few hundred at most, else it is overloaded
        return self._engine.open_in(channel) + asking >= self.ctx.config.limits.open_turns

    async def _is_new_question(self, event: Event) -> bool:
        """Whether this is one for sure; of what remains the transaction decides."""
        if not isinstance(event, Message) or not (event.conversation.is_direct or event.mentions_bot):
            return False
        if event.in_reply_to is not None or typed(clean(event.text)) is not None:
            return False
        ref, event_id = event.ref, event.event_id
        return not await self.ctx.db.read(
            lambda tx: (
                events.is_noted(tx, ref.channel, ref.account_id, event_id)
                or questions.by_message(tx, ref)
                or (event.joins is not None and _may_go_on(tx, event, event.joins))
            )
        )

    def _count(self, event: Event, accepted: Accepted, seconds: float) -> None:
        channel, _ = origin_of(event)
        kind = type(event).__name__.lower()
        self.ctx.metrics.events_total.labels(channel=channel, kind=kind, outcome=accepted.outcome).inc()
        self.ctx.metrics.turn_overhead_seconds.labels(channel=channel, step="accept").observe(seconds)
        if accepted.refused_as is not None:
            self._tell_operator(channel, accepted.refused_as)
        if accepted.untold:
            self.ctx.metrics.notices_left_out_total.labels(channel=channel).inc()
        if accepted.joined is not None:
            self.ctx.metrics.joined_total.labels(channel=channel, kind=accepted.joined).inc()
        if accepted.ended is not None:
            self.ctx.metrics.turns_total.labels(channel=channel, outcome=accepted.ended).inc()

    def _tell_operator(self, channel: str, reason: str) -> None:
        """Log that the access policy refuses people, once a day for each reason: who is refused hears nothing."""
        now, key = self.ctx.clock(), (channel, reason)
        if now - self._refused.get(key, -DAY) >= DAY:
            self._refused[key] = now
            log.warning("access.refused", channel=channel, reason=REASONS.get(reason, reason))


def _may_go_on(tx: Tx, event: Message, joins: Joins) -> bool:
    """Whether a message may be a part of a question that is open already."""
    return joins.kind == "forward" or conversations.locate(tx, event.conversation, event.user_id).joining is not None


def _may_ask(event: Event) -> bool:
    """Whether an event is likely to become a question; others are too few beside these to be counted."""
    if isinstance(event, Command):
        return event.name == "ask"
    return isinstance(event, Message | Edit) and (event.conversation.is_direct or event.mentions_bot)
