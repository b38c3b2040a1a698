"""What a deliberate bug is, and whether a seed finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.simulation.lasting import Kind
from tests.simulation.on_time import ALLOWED, compare
from tests.simulation.run import run


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberate bug. `kind`: the lasting fault beside which somebody else is late, "" for a broken promise."""

    put_in: Callable[[], AbstractContextManager[None]]
    kind: Kind

    def is_found(self, seed: int) -> bool:
        """Whether the seed shows it."""
        with self.put_in():
            if not self.kind:
                return bool(run(seed).verdict.wrong)
            try:
                return compare(self.kind, seed).later > ALLOWED
            except AssertionError:
                return True


MUTANTS: dict[str, Mutant] = {}


def mutant(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    """Register a deliberate bug under its function's name."""
    MUTANTS[make.__name__] = Mutant(contextmanager(make), "")
    return make


def mutant_beside(kind: Kind) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Register a deliberate bug that shows beside a lasting fault."""

    def register(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        MUTANTS[make.__name__] = Mutant(contextmanager(make), kind)
        return make

    return register
