"""Never silent: the sign of work at once, a notice at 10 s, another at BOT_POLL_BUDGET, and none of it left behind.

Progress never fails or delays a turn. What it sends is stored like a step of the turn, so that a restart
removes what a crash left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial

import structlog

from bot import notices
from bot.adapter import Adapter
from bot.context import Context
from bot.engine.admission import AdmissionQueue
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Unavailable
from bot.events import Conversation, MessageRef, Notice
from bot.shared import BackgroundTasks
from bot.store import conversations, progress, receipts, steps, turns
from bot.store.codec import ref_from_json, ref_to_json
from bot.store.database import Tx
from bot.store.receipts import Receipt
from bot.store.steps import FIRST_NOTICE, SECOND_NOTICE, StepName, StepRow
from bot.store.turns import Turn
from bot.texts import said
from bot.turns.root import thread_of
from bot.turns.send import delivery_id, look_up, post_notice

DRAIN = 3.0
"""Seconds that calls under way get when the process stops."""
SOON = 2.0
"""Seconds in which the sign of work must begin to be shown; later it is of little worth and only adds to the rush."""
NOTICES_TOGETHER = 16
"""How many notices begin for every four turns, when not all can begin at once: a rush ends in silence else."""
FIRST_NOTICE_AFTER = 10.0
"""Seconds from the acceptance of a question to the first notice."""
NOTE_AFTER = 1.0
NOTED_TOGETHER = 200
"""Seconds in which it is stored that no sign of progress is left, and of how many turns at once."""
LONGEST_REMOVAL = 900.0
"""Seconds spent at most on removing a sign of progress that the channel does not let go."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Entry:
    """The progress of one question. `told`: a notice may have been sent, by this process or an earlier one."""

    turn: Turn
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown: list[MessageRef] = field(default_factory=list)
    told: bool = True
    settled: bool = False
    ended: bool = False

    def settle(self) -> None:
        """No notice begins any more."""
        self.settled = True
        for timer in self.timers:
            timer.cancel()


