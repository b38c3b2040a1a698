"""Who works on which lane: the contracts. `inprocess.py` is the engine of one process; `admission.py` its brake.

An engine only says that a lane has work, and sees to it that one attempt at a time holds the lane. What is to be done
stands in the `turns` table, and how in `bot.turns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.store.steps import StepName, StepRow
from bot.store.turns import Turn


class EndOfAttempt(Exception):
    """This attempt ends here and the turn stays open: somebody, perhaps another process, goes on with it."""


class Draining(EndOfAttempt):
    """The process is about to stop: nothing new is begun."""


class NotNext(EndOfAttempt):
    """An older question has come meanwhile: the lane takes that one first."""


@dataclass(slots=True)
class TakenTurn:
    """A turn that was just taken, with what is stored of its steps.

    The engine and whoever works on it tell each other: `busy`, that a call outside is under way, which must end and
    be stored; `draining`, that nothing new may begin.
    """

    turn: Turn
    steps: dict[StepName, StepRow]
    busy: bool = False
    draining: bool = False


class Worker(Protocol):
    """What knows how turns are worked on; `bot.turns.worker.TurnWorker` is the real one."""

    async def work(self, taken: TakenTurn) -> None:
        """Bring the turn to its end; every end is stored.

        Raises:
            EndOfAttempt: the turn stays open.
            Fenced: another attempt works on it.
        """
        ...

    async def dead_letter(self, taken: TakenTurn, why: str) -> None:
        """End a turn that a mistake of ours keeps from its end: tell the asker if possible, keep a dead letter."""
        ...

    def show_progress(self, turn: Turn, *, is_new: bool) -> None:
        """Show people that work on an open turn has begun, after a restart too. `is_new`: this process has just
        accepted it, and nobody can have shown anything."""
        ...

    def end_progress(self, turn: Turn) -> None:
        """Remove every sign of work on a turn, in the background; after a restart too."""
        ...

    def leave_progress(self, turn: Turn) -> None:
        """Show nothing more of an open turn that another process works on now; nothing where it has ended here."""
        ...

    async def drain(self) -> None:
        """Stop showing progress, and remove nothing: the next start goes on."""
        ...


class Engine(Protocol):
    """What the way in and the composition root know of an engine."""

    @property
    def open_questions(self) -> int:
        """How many questions are accepted and not ended."""
        ...

    def open_in(self, channel: str) -> int:
        """How many of them are of a channel: each has room of its own."""
        ...

    def notices_in(self, channel: str) -> int:
        """How many lanes of a channel's notices this process works on; those that an older version named not among
        them."""
        ...

    async def start(self) -> None:
        """Go on with everything that was open when the last process ended."""
        ...

    async def run(self) -> None:
        """Look for what other processes have stored, until cancelled."""
        ...

    def accepted(self, questions: Sequence[Turn], lanes: Sequence[str]) -> None:
        """New turns are stored: show that work on the questions has begun, and begin it in these lanes."""
        ...

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, let calls under way end and be stored, and stop within `seconds`."""
        ...
