"""Three clocks that do not agree: the bot's, which somebody may set, the API's, and one of each platform.

A platform's times never go back, or its messages would have no order; the bot's clock may.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.simulation.luck import Dice, Luck

START = datetime(2026, 3, 1, tzinfo=UTC)


class Clocks:
    """What time it is, by whose clock. All seconds that come in are those of the run."""

    def __init__(self, luck: Luck, channels: tuple[str, ...]) -> None:
        self.bot_is_ahead = 0.0
        self.api_is_ahead = luck.option("API's clock is ahead", 0.0, _ahead)
        self._ahead = {name: luck.option(f"clock of {name} is ahead", 0.0, _ahead) for name in channels}
        self._leaps = {name: luck.option(f"clock of {name} leaps", None, _leap) for name in channels}

    def bot(self, now: float) -> float:
        """The bot's wall clock, in seconds since the epoch."""
        return START.timestamp() + now + self.bot_is_ahead

    def api(self, now: float) -> datetime:
        """What the API writes into its Date header."""
        return START + timedelta(seconds=now + self.api_is_ahead)

    def platform(self, channel: str, now: float) -> datetime:
        """The time stamp a platform gives an event."""
        leap = self._leaps[channel]
        leapt = leap[1] if leap is not None and leap[0] <= now else 0.0
        return START + timedelta(seconds=now + self._ahead[channel] + leapt)


def _ahead(dice: Dice) -> float:
    return dice.choice((-7200.0, -90.0, -2.0, 2.0, 90.0, 7200.0)) if dice.unit() < 0.3 else 0.0


def _leap(dice: Dice) -> tuple[float, float] | None:
    leap = dice.uniform(1.0, 60.0), dice.choice((1.0, 30.0, 3600.0))
    return leap if dice.unit() < 0.15 else None
