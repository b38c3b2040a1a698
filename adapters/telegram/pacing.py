"""How fast we may speak: Telegram's rules of thumb, kept by spacing calls instead of running into 429s."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from adapters.telegram.ids import CHANNEL_NAME, is_group
from bot.adapter import Host
from bot.shared import ANSWER_RANK, PROGRESS_RANK, BoundedDict, PaceSlots, RankedPace

CALLS: Final = 28
"""Calls in CALLS times `PaceLimits.overall_seconds`. A little under what is allowed, for they do not all travel equally
long."""
PROGRESS: Final = 10
"""Calls for progress and typing in the time of thirty: a third."""
CHATS_KEPT: Final = 10_000
BURST: Final = 2
"""Messages that may go into a chat at once, or an answer would wait behind the notice that was to bridge its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceLimits:
    """Telegram's limits, in seconds: one message per chat, `group_messages` per group and window, calls overall (on
    average: so many of them may go at once as may go in a second).

    They are 1 a second per chat, 20 a minute per group, about 30 a second overall:
    https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    A little under what is allowed, for messages do not all travel equally long.
    """

    chat_seconds: float = 1.0
    group_messages: int = 20
    group_seconds: float = 61.0
    overall_seconds: float = 1 / 28


@dataclass(slots=True)
class _Chat:
    notices: deque[float] = field(default_factory=deque)
    not_before: float = 0.0


class Pacer:
    """Spaces the calls of one account. `clock` gives seconds that only grow.

    In a chat and in all, answers go before notices, and those before what ends progress. Progress lets nobody wait: it
    is left out when a third of the budget is used, when answers need the rest, and for as long as Telegram has asked to
    wait.
    """

    def __init__(self, account_id: str, limits: PaceLimits, clock: Callable[[], float]) -> None:
        self._name = f"{CHANNEL_NAME}:{account_id}"
        self._limits = limits
        self._clock = clock
        # A restart may lose it all, so the oldest may go too: Telegram's 429 is the second line.
        self._chats: BoundedDict[str, _Chat] = BoundedDict(CHATS_KEPT)
        self._messages, self._overall, self._endings = RankedPace(), RankedPace(), RankedPace()
        self._in_chat, self._in_group, self._in_all = (
            PaceSlots(BURST),
            PaceSlots(limits.group_messages),
            PaceSlots(CALLS),
        )
        self._quiet_until = 0.0
        self._calls: deque[float] = deque()
        self._progress: deque[float] = deque()

    async def message(self, host: Host | None, chat_id: str, rank: int = ANSWER_RANK) -> None:
        """Wait for the place of one message."""
        if host is None:
            return
        if rank == PROGRESS_RANK:  # these leave a place free
            await host.pace(f"{self._name}:{chat_id}:progress", BURST * self._limits.chat_seconds)
        await self._messages.enter(chat_id, rank, lambda: self._place(host, chat_id))
        await self.call(host, rank)

    async def _place(self, host: Host, chat_id: str) -> None:
        # Slots, each used once per window, whoever uses it: so several processes together keep to the limit too, and a
        # burst is not slowed down.
        limits, chat = self._limits, f"{self._name}:{chat_id}"
        if is_group(chat_id):
            await host.pace(self._in_group.next(f"{chat}:window"), limits.group_seconds)
        await host.pace(self._in_chat.next(chat), BURST * limits.chat_seconds)

    async def call(self, host: Host | None, rank: int = ANSWER_RANK) -> None:
        """Wait for the place of one call that must be made. What ends progress waits until answers leave room, and then
        takes no place that one of them could need."""
        if rank == PROGRESS_RANK:
            await self._endings.enter("", rank, self._room)
        elif host is not None:
            window = CALLS * self._limits.overall_seconds
            await self._overall.enter("", rank, lambda: host.pace(self._in_all.next(self._name), window))
        self._calls.append(self._clock())

    async def _room(self) -> None:
        left = self._full_for()
        while left > 0:
            await asyncio.sleep(left)
            left = self._full_for()

    def _full_for(self) -> float:
        """Return the seconds until calls are so few again that there may be some for progress."""
        now, window = self._clock(), 30 * self._limits.overall_seconds
        _forget(self._calls, now - window)
        most = 2 * PROGRESS
        return 0.0 if len(self._calls) < most else self._calls[-most] + window - now

    def take_progress(self) -> bool:
        """Take the place of one call for progress; False when a third of the budget went there in the last second,
        answers need the rest of it, or Telegram wants less of us."""
        now = self._clock()
        if now < self._quiet_until:
            return False
        window = 30 * self._limits.overall_seconds
        _forget(self._progress, now - window)
        if len(self._progress) >= PROGRESS or self._full_for() > 0:
            return False
        self._progress.append(now)
        return True

    def take_notice(self, chat_id: str) -> bool:
        """Take the place of one progress notice in a chat; False when a third of a group's messages are notices, or
        calls wait already: what is to bridge somebody's time must not take it from others."""
        if self._overall.is_crowded(""):
            return False
        if not is_group(chat_id):
            return True
        notices, now = self._chat(chat_id).notices, self._clock()
        _forget(notices, now - self._limits.group_seconds)
        if len(notices) >= self._limits.group_messages // 3:
            return False
        notices.append(now)
        return True

    def flooded(self, chat_id: str, seconds: float) -> None:
        """Remember that Telegram wants nothing for this chat for so long, and no progress anywhere."""
        chat = self._chat(chat_id)
        chat.not_before = max(chat.not_before, self._clock() + seconds)
        self.be_quiet(seconds)

    def be_quiet(self, seconds: float) -> None:
        """Leave progress out for so long."""
        self._quiet_until = max(self._quiet_until, self._clock() + seconds)

    def waiting(self, chat_id: str) -> float:
        """Seconds left of what Telegram asked to wait for this chat, 0 for none."""
        chat = self._chats.get(chat_id)
        return max(0.0, chat.not_before - self._clock()) if chat else 0.0

    def _chat(self, chat_id: str) -> _Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = _Chat()
        return chat


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] <= before:
        times.popleft()
