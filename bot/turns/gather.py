"""What a turn finds out for its question: the thread it was asked in, and what people, channels and groups are called.

A failure costs what was looked for, never the answer. The thread is read once, in a step of the turn, and deleted from
the store when the turn has ended; names are kept in memory for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bot.adapter import Adapter
from bot.context import Context
from bot.errors import BotError
from bot.events import EarlierMessage, File, Mention
from bot.shared import BackgroundTasks, BoundedDict
from bot.store import conversations
from bot.store.contexts import QuestionContext
from bot.store.steps import CONTEXT
from bot.turns.attempt import TurnAttempt
from bot.turns.compose import FileText, Gathered, Said, mentioned
from bot.turns.files import FileReader, name_of
from bot.turns.steps import Begin, Step

READ_SECONDS: Final = 15.0
"""How long the reading of a thread may take: five calls at most."""
NAME_SECONDS: Final = 5.0
"""How long looking up all names of a question may take."""
MOST_NAMES: Final = 30
"""Names looked up for one question; those beyond stay unnamed."""
KEEP_SECONDS: Final = 3600.0
KEEP_NAMES: Final = 10_000

log = structlog.get_logger(__name__)


class Names:
    """What people, channels and groups are called, looked up at the channel and kept for an hour.

    What the channel does not tell is kept too; what failed is asked for again the next time.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: BoundedDict[tuple[str, str, Mention], tuple[float, str | None]] = BoundedDict(KEEP_NAMES)
        self._asked: dict[tuple[str, str, Mention], asyncio.Task[None]] = {}
        self._tasks = BackgroundTasks()

    async def of(self, adapter: Adapter, account: str, mentions: Sequence[Mention]) -> Mapping[Mention, str]:
        """Return the names that can be had in time."""
        found: dict[Mention, str] = {}
        missing = []
        for mention in mentions:
            expires, name = self._known.get((adapter.channel, account, mention), (0.0, None))
            if expires < self._ctx.clock():
                missing.append(mention)
            elif name is not None:
                found[mention] = name

        tasks = [self._look_up(adapter, account, mention) for mention in missing[:MOST_NAMES]]
        if tasks:
            await asyncio.wait(tasks, timeout=NAME_SECONDS)
        for mention in missing[:MOST_NAMES]:
            expires, name = self._known.get((adapter.channel, account, mention), (0.0, None))
            if name is not None and expires >= self._ctx.clock():
                found[mention] = name
        return found

    def _look_up(self, adapter: Adapter, account: str, mention: Mention) -> asyncio.Task[None]:
        """Ask for one name; who asks for the same meanwhile waits for the same answer."""
        key = (adapter.channel, account, mention)
        if (task := self._asked.get(key)) is None:
            task = self._asked[key] = self._tasks.spawn(self._ask(adapter, account, mention))
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return task

    async def _ask(self, adapter: Adapter, account: str, mention: Mention) -> None:
        try:
            name = await adapter.name_of(account, mention)
        except BotError as error:
            log.info("context.failed", what="name", reason=error.reason)
        else:
            known = name and _whole(name)
            self._known[(adapter.channel, account, mention)] = (self._ctx.clock() + KEEP_SECONDS, known)

    async def drain(self) -> None:
        """Ask for no more names."""
        self._tasks.cancel()
        await self._tasks.drain()


class ReadThread(Step[Sequence[Said] | None]):
    """Read what was said in the thread before the question; None where that cannot be read."""

    def __init__(self, attempt: TurnAttempt, adapter: Adapter) -> None:
        self.name = CONTEXT
        self.until = attempt.deadline
        self._ctx = attempt.ctx
        self._turn = attempt.turn
        self._adapter = adapter

    async def act(self, begin: Begin) -> Sequence[Said] | None:
        """Ask the channel once: a refusal or a limit costs the thread."""
        if self._turn.question is None:
            return ()
        now = await self._ctx.recall(lambda tx: conversations.current(tx, self._turn.conversation))
        try:
            async with asyncio.timeout(READ_SECONDS):
                limit = self._ctx.config.context.thread_messages
                earlier = await self._adapter.earlier(now, self._turn.question, limit)
        except (BotError, TimeoutError) as error:
            log.info("context.failed", what="thread", reason=_reason(error))
            return None
        return None if earlier is None else [_said(message) for message in earlier if not message.by_us]

    def to_json(self, result: Sequence[Said] | None) -> Any:
        """Make a JSON value of the thread."""
        return result and [
            [said.author, said.author_id, said.text, [[one.kind, one.id] for one in said.mentions]] for said in result
        ]

    def from_json(self, stored: Any) -> Sequence[Said] | None:
        """Make the thread of the JSON value."""
        return stored and [
            Said(author, author_id, text, tuple(Mention(kind=kind, id=id_) for kind, id_ in mentions))
            for author, author_id, text, mentions in stored
        ]


def _said(message: EarlierMessage) -> Said:
    return Said(_whole(message.author), message.user_id, _whole(message.text), message.mentions)


def _whole(text: str) -> str:
    """Make what a channel tells safe to store and send: no halves of characters, no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


class Gatherer:
    """Finds out what one turn needs for its question."""

    def __init__(self, attempt: TurnAttempt, names: Names, files: FileReader) -> None:
        self._attempt = attempt
        self._names = names
        self._files = files
        self._read: dict[tuple[File, ...], Sequence[FileText]] = {}

    async def gather(self, context: QuestionContext) -> Gathered:
        """Read and look up what the context asks for; nothing is asked for where nothing goes along."""
        turn, ctx = self._attempt.turn, self._attempt.ctx
        adapter = ctx.adapters.get(turn.address.channel)
        if adapter is None:  # turned off meanwhile
            unread = [FileText(name_of(file)) for file in context.files]
            return Gathered(thread=None if context.reads_thread else (), files=unread)
        started = ctx.clock()
        thread = await self._attempt.run(ReadThread(self._attempt, adapter)) if context.reads_thread else ()
        mentions = mentioned(context, thread)
        account = turn.conversation.account_id
        names = await self._names.of(adapter, account, mentions) if mentions else {}
        if context.files not in self._read:
            self._read[context.files] = await self._files.read(context.files)
        email = await ctx.people.email(adapter, account, turn.asker or "") if context.sends_email else None
        overhead = ctx.metrics.turn_overhead_seconds.labels(channel=turn.address.channel, step="context")
        overhead.observe(max(0.0, ctx.clock() - started))
        return Gathered(thread=thread, files=self._read[context.files], names=names, email=email)


def _reason(error: BaseException) -> str:
    return error.reason if isinstance(error, BotError) else "timeout"
