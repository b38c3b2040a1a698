"""Deliberate bugs of several processes, found where there are several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import bot.engine.lanes
import bot.engine.queued
import bot.turns.attempt
from bot.engine.queued import QueuedEngine
from bot.turns.worker import TurnWorker
from tests.simulation.mutants.registry import mutant_among_several
from tests.simulation.several import Queue, SimQueue


async def _nothing(*_: Any) -> None:
    return None


def _never(*_: Any) -> bool:
    return False


@mutant_among_several
def no_sweep() -> Iterator[None]:
    with patch.object(QueuedEngine, "_sweep", _nothing):
        yield


@mutant_among_several
def the_deadline_is_not_looked_at() -> Iterator[None]:
    with ExitStack() as stack:
        for module in (bot.engine.lanes, bot.engine.queued, bot.turns.attempt):
            stack.enter_context(patch.object(module, "is_lost", _never))
        stack.enter_context(patch.object(bot.turns.attempt, "must_hold", lambda: None))
        yield


@mutant_among_several
def taken_over_too_early() -> Iterator[None]:
    with patch.object(SimQueue, "stale", 1.0):
        yield


@mutant_among_several
def nobody_takes_over() -> Iterator[None]:
    pick = Queue.pick

    def only_new(self: Queue, owner: int, stale: float) -> Any:
        return pick(self, owner, 1e9)

    with patch.object(Queue, "pick", only_new):
        yield


@mutant_among_several
def what_a_dead_process_showed_stays() -> Iterator[None]:
    with patch.object(QueuedEngine, "remove_left_over", _nothing):
        yield


@mutant_among_several
def who_waits_in_a_busy_lane_sees_nothing() -> Iterator[None]:
    with patch.object(QueuedEngine, "_look", _nothing), patch.object(QueuedEngine, "wake", lambda *_: None):
        yield


@mutant_among_several
def parts_are_not_waited_for_by_who_takes_over() -> Iterator[None]:
    with patch.object(QueuedEngine, "_wait_for_parts", lambda *_: None):
        yield


@mutant_among_several
def a_frozen_process_goes_on_showing() -> Iterator[None]:
    with patch.object(TurnWorker, "leave_progress", lambda *_: None):
        yield