class ProgressTracker:
    """The progress of every open question of this process."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        # Of its own: what tells people that they wait must not wait behind what they wait for.
        self._signs, self._notices = AdmissionQueue(ctx.db), AdmissionQueue(ctx.db, together=NOTICES_TOGETHER)
        self._entries: dict[int, _Entry] = {}
        self._removing: set[int] = set()
        self._removals = BackgroundTasks()
        self._clean: list[int] = []
        self._noting = self._draining = False

    def begin(self, turn: Turn, *, is_new: bool) -> None:
        """Show that work has begun on an accepted question; also after a restart, or where others accepted it: then it
        is not new, and somebody may have sent a notice."""
        if turn.kind != "question" or turn.id in self._entries:
            return
        entry = self._entries[turn.id] = _Entry(turn, told=not is_new)
        self._spawn(entry, self._show_sign)
        passed = max(0.0, self.ctx.clock() - turn.accepted_at)
        self._later(entry, FIRST_NOTICE_AFTER - passed, FIRST_NOTICE)

    def taken(self, turn: Turn) -> None:
        """The question was read anew to be worked on: one copy of it is enough, for thousands may wait."""
        if (entry := self._entries.get(turn.id)) is not None:
            entry.turn = turn

    def submitted(self, turn: Turn, ago: float) -> None:
        """The question was submitted `ago` seconds ago: the second notice is due BOT_POLL_BUDGET after that."""
        entry = self._entries.get(turn.id)
        if entry is not None and not self.ctx.lacks(turn.address.channel, "deletions"):
            self._later(entry, self.ctx.config.poll_budget - ago, SECOND_NOTICE)

    def settled(self, turn: Turn) -> None:
        """What the asker will be told is known: no notice begins any more, or it would only take a place from that."""
        if (entry := self._entries.get(turn.id)) is not None:
            entry.settle()

    def end(self, turn: Turn) -> None:
        """The turn has ended: remove every sign of progress, in the background."""
        entry = self._entries.pop(turn.id, None)
        if entry is None and turn.id in self._removing:
            return
        entry = entry or _Entry(turn)
        entry.ended = True
        self._removing.add(turn.id)
        entry.settle()
        if not entry.lock.locked():  # nothing is under way; what waits to begin never need
            for waiting in entry.tasks:
                waiting.cancel()
        self._removals.spawn(self._remove(entry))

    def leave(self, turn: Turn) -> None:
        """Another process works on the turn now, and shows that itself: end here, and remove no notice."""
        entry = self._entries.pop(turn.id, None)
        if entry is None:
            return
        entry.ended = True
        entry.settle()
        self._removals.spawn(self._end_sign(entry))

    async def _end_sign(self, entry: _Entry) -> None:
        adapter = self._adapter(entry.turn)
        async with entry.lock:
            if adapter is not None:
                with contextlib.suppress(BotError):
                    await adapter.working(await self._conversation(entry.turn), entry.turn.question, False)

    async def drain(self) -> None:
        """Stop without removing anything: the next start goes on where this one stopped.

        A call under way may end: a notice whose send is cut could not be found again on every channel.
        """
        entries = list(self._entries.values())
        for entry in entries:
            entry.ended = True
            entry.settle()
        self._draining = True
        self._removals.cancel()
        if tasks := [task for entry in entries for task in entry.tasks]:
            _, late = await asyncio.wait(tasks, timeout=DRAIN)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._removals.drain()
        with contextlib.suppress(Unavailable):
            if self._clean:
                await self.ctx.db.write(partial(progress.set_clean, turn_ids=self._clean))

    def _later(self, entry: _Entry, seconds: float, name: StepName) -> None:
        later = asyncio.get_running_loop().call_later
        entry.timers.append(later(max(0.0, seconds), self._spawn, entry, self._send_notice, name))

    def _spawn(self, entry: _Entry, work: Callable[..., Coroutine[None, None, None]], *more: StepName) -> None:
        task = asyncio.get_running_loop().create_task(work(entry, *more))
        entry.tasks.add(task)
        task.add_done_callback(entry.tasks.discard)

    async def _conversation(self, turn: Turn) -> Conversation:
        return await self.ctx.recall(lambda tx: conversations.current(tx, self._answered_in(tx, turn)))

    def _answered_in(self, tx: Tx, turn: Turn) -> Conversation:
        """Where the turn is answered: for an /ask that is the thread of its root, once that was posted."""
        if turn.posts_root:
            roots = receipts.of_turn(tx, turn.id, "root")
            if roots:
                return thread_of(self.ctx, turn.conversation, roots[0])
        return turn.conversation

    def _adapter(self, turn: Turn) -> Adapter | None:
        return self.ctx.adapters.get(turn.address.channel)

    async def _show_sign(self, entry: _Entry) -> None:
        adapter = self._adapter(entry.turn)
        if adapter is None:
            return
        try:
            async with asyncio.timeout(SOON):
                await self._signs.enter()
            async with entry.lock:
                if not entry.ended:
                    await adapter.working(await self._conversation(entry.turn), entry.turn.question, True)
        except TimeoutError:
            log.info("progress.failed", what="working", reason="too late")  # the first notice comes instead
        except BotError as error:
            log.info("progress.failed", what="working", reason=error.reason)

    async def _send_notice(self, entry: _Entry, name: StepName) -> None:
        """Send one of the two notices, once; the second replaces the first."""
        turn = entry.turn
        adapter = self._adapter(turn)
        await self._notices.enter()
        async with entry.lock:
            if entry.settled or adapter is None:
                return
            entry.told = True
            if not await self._claim(turn, name):
                return
            notice = await self._notice(turn, notices.WORKING if name == FIRST_NOTICE else notices.STILL_WORKING)
            try:
                conversation = await self._conversation(turn)
                ref = await post_notice(adapter, conversation, notice, turn, name)
            except OutcomeUnknown:
                return  # looked up when it is to be removed
            except BotError as error:
                log.info("progress.failed", what=str(name), reason=error.reason)
                await self._save(turn, name, None)
                return
            entry.shown.append(ref)
            if not await self._save(turn, name, Receipt(turn.id, "progress", ref, conversation)):
                await self._until_done(partial(adapter.delete, ref))  # another process has ended the turn meanwhile
            elif name == SECOND_NOTICE:
                await self._delete(entry, adapter, FIRST_NOTICE)

    async def _notice(self, turn: Turn, text: str) -> Notice:
        language = await self.ctx.language_of(turn)
        return Notice(text=said(text, language), kind="progress", user_id=turn.asker, language=language)

    async def _claim(self, turn: Turn, name: StepName) -> bool:
        """Store that a notice begins, unless it ever did or the turn is over."""

        def work(tx: Tx) -> bool:
            if not turns.is_open(tx, turn.id) or name in steps.of_turn(tx, turn.id):
                return False
            steps.save(tx, turn.id, name, StepRow(begun_at=self.ctx.clock()))
            return True

        return await self.ctx.persist(work)

    async def _save(self, turn: Turn, name: StepName, receipt: Receipt | None) -> bool:
        """Store what came of a notice, None when it was not sent; whether the turn is still open."""
        row = StepRow(done_at=self.ctx.clock(), result=None if receipt is None else ref_to_json(receipt.ref))

        def work(tx: Tx) -> bool:
            steps.save(tx, turn.id, name, row)
            if receipt is not None:
                receipts.add(tx, receipt, 0, self.ctx.clock())
            return turns.is_open(tx, turn.id)

        return await self.ctx.persist(work, urgent=True)

    async def _remove(self, entry: _Entry) -> None:
        """Remove the notices and the sign of work, then note that nothing is left; else the next start goes on."""
        adapter, turn = self._adapter(entry.turn), entry.turn
        try:
            done = True
            async with entry.lock:  # a notice under way ends first
                if adapter is not None:
                    if entry.told:
                        done &= await self._remove_notices(entry, adapter)
                    done &= await self._remove_signs(adapter, turn)
            if done:
                self._is_clean(turn.id)
        finally:
            self._removing.discard(turn.id)

    def _is_clean(self, turn_id: int) -> None:
        """Store, soon and of several at once, that no progress is left of a turn; a crash before it costs little."""
        self._clean.append(turn_id)
        if not self._noting and not self._draining:
            self._noting = True
            self._removals.spawn(self._note_clean())

    async def _note_clean(self) -> None:
        await asyncio.sleep(NOTE_AFTER)
        while clean := self._clean[:NOTED_TOGETHER]:
            left = await self.ctx.persist(partial(progress.set_clean, turn_ids=clean))
            del self._clean[: len(clean)]
            for turn in left:
                self.end(turn)
        self._noting = False

    async def _remove_notices(self, entry: _Entry, adapter: Adapter) -> bool:
        done = True
        for name in (FIRST_NOTICE, SECOND_NOTICE):
            done &= await self._delete(entry, adapter, name)
        # What a `dead retry` or `sessions forget` left without its step.
        left = await self.ctx.recall(lambda tx: receipts.of_turn(tx, entry.turn.id, "progress"))
        for ref in dict.fromkeys(left + entry.shown):
            done &= await self._delete_message(entry, adapter, ref)
        return done

    async def _remove_signs(self, adapter: Adapter, turn: Turn) -> bool:
        """End the sign of work where the question was asked, and in the thread of an /ask."""
        done = True
        where = [turn.conversation, await self._conversation(turn)] if turn.posts_root else [turn.conversation]
        for conversation in dict.fromkeys(where):
            now = await self.ctx.recall(partial(conversations.current, conversation=conversation))
            done &= await self._until_done(partial(adapter.working, now, turn.question, False))
        return done

    async def _delete(self, entry: _Entry, adapter: Adapter, name: StepName) -> bool:
        turn = entry.turn
        row = (await self.ctx.recall(lambda tx: steps.of_turn(tx, turn.id))).get(name)
        if row is None:
            return True
        refs: list[MessageRef] = [ref_from_json(row.result)] if row.result else []
        if row.done_at is None:  # sent, perhaps: a crash or a cut came between
            conversation = await self._conversation(turn)
            until = asyncio.get_running_loop().time() + LONGEST_REMOVAL
            try:
                refs = list(await look_up(self.ctx, adapter, conversation, delivery_id(turn, name), until) or ())
            except BotError as error:
                log.info("progress.failed", what="look up", reason=error.reason)
                return False
        return all([await self._delete_message(entry, adapter, ref) for ref in refs])

    async def _delete_message(self, entry: _Entry, adapter: Adapter, ref: MessageRef) -> bool:
        if not await self._until_done(partial(adapter.delete, ref)):
            return False
        await self.ctx.persist(lambda tx: receipts.remove(tx, ref))
        if ref in entry.shown:
            entry.shown.remove(ref)
        return True

    async def _until_done(self, act: Callable[[], Awaitable[None]]) -> bool:
        """Try a removal for a while; a channel that does not let go must not be tried for ever."""
        loop = asyncio.get_running_loop()
        until, wait = loop.time() + LONGEST_REMOVAL, 1.0
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
