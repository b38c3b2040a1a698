"""Chance in a run: every decision has a name, so that it can be told, and left out when a failing seed is shrunk.

A decision depends on the seed and its own name alone. So leaving one out changes no other, which a stream of random
numbers could not promise, and a shrunk run is told by its seed and the names of the decisions that were kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

T = TypeVar("T")


class Dice:
    """The numbers behind one decision."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thrown = 0

    def unit(self) -> float:
        """Draw from [0, 1)."""
        self._thrown += 1
        digest = blake2b(f"{self._name} {self._thrown}".encode(), digest_size=7).digest()
        return (int.from_bytes(digest) >> 3) / (1 << 53)

    def uniform(self, low: float, high: float) -> float:
        """Draw from between the two."""
        return low + (high - low) * self.unit()

    def choice(self, among: Sequence[T]) -> T:
        """Draw one of them."""
        return among[int(self.unit() * len(among))]

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return low + int(self.unit() * (high - low + 1))


class Luck:
    """All decisions of one run.

    `kept` names the unusual decisions that may still happen, None for all; `fixed` gives options a value whatever the
    seed says. Afterwards `options` has what was drawn for the whole run and `unusual` every decision that did not come
    out as usual, with its value.
    """

    def __init__(
        self, seed: int, *, kept: frozenset[str] | None = None, fixed: Mapping[str, Any] | None = None
    ) -> None:
        self.seed = seed
        self.options: dict[str, Any] = {}
        self.unusual: dict[str, str] = {}
        self._kept = kept
        self._fixed = dict(fixed or {})
        self._times: dict[str, int] = {}

    def dice(self, what: str) -> Dice:
        """Return numbers for what is neither usual nor unusual, as where somebody asks."""
        return Dice(f"{self.seed} {self._name(what)}")

    def draw(self, what: str, usual: T, make: Callable[[Dice], T]) -> T:
        """Decide; what does not come out as `usual` is noted under its name."""
        name = self._name(what)
        if self._kept is not None and name not in self._kept:
            return usual
        value = make(Dice(f"{self.seed} {name}"))
        if value != usual:
            self.unusual[name] = _told(value)
        return value

    def happens(self, what: str, chance: float) -> bool:
        """Decide whether something unusual happens now."""
        return chance > 0 and self.draw(what, False, lambda dice: dice.unit() < chance)

    def option(self, what: str, usual: T, make: Callable[[Dice], T]) -> T:
        """Decide once for the whole run."""
        value: T = self._fixed[what] if what in self._fixed else self.draw(what, usual, make)
        self.options[what] = value
        return value

    def tell(self) -> str:
        """Say in one line a group what was drawn for the whole run."""
        return "\n".join(f"  {what}: {_told(value)}" for what, value in self.options.items() if _told(value))

    def _name(self, what: str) -> str:
        times = self._times[what] = self._times.get(what, 0) + 1
        return what if times == 1 else f"{what} (time {times})"


def _told(value: Any) -> str:
    """Write a value for people: "" for nothing."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if value else ""
    if isinstance(value, tuple | list):
        return ", ".join(filter(None, map(_told, value)))
    return "" if value is None or value == 0 else str(value)
