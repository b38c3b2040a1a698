"""Faults that last: a lane, a channel, a key or a person goes wrong for good, and nobody else may notice.

Whom it hits is Eve, in a place, a lane and a site of her own, or everybody of one channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tests.simulation.luck import Dice, Luck
from tests.simulation.weather import Fate

Kind = Literal["", "lane", "channel", "key", "flood"]
Site = Literal["ours", "hers"]
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind)

WHAT: dict[Kind, str] = {
    "lane": "the requests of one conversation never end",
    "channel": "one channel refuses, limits or swallows everything",
    "key": "the key of one site is refused, limited or its API is down",
    "flood": "one person asks 60 to 120 questions in 20 s",
}

EVE = "eve"
HERS = "E1"
"""The conversation where Eve is alone with the bot."""
FIRST_OF_EVE = 100
"""Eve's questions are numbered from here on."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """What lasts in a run. `channel`: the one that dies, in that kind of run; `how` calls end from `since` on."""

    kind: Kind
    channel: str
    since: float
    how: Fate

    def of_channel(self, channel: str, now: float) -> Fate | None:
        """What becomes of a call of this channel, None for nothing special."""
        return self.how if self.kind == "channel" and channel == self.channel and now >= self.since else None

    def of_site(self, site: Site, now: float) -> Fate | None:
        """What becomes of a call for this site, None for nothing special."""
        return self.how if self.kind == "key" and site == "hers" and now >= self.since else None

    def is_endless(self, text: str) -> bool:
        """Whether these words are never answered."""
        return self.kind == "lane" and text.startswith("q") and int(text[1 : text.index("v")]) >= FIRST_OF_EVE

    def hits(self, channel: str, user: str) -> bool:
        """Whether the fault is allowed to be felt by this person there."""
        return self.would_hit(self.kind, channel, user)

    def would_hit(self, kind: Kind, channel: str, user: str) -> bool:
        """Whether a fault of that kind would hit them."""
        return channel == self.channel if kind == "channel" else bool(kind) and user == EVE


def draw_lasting(luck: Luck, channels: tuple[str, ...], until: float) -> Lasting:
    """Draw what lasts, mostly nothing."""
    nothing: Kind = ""

    def kind_of(dice: Dice) -> Kind:
        return dice.choice(KINDS) if dice.unit() < 0.12 else nothing

    kind = luck.option("lasting fault", nothing, kind_of)
    dice = luck.dice("lasting fault begins")
    ways: tuple[Fate, ...] = ("refused", "limited", "barred")
    how = dice.choice((*ways, "cut_before") if kind == "channel" else ways)
    since = dice.choice((0.0, dice.uniform(0.0, until / 2)))
    return Lasting(kind, channels[-1], since, how)
