"""Who may speak next: what the adapters keep a platform's rules of thumb with. Beside `Host.pace`, which keeps time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from bot.shared.bounded import BoundedDict

KEYS_KEPT: Final = 10_000

ANSWER_RANK: Final = 0
NOTICE_RANK: Final = 1
PROGRESS_RANK: Final = 2
"""Of messages that wait for the same place the lowest rank goes first: what ends a question, what a person was told
for something they did, what only says that work goes on."""


def rank_of(kind: str) -> int:
    """Rank a notice by its kind (`bot.events.NoticeKind`); one that ends a question ranks as an answer."""
    if kind == "progress":
        return PROGRESS_RANK
    return NOTICE_RANK if kind in ("info", "refusal", "why", "greeting") else ANSWER_RANK


class PaceSlots:
    """Names for the places of a key: each of `count` is used once in `count` times the distance that is to be kept.

    So on average the distance is kept, in whatever process, and a short burst of `count` is not slowed down. A restart
    begins with the first one again, so what has long not spoken may be forgotten too.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._used: BoundedDict[str, int] = BoundedDict(KEYS_KEPT)

    def next(self, key: str) -> str:
        """Name the place whose turn it is: a key for `Host.pace`."""
        number = self._used.get(key, 0)
        self._used[key] = (number + 1) % self._count
        return f"{key}:{number}"


@dataclass(slots=True, order=True)
class _Waiter:
    """`keeps`: it keeps the time for all of its key; one of them does."""

    rank: int
    number: int
    woken: asyncio.Future[None] = field(compare=False)
    keeps: bool = field(default=False, compare=False)
    gone: bool = field(default=False, compare=False)

    @property
    def waits(self) -> bool:
        return not (self.gone or self.woken.cancelled())

    def wake(self) -> None:
        if not self.woken.done():
            self.woken.set_result(None)


class RankedPace:
    """Lets callers through one by one per key: when the time has come, the lowest rank, then the one that came first.

    One of those who wait keeps the time for all, so an answer that comes meanwhile goes before the notice that
    began to wait.
    """

    def __init__(self) -> None:
        self._rows: dict[str, list[_Waiter]] = {}
        self._numbers = itertools.count()

    def is_crowded(self, key: str) -> bool:
        """Whether more than one caller waits."""
        return len(self._rows.get(key, ())) > 1

    async def enter(self, key: str, rank: int, pace: Callable[[], Awaitable[None]]) -> None:
        """Return when it is the caller's turn; `pace` waits until the time of the next one has come."""
        me = _Waiter(rank, next(self._numbers), asyncio.get_running_loop().create_future())
        row = self._rows.setdefault(key, [])
        me.keeps = not row
        heapq.heappush(row, me)
        try:
            if not me.keeps:
                await me.woken
            while me.keeps:
                await pace()
                first = heapq.heappop(row)
                while not first.waits:
                    first = heapq.heappop(row)
                if first is me:
                    break
                first.wake()
                await asyncio.sleep(0)  # it goes before whoever comes after it
        finally:
            me.gone = True
            if me.keeps:
                self._hand_over(key, row)

    def _hand_over(self, key: str, row: list[_Waiter]) -> None:
        """Let the next one keep the time."""
        while row and not row[0].waits:
            heapq.heappop(row)
        if row:
            row[0].keeps = True
            row[0].wake()
        else:
            del self._rows[key]
