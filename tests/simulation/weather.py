"""What goes wrong in a run, drawn from its seed: how often, how long, and whether this time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from tests.simulation.luck import Dice, Luck

Fate = Literal["fine", "refused", "limited", "cut_before", "cut_after", "cut_late", "odd", "barred"]
Side = Literal["api", "channel"]

FATES: tuple[Fate, ...] = ("refused", "limited", "cut_before", "cut_after", "cut_late", "odd", "barred")
HOUR = 3600.0


@dataclass(slots=True)
class Line:
    """How one other side misbehaves: chances, each for one call; seconds. `varied`: calls take different times."""

    side: Side
    refused: float = 0.0
    limited: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    cut_late: float = 0.0
    odd: float = 0.0
    barred: float = 0.0
    form: float = 0.0
    slow: float = 0.0
    varied: bool = False
    down: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class Weather:
    """The disturbances of one seed; `until` is when they end for good. All seconds are virtual."""

    luck: Luck
    until: float
    api: Line = field(default_factory=lambda: Line("api"))
    channel: Line = field(default_factory=lambda: Line("channel"))
    disk_slow: float = 0.0
    disk_fails: list[tuple[float, float]] = field(default_factory=list)
    crashes: list[float] = field(default_factory=list)
    point_crashes: int = 0
    point_chance: float = 0.0
    stops: list[float] = field(default_factory=list)
    upgrade_from: int = 0
    jumps: list[tuple[float, float]] = field(default_factory=list)
    twice: float = 0.0
    unacknowledged: float = 0.0
    disorder: float = 0.0
    shaky: float = 0.0
    overlap: bool = False
    over: bool = False

    def fate(self, line: Line, what: str, now: float) -> Fate:
        """Draw what becomes of one call."""
        if self.over:
            return "fine"
        if line.down[0] <= now < line.down[1]:
            return "refused"
        return self.luck.draw(f"{line.side}, {what}", "fine", lambda dice: self._fate(line, dice))

    def _fate(self, line: Line, dice: Dice) -> Fate:
        chance = dice.unit()
        for fate in FATES:
            chance -= getattr(line, fate)
            if chance < 0:
                return fate
        return "fine"

    def refuses_form(self, text: str) -> bool:
        """Say whether the form of these words is refused: always or never, until the disturbances are over."""
        return not self.over and zlib.crc32(text.encode()) % 100 < self.channel.form * 100

    def latency(self, line: Line, what: str) -> float:
        """Draw the seconds a call takes one way."""
        if not self.over and line.slow and self.luck.happens(f"{line.side} slow, {what}", line.slow):
            return self.luck.dice(f"how slow, {what}").uniform(0.5, 4.0)
        return self.luck.dice(f"{line.side} takes, {what}").choice((0.0, 0.01, 0.05, 0.2)) if line.varied else 0.05

    def disk_is_down(self, now: float) -> bool:
        return not self.over and any(begin <= now < end for begin, end in self.disk_fails)

    def happens(self, what: str, chance: float) -> bool:
        """Draw whether something with this chance happens now; nothing does when the disturbances are over."""
        return not self.over and self.luck.happens(what, chance)


def draw(luck: Luck) -> Weather:
    """Draw the disturbances of a seed. One in twelve has none: then the promises about time are strict."""
    until = luck.option("disturbances end at", 15.0, lambda dice: dice.choice((15.0, 40.0, 90.0)))
    weather = Weather(luck, until)
    for line in (weather.api, weather.channel):
        line.varied = luck.option(f"{line.side} calls take different times", False, lambda _: True)
    if luck.option("fair weather", False, lambda dice: dice.unit() < 1 / 12):
        return weather
    _draw_lines(luck, weather)
    _draw_disk(luck, weather)
    _draw_ends(luck, weather)
    weather.channel.form = luck.option(
        "channel refuses the form of", 0.0, lambda dice: dice.choice((0.0, 0.0, 0.0, 0.2, 1.0))
    )
    weather.shaky = luck.option("crash after a refusal", 0.0, lambda dice: dice.choice((0.0, 0.0, 0.9)))
    weather.twice = luck.option("delivered twice", 0.0, lambda dice: dice.choice((0.0, 0.1, 0.4)))
    weather.unacknowledged = luck.option("ack lost", 0.0, lambda dice: dice.choice((0.0, 0.05, 0.2)))
    weather.disorder = luck.option("delayed by up to", 0.0, lambda dice: dice.choice((0.0, 0.5, 6.0)))
    return weather


def _draw_lines(luck: Luck, weather: Weather) -> None:
    rough = luck.dice("how rough").choice((0.02, 0.08, 0.2))

    def chance(name: str, often: float, size: float) -> float:
        return luck.option(f"{name} chance", 0.0, lambda dice: dice.unit() * size if dice.unit() < often else 0.0)

    for line in (weather.api, weather.channel):
        for fate in ("refused", "limited", "cut_before", "cut_after", "cut_late", "slow"):
            setattr(line, fate, chance(f"{line.side} {fate}", 0.4, rough))
        line.odd = chance(f"{line.side} odd", 0.5, rough)
        line.down = luck.option(f"{line.side} down", (0.0, 0.0), lambda dice: _outage(dice, weather.until))
    weather.channel.barred = luck.option(
        "channel barred chance", 0.0, lambda dice: dice.choice((0.05, 0.3)) if dice.unit() < 0.1 else 0.0
    )


def _outage(dice: Dice, until: float) -> tuple[float, float]:
    if dice.unit() >= 0.1:
        return 0.0, 0.0
    begin = dice.uniform(0, until)
    return begin, begin + dice.choice((3.0, 20.0, 80.0))


def _draw_disk(luck: Luck, weather: Weather) -> None:
    def fails(dice: Dice) -> tuple[float, float] | None:
        begin = dice.uniform(0, weather.until)
        return (begin, begin + dice.choice((0.2, 2.0, 15.0))) if dice.unit() < 0.15 else None

    weather.disk_slow = luck.option(
        "disk slow chance", 0.0, lambda dice: dice.choice((0.02, 0.1, 0.3)) if dice.unit() < 0.3 else 0.0
    )
    for number in (1, 2):
        if (one := luck.option(f"disk fails {number}", None, fails)) is not None:
            weather.disk_fails.append(one)


def _draw_ends(luck: Luck, weather: Weather) -> None:
    """Draw how the process ends: crashes at a moment or at a point of its work, stops, upgrades, clocks set anew."""

    def moment(chance: float, dice: Dice) -> float:
        return dice.uniform(0, weather.until) if dice.unit() < chance else 0.0

    for number, chance in enumerate((0.35, 0.2, 0.1), 1):
        if at := luck.option(f"crash {number} at", 0.0, partial(moment, chance)):
            weather.crashes.append(at)
    weather.point_crashes = luck.option(
        "crashes at a point", 0, lambda dice: dice.whole(1, 4) if dice.unit() < 0.5 else 0
    )
    if weather.point_crashes:
        weather.point_chance = luck.dice("crash chance").choice((0.003, 0.01, 0.03))
    for number, chance in enumerate((0.15, 0.07), 1):
        if at := luck.option(f"stop {number} at", 0.0, partial(moment, chance)):
            weather.stops.append(at)
    weather.upgrade_from = luck.option(
        "upgraded from schema", 0, lambda dice: dice.whole(1, 11) if dice.unit() < 0.12 else 0
    )
    if weather.upgrade_from:
        weather.crashes.append(luck.dice("upgraded at").uniform(0.5, weather.until * 0.7))
    weather.jumps = _draw_jumps(luck, weather.until)
    weather.overlap = not weather.upgrade_from and luck.option(
        "two processes overlap", False, lambda dice: dice.unit() < 0.08
    )


def _draw_jumps(luck: Luck, until: float) -> list[tuple[float, float]]:
    """Draw when the bot's wall clock is set: away, and perhaps back."""

    def away(dice: Dice) -> tuple[float, float] | None:
        jump = dice.uniform(0, until), dice.choice((-HOUR, -300.0, -20.0, -3.0, 3.0, 20.0, 45.0, 300.0, HOUR))
        return jump if dice.unit() < 0.15 else None

    first = luck.option("clock set", None, away)
    if first is None:
        return []
    back = luck.option("clock set back at", 0.0, lambda dice: dice.uniform(first[0], until) if dice.unit() < 0.5 else 0)
    return [first] if not back else [first, (back, -first[1])]
