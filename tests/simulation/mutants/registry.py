"""What a deliberate bug is, and whether a seed finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.simulation.lasting import Kind
from tests.simulation.on_time import ALLOWED, compare
from tests.simulation.run import run
from tests.simulation.several import run_several


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberate bug. `kind`: the lasting fault beside which somebody else is late, "" for a broken promise.
    `among_several`: it shows where there are several processes."""

    put_in: Callable[[], AbstractContextManager[None]]
    kind: Kind
    among_several: bool = False

    def is_found(self, seed: int) -> bool:
        """Whether the seed shows it."""
        with self.put_in():
            if self.among_several:
                return bool(run_several(seed).verdict.wrong)
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


def mutant_among_several(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    """Register a deliberate bug that shows among several processes."""
    MUTANTS[make.__name__] = Mutant(contextmanager(make), "", among_several=True)
    return make


def mutant_beside(kind: Kind) -> Callable[[Callable[[], Iterator[None]]], Callable[[], Iterator[None]]]:
    """Register a deliberate bug that shows beside a lasting fault."""

    def register(make: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        MUTANTS[make.__name__] = Mutant(contextmanager(make), kind)
        return make

    return register
