"""Which questions are accepted and not ended, counted by channel: one that is out of reach fills no other's room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.store.turns import Turn


class OpenQuestions:
    """The open questions that one process knows of."""

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self._channels: dict[int, str] = {turn.id: turn.address.channel for turn in turns}
        self._counts = Counter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)

    def __contains__(self, turn_id: int) -> bool:
        return turn_id in self._channels

    def count(self, channel: str) -> int:
        """Say how many are open in a channel."""
        return self._counts[channel]

    def add(self, turn: Turn) -> None:
        """Count a question, once."""
        if turn.id not in self._channels:
            self._channels[turn.id] = turn.address.channel
            self._counts[turn.address.channel] += 1

    def discard(self, turn_id: int) -> None:
        """Count a turn no more, whether it was counted or not."""
        if (channel := self._channels.pop(turn_id, None)) is not None:
            self._counts[channel] -= 1
