"""Small things that the core and every channel need alike; the one module of the core that adapters may use freely.

It knows nothing of the house: the standard library and aiohttp alone, no state of its own.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bot.shared.bounded import BoundedDict
from bot.shared.connections import Connector, Way, is_loopback, not_connected, proxy_secrets, way_to
from bot.shared.pacing import ANSWER_RANK, NOTICE_RANK, PROGRESS_RANK, PaceSlots, RankedPace, rank_of

__all__ = [
    "ANSWER_RANK",
    "NOTICE_RANK",
    "PROGRESS_RANK",
    "BackgroundTasks",
    "Backoff",
    "BoundedDict",
    "Connector",
    "PaceSlots",
    "RankedPace",
    "Way",
    "back_off",
    "is_loopback",
    "long_span",
    "not_connected",
    "plain_emoji",
    "proxy_secrets",
    "rank_of",
    "reference",
    "seconds_asked",
    "since_boot",
    "steady_clock",
    "way_to",
]

BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SKIN_AND_VARIATION: Final = dict.fromkeys([0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)])
"""Code points that change how an emoji looks and never what it means (Unicode TR51: modifiers, presentation)."""


class Backoff:
    """Waits after failures: doubling from `first` to `longest` seconds, half of each wait left to chance.

    One instance for one thing that fails. `chance` returns numbers from 0 to 1; a seeded one makes waits repeatable.

    >>> backoff = Backoff(chance=lambda: 1.0); [backoff.next() for _ in range(7)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    """

    def __init__(
        self, *, first: float = 0.5, longest: float = 30.0, chance: Callable[[], float] = random.random
    ) -> None:
        self.first = first
        self.longest = longest
        self.tries = 0
        self._chance = chance

    def next(self, asked: float | None = None) -> float:
        """Count a failure and return the seconds to wait now; `asked` is what the other side asked for, as it is."""
        seconds = back_off(self.tries, self._chance(), first=self.first, longest=self.longest)
        self.tries += 1
        return seconds if asked is None else asked

    def reset(self) -> None:
        """Begin anew after a success."""
        self.tries = 0


def since_boot() -> float:
    """Say how many seconds the machine has run, those asleep too where the system counts them (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def steady_clock(
    wall: Callable[[], float] = time.time, steady: Callable[[], float] = since_boot
) -> Callable[[], float]:
    """Make a clock that shows the wall's time as it is now and from here on only runs.

    A wall clock may be set: forward, and a question that waits would be given up before it was asked; back, and a
    rating would be due in an hour.

    >>> seconds = [5.0]; clock = steady_clock(lambda: 1000.0, lambda: seconds[0]); seconds[0] = 7.0; clock()
    1002.0
    """
    ahead = wall() - steady()
    return lambda: ahead + steady()


def back_off(tries: int, chance: float, *, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the seconds to wait before try number `tries` + 1: doubling, with half of it left to chance (0 to 1).

    >>> back_off(0, 1.0), back_off(3, 0.0), back_off(20, 1.0)
    (0.5, 2.0, 30.0)
    """
    span = min(longest, first * 2.0 ** min(tries, 16))
    return span * (0.5 + chance / 2)


class BackgroundTasks:
    """Tasks that nobody awaits, kept alive until they end. An error in one is the task's own to handle or log."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start it now."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Cancel all, without waiting for their ends."""
        for task in list(self._tasks):
            task.cancel()

    async def drain(self, seconds: float = 0.0) -> None:
        """Give those under way `seconds` to end, then cancel and wait for the rest."""
        tasks = list(self._tasks)
        if tasks and seconds > 0:
            await asyncio.wait(tasks, timeout=seconds)
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def long_span(minutes: int) -> str:
    """Write an hour or more in two units.

    >>> long_span(61), long_span(3333)
    ('1 h 1 min', '2 d 7 h')
    """
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def plain_emoji(emoji: str) -> str:
    """Return the emoji as events carry it: without skin tone and variation selector.

    >>> plain_emoji("👍🏽") == plain_emoji("👍"), plain_emoji("❤️") == "❤"
    (True, True)
    """
    return emoji.translate(SKIN_AND_VARIATION)


def seconds_asked(value: object) -> float | None:
    """Read how many seconds another side asks to wait, as a header or a field names them; None unless it is a number.

    >>> [seconds_asked(v) for v in ("2", " 1.5 ", 3, "9" * 400, "inf", "nan", "-1", "1e3", "soon", True, None, 10**400)]
    [2.0, 1.5, 3.0, inf, None, None, None, None, None, None, None, inf]
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return math.inf
        return number if number >= 0 else None
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.strip()):
        return float(value)
    return None


def reference(chance: random.Random) -> str:
    """Make a reference: 8 base32 characters that name a turn to people, in notices, logs, `dead` and `trace`."""
    return "".join(chance.choice(BASE32) for _ in range(8))
