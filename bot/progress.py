"""Never silent: the sign of work at once, a notice at 10 s, another at BOT_POLL_BUDGET, and none of it left behind.

Progress never fails or delays a turn. What it sends is stored like a step of the turn, so that a restart
removes what a crash left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from bot import notices
from bot.adapter import Adapter
from bot.calm import Calm
from bot.context import Context
from bot.delivery import delivery_id, look_up, ref_values
from bot.engine.steps import persist, recall
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Unavailable
from bot.events import Conversation, MessageRef, Notice
from bot.store import conversations, receipts, steps, turns
from bot.store.database import Tx
from bot.store.steps import StepRow
from bot.store.turns import Turn

DRAIN = 3.0
"""Seconds that calls under way get when the process stops."""
SOON = 2.0
"""Seconds in which the sign of work must begin to be shown; later it is of little worth and only adds to the rush."""
NOTICES_TOGETHER = 16
"""How many notices begin for every four turns, when not all can begin at once: a rush ends in silence else."""
FIRST_NOTICE = 10.0
"""Seconds from the acceptance of a question to the first notice."""
ENOUGH = 900.0
"""Seconds spent at most on removing a sign of progress that the channel does not let go."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Entry:
    turn: Turn
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown: list[MessageRef] = field(default_factory=list)
    ended: bool = False


