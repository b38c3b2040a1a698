"""An adapter at work for one test of the conformance suite: `run` is started, watched and cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import types
import unicodedata
import uuid
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from bot.adapter import Adapter, Part
from bot.errors import BotError
from bot.events import Answer, Conversation, EarlierMessage, Event, MessageRef, Outbound
from bot.testing.wire import Posted, Wire

PATIENCE = 30.0
"""Seconds until a call that hangs is a failure; long, for loaded machines."""

LEAVING = 5.0
"""Seconds a task has to end after `run` was cancelled."""

T = TypeVar("T")

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside_the_adapter", default=False)


class Live:
    """A running adapter. Its calls are made through here, so that the tasks they leave behind are known."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.host = wire.host
        self.adapter: Adapter = wire.build()
        self._folder = Path(inspect.getfile(type(self.adapter))).parent
        self._wire_file = Path(inspect.getfile(type(wire)))
        self.begotten: set[asyncio.Task[Any]] = set()
        self._context = contextvars.copy_context()
        self._context.run(_inside.set, True)
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start `run` and wait until the adapter receives."""
        self.task = asyncio.get_running_loop().create_task(self.adapter.run(self.host), context=self._context)
        await asyncio.sleep(0)
        connecting = asyncio.ensure_future(self.wire.connect())
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({self.task, connecting}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                connecting.cancel()
                self.task.result()
                raise AssertionError("run() returned before the adapter was connected")
            await connecting

    async def stop(self) -> None:
        """Cancel `run`; an error of ours may have ended it before, nothing else may."""
        assert self.task is not None
        self.task.cancel()
        async with asyncio.timeout(PATIENCE):
            (ended,) = await asyncio.gather(self.task, return_exceptions=True)
        assert ended is None or isinstance(ended, asyncio.CancelledError | BotError), f"run ended with {ended!r}"

    async def do(self, call: Coroutine[Any, Any, T]) -> T:
        """Make one call of the adapter, within the suite's patience; `send` and the like."""
        task = asyncio.get_running_loop().create_task(call, context=self._context)
        async with asyncio.timeout(PATIENCE):
            return await task

    async def deliver(self, payload: Any) -> bool:
        """Let the platform deliver, within the suite's patience."""
        async with asyncio.timeout(PATIENCE):
            return await self.wire.deliver(payload)

    async def receive(self, payload: Any) -> list[Event]:
        """Deliver a payload that must be acknowledged; return the events it became."""
        before = len(self.host.deliveries)
        aside = len(self.host.set_aside_payloads)
        assert await self.deliver(payload), "the payload was not acknowledged"
        assert len(self.host.set_aside_payloads) == aside, f"set aside: {self.host.set_aside_payloads[-1].reason}"
        return list(self.host.deliveries[before:])

    async def send_part(
        self,
        part: Part,
        conversation: Conversation | None = None,
        *,
        reply_to: MessageRef | None = None,
        delivery_id: str | None = None,
        note: str = "",
    ) -> MessageRef:
        """Send one part as the core does: after it was stored as JSON."""
        stored = json.loads(json.dumps(part))
        where = conversation or self.wire.conversation
        return await self.do(self.adapter.send(where, stored, delivery_id or new_delivery_id(), reply_to, note=note))

    async def send(
        self,
        outbound: Outbound | str,
        conversation: Conversation | None = None,
        *,
        reply_to: MessageRef | None = None,
    ) -> list[MessageRef]:
        """Render and send all parts; a string is an answer."""
        if isinstance(outbound, str):
            outbound = Answer(text=outbound, asker_id=self.wire.asker_id)
        parts = self.adapter.render(outbound)
        return [await self.send_part(part, conversation, reply_to=reply_to) for part in parts]

    async def send_plain(self, outbound: Outbound, *, after: int = 0) -> list[MessageRef]:
        """Render in the plain form, without the words of the first `after` parts of the other one, and send all."""
        return [await self.send_part(part) for part in self.adapter.render(outbound, plain=True, after=after)]

    def conversations(self) -> list[Conversation]:
        """List where to send: the direct conversation and, where the channel has threads, the thread."""
        return [where for where in (self.wire.conversation, self.wire.thread) if where is not None]

    async def earlier(self, conversation: Conversation, before: MessageRef, limit: int) -> Sequence[EarlierMessage]:
        """Read what was said, of a channel that can tell."""
        messages = await self.do(self.adapter.earlier(conversation, before, limit))
        assert messages is not None, "the platform can tell what was said, the adapter does not"
        return messages

    def shown(self, refs: Sequence[MessageRef]) -> list[Posted]:
        """Find the messages by their refs, in the platform's order."""
        found = [message for message in self.wire.posted() if message.ref in refs]
        assert len(found) == len(refs), f"{len(refs)} refs, {len(found)} messages that bear them"
        return found

    async def leftovers(self) -> list[str]:
        """Name the tasks the adapter left behind, after those that are just ending had their time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LEAVING
        while (
            left := [repr(task) for task in asyncio.all_tasks() if self._is_adapters(task)]
        ) and loop.time() < deadline:
            await asyncio.sleep(0.02)
        return left

    def _is_adapters(self, task: asyncio.Task[Any]) -> bool:
        code = getattr(task.get_coro(), "cr_code", None)
        if task.done() or task is asyncio.current_task():
            return False
        return task in self.begotten or (code is not None and self._is_own(code))

    def _is_own(self, code: types.CodeType) -> bool:
        """Say whether code lies in the adapter's folder; tests there, and the wire, are no part of the adapter."""
        file = Path(code.co_filename)
        if file == self._wire_file or self._folder not in file.parents:
            return False
        return "tests" not in file.relative_to(self._folder).parts


@asynccontextmanager
async def running(wire: Wire) -> AsyncIterator[Live]:
    """Start a new adapter on the wire, and cancel it at the end; what it leaves behind then fails the test."""
    live = Live(wire)
    with Watch(live):
        await live.start()
        try:
            yield live
        finally:
            await live.stop()
        left = await live.leftovers()
        assert not left, f"cancelling run left tasks behind: {left}"


class Watch:
    """Note every task that is created inside the adapter, wherever its code comes from."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._before = loop.get_task_factory()

        def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
            task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
            context = options.get("context")
            if (context.get(_inside, False) if context is not None else _inside.get()) is True:
                self._live.begotten.add(task)
            return task

        loop.set_task_factory(factory)

    def __exit__(self, *exc: object) -> None:
        asyncio.get_running_loop().set_task_factory(self._before)


def new_delivery_id() -> str:
    """Make 32 hex characters, as the core does."""
    return uuid.uuid4().hex


def readable(text: str) -> str:
    """Drop what has no width (joiners an adapter puts in to defuse a mention) and fold blanks."""
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return " ".join(visible.split())
