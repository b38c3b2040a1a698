"""Telegram's flood control: a message a second per chat, twenty a minute per group, thirty calls a second overall."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable


class Flood:
    """Says how long a sender has to wait. `scale` shortens all times; a chat may burst by `burst` messages."""

    def __init__(self, scale: float = 1.0, burst: int = 3, clock: Callable[[], float] = time.monotonic) -> None:
        self.scale = scale
        self.burst = burst
        self._clock = clock
        self._chats: dict[int, tuple[float, float]] = {}
        self._groups: defaultdict[int, deque[float]] = defaultdict(deque)
        self._all: deque[float] = deque()
        self._until: dict[int, float] = {}
        self.refusals = 0

    def refuse(self, chat_id: int) -> int | None:
        """Return the seconds to wait, whole ones as Telegram says them, or None and count the message."""
        now = self._clock()
        told = self._until.get(chat_id, 0.0) - now
        wait = max(told, self._group(chat_id, now), self._chat(chat_id, now), self._full(now))
        if wait > 0:
            self.refusals += 1
            seconds = math.ceil(wait)
            self._until[chat_id] = now + min(wait, seconds)
            return seconds
        tokens, _ = self._chats[chat_id]
        self._chats[chat_id] = (tokens - 1, now)
        if chat_id < 0:
            self._groups[chat_id].append(now)
        self._all.append(now)
        return None

    def _chat(self, chat_id: int, now: float) -> float:
        tokens, then = self._chats.get(chat_id, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - then) / self.scale)
        self._chats[chat_id] = (tokens, now)
        return 0.0 if tokens >= 1 else (1 - tokens) * self.scale

    def _group(self, chat_id: int, now: float) -> float:
        if chat_id > 0:
            return 0.0
        window = 60 * self.scale
        times = self._groups[chat_id]
        while times and times[0] <= now - window:
            times.popleft()
        return 0.0 if len(times) < 20 else times[0] + window - now

    def _full(self, now: float) -> float:
        while self._all and self._all[0] <= now - self.scale:
            self._all.popleft()
        return 0.0 if len(self._all) < 30 else self._all[0] + self.scale - now
