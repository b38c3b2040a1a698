"""The gate, under a loop whose time only passes when everybody waits: exact, and quick."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from pydantic import SecretStr

from bot.api.gate import FAILURES, LIMIT_SECONDS, Gate, Gates
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable

RATE = Unavailable("slow", status=429, reason="rate_limited", retry_after=30.0)
DOWN = Unavailable("down", status=500, reason="server_error")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps by moving its clock; fails when nothing can ever happen any more."""

    def __init__(self) -> None:
        self.now = 1000.0
        loop = self

        class Selector(selectors.SelectSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                ready = super().select(0)
                if not ready:
                    if timeout is None:
                        raise AssertionError("everybody waits for ever")
                    loop.now += timeout
                return ready

        super().__init__(Selector())

    def time(self) -> float:
        return self.now


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(scenario())
        assert not asyncio.all_tasks(loop)
    finally:
        loop.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def call(gate: Gate, work: Callable[[], Awaitable[None]]) -> None:
    async with gate.attempt():
        await work()


def failing(error: BotError) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await asyncio.sleep(0.01)
        raise error

    return work


async def fine() -> None:
    await asyncio.sleep(0.01)


async def fail(gate: Gate, error: BotError, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(BotError):
            await call(gate, failing(error))


def test_429_shuts_until_retry_after_and_one_tries() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        assert not gate.is_open
        assert gate.reason == "rate_limited"
        shut_at = now()
        under_way = 0
        most = []

        async def work() -> None:
            nonlocal under_way
            under_way += 1
            most.append((now() - shut_at, under_way))
            await asyncio.sleep(0.05)
            under_way -= 1

        await asyncio.gather(*(call(gate, work) for _ in range(50)))
        assert most[0][0] == pytest.approx(30.0)
        assert most[0][1] == 1
        assert most[1][0] == pytest.approx(30.05)
        assert len(most) == 50
        assert gate.is_open
        assert gate.reason == ""

    play(scenario)


def test_release_is_smooth_and_in_order() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        started: list[tuple[float, int]] = []

        async def work(n: int) -> None:
            started.append((round(now(), 3), n))
            await asyncio.sleep(1.0)

        await asyncio.gather(*(call(gate, lambda n=n: work(n)) for n in range(31)))  # type: ignore[misc] # n is bound
        assert [n for _, n in started] == list(range(31))
        per_second = [sum(1 for at, _ in started if at == when) for when in sorted({at for at, _ in started})]
        assert per_second == [1, 2, 4, 8, 16]

    play(scenario)


def test_five_failures_in_a_row_shut_and_a_success_between_does_not() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        for _ in range(3):
            await fail(gate, DOWN, FAILURES - 1)
            await call(gate, fine)
        assert gate.is_open
        await fail(gate, OutcomeUnknown("cut", reason="connection"), FAILURES)
        assert not gate.is_open
        assert gate.reason == "connection"

    play(scenario)


@pytest.mark.parametrize("error", [Rejected("no", status=400), Misconfigured("no", status=404)])
def test_a_refusal_means_that_the_api_answers(error: BotError) -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, error, 20)
        assert gate.is_open
        await fail(gate, RATE)
        await fail(gate, error)
        assert gate.is_open

    play(scenario)


def test_back_off_grows_with_full_jitter_and_is_bounded() -> None:
    async def scenario() -> None:
        rests: list[list[float]] = []
        for seed in range(40):
            gate = Gate(random.Random(seed))
            await fail(gate, DOWN, FAILURES)
            mine = []
            for _ in range(12):
                before = now()
                await fail(gate, DOWN)
                mine.append(now() - before - 0.01)
            rests.append(mine)
        for n in range(12):
            bound = min(LIMIT_SECONDS, 2.0**n)
            drawn = [mine[n] for mine in rests]
            assert max(drawn) <= bound + 1e-6
            assert max(drawn) > bound * 0.7
            assert min(drawn) < bound * 0.3
            assert min(drawn) >= 0.05 - 1e-6

    play(scenario)


def test_while_shut_waiting_callers_try_one_at_a_time() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(3))
        await fail(gate, DOWN, FAILURES)
        under_way = 0

        async def work() -> None:
            nonlocal under_way
            under_way += 1
            assert under_way == 1
            await asyncio.sleep(0.01)
            under_way -= 1
            raise DOWN

        results = await asyncio.gather(*(call(gate, work) for _ in range(10)), return_exceptions=True)
        assert results == [DOWN] * 10
        assert not gate.is_open

    play(scenario)


def test_retry_after_zero_does_not_make_a_hot_loop() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        zero = Unavailable("slow", status=429, reason="rate_limited", retry_after=0.0)
        await fail(gate, zero)
        before = now()
        await fail(gate, zero, 20)
        assert now() - before >= 20 * 0.05

    play(scenario)


def test_who_gives_up_waiting_leaves_the_queue() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        waiting = [asyncio.ensure_future(call(gate, fine)) for _ in range(5)]
        await asyncio.sleep(1)
        assert gate.waiting == 5
        for task in waiting[:4]:
            task.cancel()
        await asyncio.sleep(0)
        assert gate.waiting == 1
        await waiting[4]
        assert gate.is_open
        assert all(task.cancelled() for task in waiting[:4])

    play(scenario)


def test_all_give_up_and_the_next_one_tries() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await call(gate, fine)
        await asyncio.sleep(100)
        before = now()
        await call(gate, fine)
        assert now() - before == pytest.approx(0.01)
        assert gate.is_open

    play(scenario)


def test_the_one_who_tries_is_cancelled_and_the_next_tries() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        first = asyncio.ensure_future(call(gate, lambda: asyncio.sleep(1000)))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(call(gate, fine))
        await asyncio.sleep(31)
        assert gate.waiting == 1
        first.cancel()
        await second
        assert gate.is_open

    play(scenario)


