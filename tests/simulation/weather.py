"""What goes wrong in a run, drawn from its seed: how often, how long, and whether this time."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from typing import Literal

Fate = Literal["fine", "refused", "limited", "cut_before", "cut_after", "cut_late", "odd", "barred"]

FATES: tuple[Fate, ...] = ("refused", "limited", "cut_before", "cut_after", "cut_late", "odd", "barred")


@dataclass(slots=True)
class Line:
    """How one other side misbehaves: chances, each for one call; seconds."""

    refused: float = 0.0
    limited: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    cut_late: float = 0.0
    odd: float = 0.0
    barred: float = 0.0
    form: float = 0.0
    slow: float = 0.0
    down: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class Weather:
    """The disturbances of one seed; `until` is when they end for good. All seconds are virtual."""

    rng: random.Random
    until: float
    api: Line = field(default_factory=Line)
    channel: Line = field(default_factory=Line)
    disk_slow: float = 0.0
    disk_fails: list[tuple[float, float]] = field(default_factory=list)
    crashes: list[float] = field(default_factory=list)
    point_crashes: int = 0
    point_chance: float = 0.0
    stops: list[float] = field(default_factory=list)
    jumps: list[tuple[float, float]] = field(default_factory=list)
    twice: float = 0.0
    unacknowledged: float = 0.0
    disorder: float = 0.0
    shaky: float = 0.0
    overlap: bool = False
    over: bool = False

    def fate(self, line: Line, now: float) -> Fate:
        """Draw what becomes of one call."""
        if self.over:
            return "fine"
        if line.down[0] <= now < line.down[1]:
            return "refused"
        chance = self.rng.random()
        for fate in FATES:
            chance -= getattr(line, fate)
            if chance < 0:
                return fate
        return "fine"

    def refuses_form(self, text: str) -> bool:
        """Say whether the form of these words is refused: always or never, until the disturbances are over."""
        return not self.over and zlib.crc32(text.encode()) % 100 < self.channel.form * 100

    def latency(self, line: Line) -> float:
        """Draw the seconds a call takes one way."""
        if not self.over and line.slow and self.rng.random() < line.slow:
            return self.rng.uniform(0.5, 4.0)
        return self.rng.choice((0.0, 0.01, 0.05, 0.2))

    def disk_is_down(self, now: float) -> bool:
        return not self.over and any(begin <= now < end for begin, end in self.disk_fails)

    def happens(self, chance: float) -> bool:
        """Draw whether something with this chance happens now; nothing does when the disturbances are over."""
        return not self.over and chance > 0 and self.rng.random() < chance


def draw(rng: random.Random) -> Weather:
    """Draw the disturbances of a seed. One in twelve has none: then the promises about time are strict."""
    until = rng.choice((15.0, 40.0, 90.0))
    weather = Weather(rng, until)
    if rng.random() < 1 / 12:
        return weather
    rough = rng.choice((0.02, 0.08, 0.2))
    for line in (weather.api, weather.channel):
        for name in ("refused", "limited", "cut_before", "cut_after", "cut_late", "slow"):
            if rng.random() < 0.4:
                setattr(line, name, rng.random() * rough)
        if rng.random() < 0.25:
            line.odd = rng.random() * rough / 2
        if rng.random() < 0.1:
            begin = rng.uniform(0, until)
            line.down = (begin, begin + rng.choice((3.0, 20.0, 80.0)))
    if rng.random() < 0.3:
        weather.disk_slow = rng.choice((0.02, 0.1, 0.3))
    if rng.random() < 0.2:
        for _ in range(rng.randint(1, 2)):
            begin = rng.uniform(0, until)
            weather.disk_fails.append((begin, begin + rng.choice((0.2, 2.0, 15.0))))
    if rng.random() < 0.35:
        weather.crashes = sorted(rng.uniform(0, until) for _ in range(rng.randint(1, 3)))
    if rng.random() < 0.5:
        weather.point_crashes = rng.randint(1, 4)
        weather.point_chance = rng.choice((0.003, 0.01, 0.03))
    if rng.random() < 0.15:
        weather.stops = [rng.uniform(0, until) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.1:
        weather.jumps = [
            (rng.uniform(0, until), rng.choice((-300.0, -20.0, -3.0, 3.0, 20.0, 45.0)))
            for _ in range(rng.randint(1, 2))
        ]
    if rng.random() < 0.1:
        weather.channel.barred = rng.choice((0.05, 0.3))
    weather.channel.form = rng.choice((0.0, 0.0, 0.0, 0.2, 1.0))
    weather.shaky = rng.choice((0.0, 0.0, 0.0, 0.6))
    weather.twice = rng.choice((0.0, 0.1, 0.4))
    weather.unacknowledged = rng.choice((0.0, 0.05, 0.2))
    weather.disorder = rng.choice((0.0, 0.5, 6.0))
    weather.overlap = rng.random() < 0.08
    return weather
