"""An asyncio event loop whose time is virtual: nothing waits, the same seed runs the same way.

What is ready at the same moment runs in an order drawn from the seed. asyncio itself keeps the order of arrival, but
nothing that matters may rest on it: threads, sockets and other loops bring their results in any order.
When nothing is ready, time jumps to the next timer. A task belongs to the process (see `process.py`) in whose
context it was created, so that a crash can take all of them and nothing else.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from typing import Any

OWNER: contextvars.ContextVar[object | None] = contextvars.ContextVar("owner", default=None)


ENDLESS = 1_000_000
"""Rounds of the loop after which a run is taken to go in circles."""


class Stuck(Exception):
    """Nothing is ready and nothing is scheduled, or it goes in circles: what the run waits for will never come."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop without a selector. `steps` counts its rounds; `shuffled` draws the order of each, None for of arrival."""

    def __init__(self, shuffled: random.Random | None) -> None:
        super().__init__()
        self._shuffled = shuffled
        self._now = 0.0
        self._clock_resolution = 1e-9
        self.steps = 0
        self.tasks: list[tuple[object | None, asyncio.Task[Any]]] = []
        self.failures: list[str] = []
        self._order = 0
        self._frozen: dict[object, list[Any]] = {}
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        return self._now

    def call_at(  # type: ignore[override]  # the base's is generic in the arguments, which says nothing here
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        # Timers for the same moment run in the order they were made, which a heap alone does not keep.
        self._order += 1
        return super().call_at(when + self._order * 1e-12, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Any:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        self.tasks.append((OWNER.get() if context is None else context.get(OWNER), task))
        if len(self.tasks) > 512:
            self.tasks = [one for one in self.tasks if not one[1].done()]
        return task

    def freeze(self, owner: object) -> None:
        """Let nothing of a process run; what becomes ready waits."""
        self._frozen.setdefault(owner, [])

    def thaw(self, owner: object) -> None:
        """Let a process go on with all that has become ready meanwhile."""
        self._ready.extend(self._frozen.pop(owner, ()))  # type: ignore[attr-defined]  # asyncio's own field

    def is_frozen(self, owner: object) -> bool:
        """Whether a process stands still."""
        return owner in self._frozen

    def tasks_of(self, owner: object | None) -> list[asyncio.Task[Any]]:
        return [task for one, task in self.tasks if one is owner and not task.done()]

    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled  # type: ignore[attr-defined]  # asyncio's own fields
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready:
            if not scheduled:
                raise Stuck
            self._now = max(self._now, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            if not handle._cancelled:
                ready.append(handle)
        self.steps += 1
        if self.steps > ENDLESS:
            raise Stuck
        round_ = list(ready)
        ready.clear()
        if self._shuffled is not None:
            self._shuffled.shuffle(round_)
        for handle in round_:
            if handle._cancelled:
                continue
            if self._frozen and (owner := handle._context.get(OWNER)) in self._frozen:
                self._frozen[owner].append(handle)
                continue
            handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # taken out when its time comes

    def _write_to_self(self) -> None:
        pass

    def _process_events(self, event_list: Any) -> None:
        pass

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, Exception):
            self.failures.append(f"{context.get('message')}: {error!r}")

    def end(self) -> None:
        """Cancel what is left, of what stands still too, let it end, close."""
        for owner in list(self._frozen):
            self.thaw(owner)
        for _ in range(50):
            left = [task for _, task in self.tasks if not task.done()]
            if not left:
                break
            for task in left:
                task.cancel()
            self.run_until_complete(_rounds(5))
        self.tasks.clear()
        self.close()


async def _rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)