class Board:
    """The progress of every open question of this process."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        # Of its own: what tells people that they wait must not wait behind what they wait for.
        self._signs, self._notices = Calm(ctx.db), Calm(ctx.db, together=NOTICES_TOGETHER)
        self._entries: dict[int, _Entry] = {}
        self._removing: set[int] = set()
        self._ending: set[asyncio.Task[None]] = set()

    def begin(self, turn: Turn) -> None:
        """Show that work has begun on an accepted question; also after a restart."""
        if turn.kind != "question" or turn.id in self._entries:
            return
        entry = self._entries[turn.id] = _Entry(turn)
        self._spawn(entry, self._working(entry))
        passed = max(0.0, self.ctx.clock() - turn.accepted_at)
        self._later(entry, FIRST_NOTICE - passed, 1)

    def submitted(self, turn: Turn, ago: float) -> None:
        """The question was submitted `ago` seconds ago: the second notice is due BOT_POLL_BUDGET after that."""
        entry = self._entries.get(turn.id)
        if entry is not None:
            self._later(entry, self.ctx.config.poll_budget - ago, 2)

    def end(self, turn: Turn) -> None:
        """The turn has ended: remove every sign of progress, in the background."""
        entry = self._entries.pop(turn.id, None)
        if entry is None and turn.id in self._removing:
            return
        entry = entry or _Entry(turn)
        entry.ended = True
        self._removing.add(turn.id)
        for timer in entry.timers:
            timer.cancel()
        if not entry.lock.locked():  # nothing is under way; what waits to begin never need
            for waiting in entry.tasks:
                waiting.cancel()
        task = asyncio.get_running_loop().create_task(self._remove(entry))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def drain(self) -> None:
        """Stop without removing anything: the next start goes on where this one stopped.

        A call under way may end: a notice whose send is cut could not be found again on every channel.
        """
        entries = list(self._entries.values())
        for entry in entries:
            entry.ended = True
            for timer in entry.timers:
                timer.cancel()
        for task in self._ending:
            task.cancel()
        tasks = [task for entry in entries for task in entry.tasks]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, *self._ending, return_exceptions=True)

    def _later(self, entry: _Entry, seconds: float, number: int) -> None:
        loop = asyncio.get_running_loop()
        entry.timers.append(loop.call_later(max(0.0, seconds), lambda: self._spawn(entry, self._notice(entry, number))))

    def _spawn(self, entry: _Entry, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        entry.tasks.add(task)
        task.add_done_callback(entry.tasks.discard)

    async def _place(self, turn: Turn) -> Conversation:
        return await recall(self.ctx, lambda tx: conversations.current(tx, _place_now(tx, turn)))

    def _adapter(self, turn: Turn) -> Adapter | None:
        return self.ctx.adapters.get(turn.where.channel)

    async def _working(self, entry: _Entry) -> None:
        adapter = self._adapter(entry.turn)
        if adapter is None:
            return
        try:
            async with asyncio.timeout(SOON):
                await self._signs.enter()
            async with entry.lock:
                if not entry.ended:
                    await adapter.working(await self._place(entry.turn), entry.turn.question, True)
        except TimeoutError:
            log.info("progress.failed", what="working", reason="too late")  # the first notice comes instead
        except BotError as error:
            log.info("progress.failed", what="working", reason=error.reason)

    async def _notice(self, entry: _Entry, number: int) -> None:
        """Send notice 1 or 2, once; the second replaces the first."""
        turn, name = entry.turn, f"progress:{number}"
        adapter = self._adapter(turn)
        await self._notices.enter()
        async with entry.lock:
            if entry.ended or adapter is None or not await self._claim(turn, name):
                return
            text = notices.WORKING if number == 1 else notices.STILL_WORKING
            part = adapter.render(Notice(text=text, kind="progress", user_id=turn.asker))[0]
            try:
                place = await self._place(turn)
                ref = await adapter.send(place, part, delivery_id(turn, name), turn.question)
            except OutcomeUnknown:
                return  # looked up when it is to be removed
            except BotError as error:
                log.info("progress.failed", what=name, reason=error.reason)
                await self._save(turn, name, StepRow(done_at=self.ctx.clock()))
                return
            entry.shown.append(ref)
            row = StepRow(done_at=self.ctx.clock(), result=ref_values(ref))
            if not await self._save(turn, name, row, ref, place):
                await self._until_done(partial(adapter.delete, ref))  # another process has ended the turn meanwhile
            elif number == 2:
                await self._delete(entry, adapter, 1)

    async def _claim(self, turn: Turn, name: str) -> bool:
        """Store that a notice begins, unless it ever did or the turn is over."""

        def work(tx: Tx) -> bool:
            if not turns.is_open(tx, turn.id) or name in steps.steps_of(tx, turn.id):
                return False
            steps.save(tx, turn.id, name, StepRow(begun_at=self.ctx.clock()))
            return True

        return await persist(self.ctx, work)

    async def _save(
        self, turn: Turn, name: str, row: StepRow, ref: MessageRef | None = None, place: Conversation | None = None
    ) -> bool:
        """Store what came of a notice; whether the turn is still open."""

        def work(tx: Tx) -> bool:
            steps.save(tx, turn.id, name, row)
            if ref is not None and place is not None:
                receipts.add(tx, turn.id, ref, place, "progress", 0, self.ctx.clock())
            return turns.is_open(tx, turn.id)

        return await persist(self.ctx, work, urgent=True)

    async def _remove(self, entry: _Entry) -> None:
        """Remove the notices and the sign of work, then note that nothing is left; else the next start goes on."""
        adapter, turn = self._adapter(entry.turn), entry.turn
        try:
            done = True
            async with entry.lock:  # a notice under way ends first
                if adapter is not None:
                    for number in (1, 2):
                        done &= await self._delete(entry, adapter, number)
                    # What a `dead retry` or `sessions forget` left without its step.
                    left = await recall(self.ctx, lambda tx: receipts.of_turn(tx, turn.id, "progress"))
                    for ref in dict.fromkeys(left + entry.shown):
                        done &= await self._delete_one(entry, adapter, ref)
                    for place in dict.fromkeys((turn.place, await self._place(turn)) if turn.root else (turn.place,)):
                        done &= await self._not_working(adapter, place, turn)
            if done:
                await persist(self.ctx, lambda tx: turns.cleaned(tx, turn.id))
        finally:
            self._removing.discard(turn.id)

    async def _not_working(self, adapter: Adapter, place: Conversation, turn: Turn) -> bool:
        now = await recall(self.ctx, lambda tx: conversations.current(tx, place))
        return await self._until_done(partial(adapter.working, now, turn.question, False))

    async def _delete(self, entry: _Entry, adapter: Adapter, number: int) -> bool:
        turn, name = entry.turn, f"progress:{number}"
        row = (await recall(self.ctx, lambda tx: steps.steps_of(tx, turn.id))).get(name)
        if row is None:
            return True
        refs: list[MessageRef] = [receipts.ref_of(row.result)] if row.result else []
        if row.done_at is None:  # sent, perhaps: a crash or a cut came between
            place = await self._place(turn)
            until = asyncio.get_running_loop().time() + ENOUGH
            try:
                refs = list(await look_up(self.ctx, adapter, place, delivery_id(turn, name), until) or ())
            except BotError as error:
                log.info("progress.failed", what="look up", reason=error.reason)
                return False
        return all([await self._delete_one(entry, adapter, ref) for ref in refs])

    async def _delete_one(self, entry: _Entry, adapter: Adapter, ref: MessageRef) -> bool:
        if not await self._until_done(partial(adapter.delete, ref)):
            return False
        await persist(self.ctx, lambda tx: receipts.remove(tx, ref))
        if ref in entry.shown:
            entry.shown.remove(ref)
        return True

    async def _until_done(self, act: Callable[[], Awaitable[None]]) -> bool:
        """Try a removal for a while; a channel that does not let go must not be tried for ever."""
        loop = asyncio.get_running_loop()
        until, wait = loop.time() + ENOUGH, 1.0
        while True:
            try:
                await act()
            except (Unavailable, Misconfigured) as error:
                again = getattr(error, "retry_after", None) or wait
                if loop.time() + again > until:
                    log.info("progress.failed", what="remove", reason=error.reason)
                    return False
                await asyncio.sleep(again)
                wait = min(wait * 2, 30.0)
            except BotError as error:
                log.info("progress.failed", what="remove", reason=error.reason)
                return True  # it will never be possible
            else:
                return True


def _place_now(tx: Tx, turn: Turn) -> Conversation:
    """Where the turn is answered: for an /ask that is the thread of its root, once that was posted."""
    if turn.root:
        roots = receipts.of_turn(tx, turn.id, "root")
        if roots:
            return replace(turn.place, conversation_id=roots[0].conversation_id, thread_id=roots[0].message_id)
    return turn.place
