"""What a step of a turn is: run once, its result remembered, and what was begun is known when a crash comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar, final

from bot.errors import Unavailable
from bot.store.database import Tx
from bot.store.steps import StepName, StepRow

T = TypeVar("T")

Begin: TypeAlias = Callable[[], Awaitable[None]]
"""Stores that the effect outside begins. To be awaited right before it."""


@final
class Again:
    """What `Effect.unknown` returns when the step is to be done once more."""


AGAIN: Final = Again()


class GaveUp(Exception):
    """A step was not possible until its deadline. `last` is the last error, None when it never got a turn."""

    def __init__(self, name: StepName, last: Unavailable | None) -> None:
        why = "" if last is None else f"{str(last).removesuffix('.')}: "
        super().__init__(f"{why}{'s' if why else 'S'}tep {name} was not possible in time.")
        self.last = last


class Step(ABC, Generic[T]):
    """A step without an effect outside: after a crash it simply runs again.

    `until` is loop time: what cannot be done by then raises `GaveUp`; `Unavailable` is tried again until then.
    `to_json` and `from_json` say how the result is stored; by themselves they keep a JSON value as it is.
    """

    name: StepName
    until: float
    is_kept: ClassVar[bool] = True
    """Whether its result is stored at once. If not, only that it was done is stored, with whatever is stored next: the
    step must do no harm when it runs again after a crash."""

    @abstractmethod
    async def act(self, begin: Begin) -> T:
        """Do it, and return the result. `Unavailable` says that it certainly was not done."""

    def done(self, tx: Tx, result: T) -> None:
        """Store what follows from the result, in the transaction that stores the result."""

    def may_end(self, result: T) -> bool:
        """Whether a turn that is to end with this step ends with this result."""
        return True

    def to_json(self, result: T) -> Any:
        """Make a JSON value of the result."""
        return result

    def from_json(self, stored: Any) -> T:
        """Make the result of the JSON value."""
        result: T = stored
        return result


class Effect(Step[T]):
    """A step with an effect outside: begun without a result, nobody knows whether it happened, and `unknown` decides.

    `act` must await `begin` right before the effect.
    """

    @abstractmethod
    async def unknown(self, row: StepRow) -> T | Again:
        """Find out what became of it, or say `AGAIN`; `row.unknowns` counts how often this was needed, this one too."""

    def begun(self, tx: Tx) -> None:
        """Store what belongs to the begin, in its transaction; what it raises keeps the effect from happening."""
