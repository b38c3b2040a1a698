"""Deliberate bugs by which one lane, channel, key or person takes everybody else along."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

import tests.simulation.process
from bot.api.gate import Gate
from bot.engine.inprocess import InProcessEngine
from bot.sessions import Address
from bot.store import questions, turns
from bot.store.database import Tx
from bot.turns.attempt import TurnAttempt
from bot.turns.compose import Gathered
from bot.turns.steps import Begin, Step
from bot.turns.submit import NoAnswer, Submission, Submit, Words
from tests.simulation.mutants.registry import mutant_beside


class _Locks:
    """One lock for each world."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def here(self) -> asyncio.Lock:
        return self._made.setdefault(asyncio.get_running_loop(), asyncio.Lock())


@mutant_beside("lane")
def one_lane_at_a_time() -> Iterator[None]:
    work, locks = InProcessEngine._work_on_next, _Locks()

    async def alone(self: InProcessEngine, lane: str) -> bool:
        async with locks.here():
            return await work(self, lane)

    with patch.object(InProcessEngine, "_work_on_next", alone):
        yield


@mutant_beside("channel")
def one_send_at_a_time() -> Iterator[None]:
    run, locks = TurnAttempt.run, _Locks()

    async def alone(self: TurnAttempt, step: Step[Any]) -> Any:
        if step.name.kind != "send":
            return await run(self, step)
        async with locks.here():
            return await run(self, step)

    with patch.object(TurnAttempt, "run", alone):
        yield


@mutant_beside("key")
def one_gate_for_all_keys() -> Iterator[None]:
    gates: dict[int, Gate] = {}

    def same(chance: Any) -> Gate:
        return gates.setdefault(id(chance), Gate(chance))

    with patch.object(tests.simulation.process, "Gate", same):
        yield


@mutant_beside("key")
def one_refused_key_stops_all() -> Iterator[None]:
    submit = Submit._submit

    async def careful(self: Submit, words: Words, gathered: Gathered, begin: Begin) -> Submission:
        if self._ctx.problems.of("api"):
            raise NoAnswer("The API has refused a key.")
        return await submit(self, words, gathered, begin)

    with patch.object(Submit, "_submit", careful):
        yield


@mutant_beside("flood")
def a_person_is_everybody() -> Iterator[None]:
    def of_all(tx: Tx, address: Address, _user: str, since: float, until: float) -> list[float]:
        rows = tx.all("SELECT accepted_at FROM turns WHERE kind='question' AND accepted_at>? ORDER BY 1", since)
        return [row["accepted_at"] for row in rows if row["accepted_at"] <= until]

    with patch.object(questions, "times_of", of_all):
        yield


@mutant_beside("flood")
def what_waits_is_counted_over_all_lanes() -> Iterator[None]:
    def over_all(tx: Tx, _lane: str) -> int:
        row = tx.one("SELECT count(*) AS n FROM turns WHERE state='open'")
        return 0 if row is None else int(row["n"])

    with patch.object(turns, "count_waiting", over_all):
        yield