def test_cancelled_in_the_moment_it_is_let_through() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        tasks: list[asyncio.Future[None]] = []
        first = asyncio.ensure_future(call(gate, fine))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(call(gate, fine))
        tasks += [first, second]
        # In the same turn of the loop: the timer lets the first one through, then it is cancelled.
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(gate._until, first.cancel)
        await second
        await asyncio.gather(first, return_exceptions=True)
        assert gate.is_open
        assert gate.waiting == 0

    play(scenario)


def test_cancelled_just_before_the_gate_reaches_it() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        release = asyncio.Event()
        trying = asyncio.ensure_future(call(gate, lambda: _when(release)))
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(call(gate, fine)) for _ in range(3)]
        await asyncio.sleep(31)
        release.set()
        waiting[0].cancel()  # it still stands in the queue when the one that tries comes to its end
        await trying
        await asyncio.gather(*waiting[1:])
        assert gate.is_open
        assert gate.waiting == 0

    play(scenario)


async def _when(event: asyncio.Event) -> None:
    await event.wait()


def test_calls_from_before_do_not_open_it() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        slow = asyncio.ensure_future(call(gate, lambda: asyncio.sleep(5)))
        late = asyncio.ensure_future(call(gate, lambda: _fail_after(5, DOWN)))
        later = asyncio.ensure_future(call(gate, lambda: _fail_after(10, RATE)))
        await asyncio.sleep(0)
        await fail(gate, RATE)
        before = now()
        waiting = asyncio.ensure_future(call(gate, fine))
        await slow
        assert not gate.is_open, "a success from before the 429 says nothing about now"
        with pytest.raises(Unavailable):
            await late
        with pytest.raises(Unavailable):
            await later
        await waiting
        assert now() - before == pytest.approx(40.0, abs=0.1), "the last 429 said to wait 30 s more"

    play(scenario)


async def _fail_after(seconds: float, error: BotError) -> None:
    await asyncio.sleep(seconds)
    raise error


def test_a_failure_while_letting_go_shuts_it_again() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        count = 0

        async def work() -> None:
            nonlocal count
            count += 1
            mine = count
            await asyncio.sleep(0.1)
            if mine == 3:
                raise RATE

        results = await asyncio.gather(*(call(gate, work) for _ in range(40)), return_exceptions=True)
        assert results.count(None) == 39
        assert gate.is_open

    play(scenario)


def test_any_end_is_survived_at_random() -> None:
    """1,000 callers with random ends, cancellations and pauses: nobody is left behind, the gate opens in the end."""

    async def scenario() -> None:
        rng = random.Random(7)
        gate = Gate(random.Random(8))
        bad = True

        async def work() -> None:
            await asyncio.sleep(rng.random())
            if bad and rng.random() < 0.6:
                raise rng.choice([RATE, DOWN, Rejected("no")])

        tasks = []
        for _ in range(1000):
            task = asyncio.ensure_future(call(gate, work))
            if rng.random() < 0.3:
                asyncio.get_running_loop().call_later(rng.random() * 100, task.cancel)
            tasks.append(task)
            await asyncio.sleep(rng.random())
        bad = False
        await asyncio.gather(*tasks, return_exceptions=True)
        await call(gate, fine)
        assert gate.is_open
        assert gate.waiting == 0
        assert gate._state == "open"

    play(scenario)


def test_what_comes_before_the_call_is_awaited_when_the_gate_lets_it_through() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))
        await fail(gate, RATE)
        shut_at = now()
        called: list[float] = []

        async def store() -> None:
            called.append(now() - shut_at)

        async with gate.attempt(store):
            assert called == [pytest.approx(30.0)]
        assert gate.is_open

    play(scenario)


def test_an_error_before_the_call_says_nothing_about_the_api() -> None:
    async def scenario() -> None:
        gate = Gate(random.Random(1))

        async def broken() -> None:
            raise Unavailable("The database is locked.")

        async def attempt() -> None:
            async with gate.attempt(broken):
                raise AssertionError("the call was made")

        for _ in range(2 * FAILURES):
            with pytest.raises(Unavailable):
                await attempt()
        assert gate.is_open
        await fail(gate, RATE)
        waiting = [asyncio.ensure_future(attempt()), asyncio.ensure_future(call(gate, fine))]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [Unavailable, type(None)]
        assert gate.is_open

    play(scenario)


def test_one_gate_per_key() -> None:
    gates = Gates(random.Random(1))
    assert gates.of(SecretStr("a")) is gates.of(SecretStr("a"))
    assert gates.of(SecretStr("a")) is not gates.of(SecretStr("b"))
    assert len(gates.all()) == 2
    assert "a" not in [str(key) for key in vars(gates)["_gates"]]


def test_a_429_is_told_once_and_holds_the_gates_of_others() -> None:
    async def scenario() -> None:
        ours, theirs = Gates(random.Random(1)), Gates(random.Random(2))
        told: list[tuple[str, float]] = []
        ours.told = lambda name, seconds: told.append((name, seconds))
        key = SecretStr("k")
        other = theirs.of(key)
        await fail(ours.of(key), DOWN)
        assert told == [], "a failure of one process may be its own"
        await fail(ours.of(key), RATE)
        assert [seconds for _, seconds in told] == [30.0]
        assert "k" not in told[0]
        theirs.told = lambda *_: pytest.fail("what was heard is not told again")
        theirs.hold(*told[0])
        theirs.hold("somebody else's key", 99.0)
        assert not other.is_open
        began = now()
        await call(other, fine)
        assert now() - began == pytest.approx(30.0, abs=0.1)
        assert other.is_open

    play(scenario)
