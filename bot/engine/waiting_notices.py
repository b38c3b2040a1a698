"""Which lanes have a notice that waits to be sent, by channel: people can make the bot talk faster than a platform lets
it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bot.store.questions import channel_of_notices


class WaitingNotices:
    """The lanes of notices. Other lanes are ignored, so that any may be given."""

    def __init__(self, lanes: Iterable[str] = ()) -> None:
        self._lanes: defaultdict[str, set[str]] = defaultdict(set)
        for lane in lanes:
            self.add(lane)

    def add(self, lane: str) -> None:
        """Something waits in a lane."""
        if (channel := channel_of_notices(lane)) is not None:
            self._lanes[channel].add(lane)

    def discard(self, lane: str) -> None:
        """Nothing waits there any more."""
        if (channel := channel_of_notices(lane)) is not None:
            self._lanes[channel].discard(lane)

    def count(self, channel: str) -> int:
        """Count the lanes of a channel."""
        return len(self._lanes[channel])
