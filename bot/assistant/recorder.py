"""What came over the wire, for tests to assert on; the last ones only, in memory."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Recorded:
    """One request: `body` is parsed JSON (bytes if it was none, None without a body), `at` seconds since the epoch.

    `status` is what was answered, None while it is worked on, 0 when the connection was cut. The key is not kept.
    `traceparent`: the trace that the caller handed on.
    """

    endpoint: str
    method: str
    path: str
    body: Any
    at: float = field(default_factory=time.time)
    status: int | None = None
    fault: str | None = None
    traceparent: str | None = None


class Recorder:
    """All requests in the order they arrived, unknown paths and refused keys included."""

    def __init__(self, keep: int) -> None:
        self._all: deque[Recorded] = deque(maxlen=keep)
        self._changed = asyncio.Event()

    def __iter__(self) -> Iterator[Recorded]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def add(self, entry: Recorded) -> None:
        """Keep a request."""
        self._all.append(entry)
        self._notify()

    def answered(self, entry: Recorded, status: int) -> None:
        """Note how it was answered."""
        entry.status = status
        self._notify()

    def of(self, endpoint: str) -> list[Recorded]:
        """Those of one operation."""
        return [entry for entry in self._all if entry.endpoint == endpoint]

    def clear(self) -> None:
        """Forget all."""
        self._all.clear()

    async def wait(self, endpoint: str, count: int = 1, *, timeout: float = 30.0) -> list[Recorded]:  # noqa: ASYNC109
        """Wait until `count` requests of an operation were answered (or cut).

        Raises:
            TimeoutError: after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                done = [entry for entry in self.of(endpoint) if entry.status is not None]
                if len(done) >= count:
                    return done
                await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
