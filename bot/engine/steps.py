"""The steps of a turn: run once, remember the result, and know what was begun when a crash comes.

A step with an outside effect stores that it begins, acts, and stores the result. Begun without a result
means that nobody knows whether it happened: then `unknown` decides (look it up, do it again, give up).
A step without an outside effect leaves `unknown` out and simply runs again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog

from bot.context import Context
from bot.errors import OutcomeUnknown, Unavailable
from bot.store import steps, turns
from bot.store.database import Tx
from bot.store.steps import StepRow
from bot.store.turns import Turn

T = TypeVar("T")
AGAIN: Final = object()
"""What `unknown` returns when the step is to be done once more."""

LAST_TRY = 1.0
"""Seconds before its deadline at which a step is tried for the last time, however long the back-off has become."""

Begin = Callable[[], Awaitable[Any]]
log = structlog.get_logger(__name__)


class Draining(Exception):
    """The process is about to stop: nothing new is begun; the turn goes on at the next start."""


class Overtaken(Exception):
    """An older question has come meanwhile: this attempt ends, and the lane takes that one first."""


class GaveUp(Exception):
    """A step was not possible until its deadline. `last` is the last error, None when it never got a turn."""

    def __init__(self, name: str, last: Unavailable | None) -> None:
        super().__init__(f"Step {name} was not possible in time.")
        self.last = last


class Steps:
    """The steps of one turn, in one attempt."""

    def __init__(self, ctx: Context, turn: Turn, rows: dict[str, StepRow]) -> None:
        self.ctx = ctx
        self.turn = turn
        self.rows = rows
        self.busy = False
        self.draining = False

    async def __call__(
        self,
        name: str,
        act: Callable[[Begin], Awaitable[Any]],
        *,
        until: float,
        unknown: Callable[[StepRow], Awaitable[Any]] | None = None,
        with_begin: Callable[[Tx], Any] | None = None,
        with_result: Callable[[Tx, Any], None] | None = None,
    ) -> Any:
        """Return the step's JSON result, from the store if it was done before.

        `act` awaits its argument right before the outside effect, and gets back what `with_begin` returned.
        `with_begin` and `with_result` run in the transactions that store the begin and the result. `until` is
        loop time: an act that cannot be done by then raises `GaveUp`; `Unavailable` is tried again until then.
        """
        row = self.rows.setdefault(name, StepRow())
        if row.done_at is not None:
            return row.result
        tries = 0
        while True:
            if unknown is not None and row.begun_at is not None:
                row.unknowns += 1
                found = await unknown(row)
                if found is not AGAIN:
                    return await self._done(name, row, found, with_result)
            try:
                result = await self._act(name, row, act, until, unknown is not None, with_begin)
            except OutcomeUnknown as error:
                self.busy = False
                if unknown is None:
                    tries = await self._wait(name, error, tries, until)
            except Unavailable as error:
                await self._unbegin(name, row)
                tries = await self._wait(name, error, tries, until)
            else:
                return await self._done(name, row, result, with_result)

    async def _act(
        self,
        name: str,
        row: StepRow,
        act: Callable[[Begin], Awaitable[Any]],
        until: float,
        stored: bool,
        with_begin: Callable[[Tx], Any] | None,
    ) -> Any:
        async def begin() -> Any:
            if self.draining:
                raise Draining
            if not stored:
                return None
            self.busy = True
            row.begun_at = self.ctx.clock()
            return await self.write(lambda tx: self._begin(tx, name, row, with_begin))

        if self.draining:
            raise Draining
        try:
            async with asyncio.timeout_at(until):
                return await act(begin)
        except TimeoutError:
            self.busy = False
            raise GaveUp(name, None) from None
        except Unavailable:
            raise  # still busy: what is known of the step must be stored first
        except BaseException:
            self.busy = False
            raise

    def _begin(self, tx: Tx, name: str, row: StepRow, with_begin: Callable[[Tx], Any] | None) -> Any:
        steps.save(tx, self.turn.id, name, row)
        return None if with_begin is None else with_begin(tx)

    async def _unbegin(self, name: str, row: StepRow) -> None:
        """The other side certainly did not act: forget that it was begun."""
        if row.begun_at is not None:
            row.begun_at = None
            await self.write(lambda tx: steps.save(tx, self.turn.id, name, row))
        self.busy = False

    async def _done(self, name: str, row: StepRow, result: Any, with_result: Callable[[Tx, Any], None] | None) -> Any:
        def work(tx: Tx) -> None:
            steps.save(tx, self.turn.id, name, row)
            if with_result is not None:
                with_result(tx, result)

        row.done_at, row.result = self.ctx.clock(), result
        try:
            await self.write(work, urgent=True)  # or a reaction to an answer would overtake the answer's receipt
        except BaseException:
            row.done_at, row.result = None, None
            raise
        self.busy = False
        return result

    async def _wait(self, name: str, error: Unavailable, tries: int, until: float) -> int:
        left = until - asyncio.get_running_loop().time()
        if error.retry_after is not None:
            wait = error.retry_after
        else:  # a last try shortly before the end
            wait = min(back_off(tries, self.ctx.random.random()), max(left - LAST_TRY, 0.0))
        if left <= LAST_TRY or wait > left:
            raise GaveUp(name, error) from None
        log.info("step.again", step=name, reason=error.reason, wait=round(wait, 2))
        await asyncio.sleep(wait)
        return tries + 1

    async def write(self, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
        """Store, fenced by the attempt, and as long as it takes: what happened outside must not be forgotten."""

        def fenced(tx: Tx) -> T:
            turns.fence(tx, self.turn)
            return work(tx)

        return await persist(self.ctx, fenced, urgent=urgent)


async def persist(ctx: Context, work: Callable[[Tx], T], *, urgent: bool = False) -> T:
    """Write, and try again while the database cannot be written."""
    tries = 0
    while True:
        try:
            return await ctx.db.write(work, urgent=urgent)
        except Unavailable:
            log.warning("store.again", tries=tries)
            await asyncio.sleep(min(5.0, 0.2 * 2**tries))
            tries = min(tries + 1, 8)


async def recall(ctx: Context, work: Callable[[Tx], T]) -> T:
    """Read, and try again while the database cannot be read."""
    while True:
        try:
            return await ctx.db.read(work)
        except Unavailable:
            log.warning("store.again", tries=0)
            await asyncio.sleep(1.0)


def back_off(tries: int, chance: float, *, first: float = 0.5, longest: float = 30.0) -> float:
    """Return the seconds to wait before try number `tries` + 1: doubling, with half of it left to chance.

    >>> back_off(0, 1.0), back_off(3, 0.0), back_off(20, 1.0)
    (0.5, 2.0, 30.0)
    """
    span = min(longest, first * 2.0 ** min(tries, 16))
    return span * (0.5 + chance / 2)
