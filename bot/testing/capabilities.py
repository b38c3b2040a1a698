"""What a channel lacks, and which clauses follow from it: those of what it lacks are left out, all others hold.

A clause says what it needs with `@needs("buttons")`. A subclass of the suite whose `spec` lacks that does not have the
clause: it is not collected, so nothing is skipped and nothing passes for nothing. Whether `lacks` is true is checked by
clauses that every channel has (`SpecClauses.test_recorded_payloads_show_what_the_channel_can`, and those of buttons,
deletions, look-ups and signs).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar, get_args

from bot.adapter import Capability

F = TypeVar("F", bound=Callable[..., Any])

ALL: Final[frozenset[Capability]] = frozenset(get_args(Capability))

_NEEDS: Final = "__needs_capabilities__"


def needs(*capabilities: Capability) -> Callable[[F], F]:
    """Mark a clause that a channel without one of these does not have."""

    def mark(clause: F) -> F:
        setattr(clause, _NEEDS, frozenset(capabilities))
        return clause

    return mark


def left_out(suite: type, lacks: Collection[Capability]) -> list[str]:
    """Name the clauses of the suite that a channel lacking these does not have."""
    return sorted(name for name, needed in _needing(suite).items() if not needed.isdisjoint(lacks))


def _needing(suite: type) -> Mapping[str, frozenset[Capability]]:
    clauses: dict[str, frozenset[Capability]] = {}
    for ancestor in reversed(suite.__mro__):
        for name, clause in vars(ancestor).items():
            if needed := getattr(clause, _NEEDS, None):
                clauses[name] = needed
    return clauses
