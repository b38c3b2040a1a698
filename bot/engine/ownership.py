"""For how long this process may act for what it has taken: asked right before each call outside.

With several processes somebody else takes over what a process seems to have left. One that was frozen (a paused
machine, a stopped process) and wakes up does not know that; so it looks at a clock that goes on while it is frozen.
What remains is a freeze between the look and the call; whoever comes back from a call too late counts it.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Protocol

from bot.engine import EndOfAttempt


class LaneLost(EndOfAttempt):
    """Another process may have taken the lane over: nothing more is done for it here."""


class Ownership(Protocol):
    """The right to act, for a while."""

    @property
    def holds(self) -> bool:
        """Whether nobody else can have taken it yet."""
        ...


_OWNERSHIP: ContextVar[tuple[asyncio.Task[object] | None, Ownership] | None] = ContextVar("_OWNERSHIP", default=None)
"""The task that works on a lane, and its right to; nothing where there is one process, which nobody takes from."""


def act_for(ownership: Ownership) -> None:
    """Let the running task act as long as this holds; what it leaves to tasks of its own is not concerned."""
    _OWNERSHIP.set((asyncio.current_task(), ownership))


def is_lost() -> bool:
    """Whether another process may have taken over what the running task works on."""
    found = _OWNERSHIP.get()
    return found is not None and found[0] is asyncio.current_task() and not found[1].holds


def must_hold() -> None:
    """Raise `LaneLost` when another process may have taken over; to be called right before a call outside."""
    if is_lost():
        raise LaneLost
