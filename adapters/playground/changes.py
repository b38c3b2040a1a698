"""Who is told when something changes: the open pages, and the delivery to the bot."""

from __future__ import annotations

import asyncio
from typing import Final, TypeAlias

Change: TypeAlias = tuple[str, object]
"""What changed (`message`, `working`) and how it is now."""

QUEUED: Final = 1000


class Changes:
    """Each open page has a queue; None in it is the end. A page too slow to read is ended and comes again."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self._open = True
        self._queues: set[asyncio.Queue[Change | None]] = set()

    def subscribe(self) -> asyncio.Queue[Change | None]:
        """Return a queue of all changes from now on; after `end` one that is at its end."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(QUEUED)
        if self._open:
            self._queues.add(queue)
        else:
            queue.put_nowait(None)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Change | None]) -> None:
        """Stop filling the queue."""
        self._queues.discard(queue)

    def publish(self, name: str, value: object) -> None:
        """Tell every open page."""
        for queue in list(self._queues):
            if queue.full():
                self._end(queue)
            else:
                queue.put_nowait((name, value))

    def begin(self) -> None:
        """Let pages follow again after an end."""
        self._open = True

    def end(self) -> None:
        """End every page's stream, and at once those that come until `begin`: nothing may hold up a shutdown."""
        self._open = False
        for queue in list(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Change | None]) -> None:
        self._queues.discard(queue)
        while queue.full():
            queue.get_nowait()
        queue.put_nowait(None)
