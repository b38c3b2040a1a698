"""One gate per API key: it shuts when the API says 429 or fails five times in a row.

    open ── 429, or five failures in a row ──▶ shut ── time is up ──▶ trying ── success ──▶ open
                                                ▲                       │    (each success lets two more try,
                                                └───── 429, failure ────┘     until nobody waits any more)

While it is shut, one caller tries when the time is up; the others wait, in order of arrival, for as long as it
takes: who has a deadline cancels the wait. It only counts and delays; it never repeats a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal

from pydantic import SecretStr

from bot.errors import BotError, Unavailable

FAILURES: Final = 5
"""Failures in a row that shut an open gate."""
BASE_SECONDS: Final = 1.0
"""The first back-off is drawn from 0 to this; each further one from twice as much."""
LIMIT_SECONDS: Final = 30.0
"""No back-off is longer; a Retry-After may be."""
FLOOR_SECONDS: Final = 0.05
"""No rest is shorter, or a `Retry-After: 0` would make every waiting caller try at once, one after the other."""


class Gate:
    """Lets callers through to the API, or makes them wait. Belongs to one event loop; no lock, no thread, no task.

    Time is the loop's own, randomness the generator given, so that both can be simulated. `told` is called with the
    seconds whenever the API says 429, for whoever else uses the key.
    """

    def __init__(self, rng: random.Random | None = None, told: Callable[[float], None] = lambda _: None) -> None:
        self._rng = rng or random.Random()  # noqa: S311 (jitter, not a secret)
        self._told = told
        self._state: Literal["open", "shut", "trying"] = "open"
        self._reason = ""
        self._trouble = ""
        self._failures = 0
        self._shut_in_a_row = 0
        self._until = 0.0
        self._allowed = 0
        self._trying = 0
        self._generation = 0
        self._queue: deque[asyncio.Future[int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether the API answered last: True also while those who waited are let go one after the other."""
        return self._state == "open" or self._reason == ""

    @property
    def reason(self) -> str:
        """Why it is shut, as `/readyz` says it: `rate_limited`, `server_error`, `connection`, …; "" when open."""
        return self._reason

    @property
    def trouble(self) -> str:
        """What failed last, in a sentence, for those who wait; "" when open."""
        return self._trouble if self._reason else ""

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return len(self._queue)

    @contextlib.asynccontextmanager
    async def attempt(self, before: Callable[[], Awaitable[None]] | None = None) -> AsyncIterator[None]:
        """Wait until a call may be made, await `before`, and learn from the call's end.

        `Unavailable` is a failure; any other error of ours means that the API answered. A call that was
        cancelled, and one that `before` prevented, says nothing, and its place goes to the next one.
        """
        generation = await self._enter()
        try:
            if before is not None:
                await before()
        except BaseException:
            self._left(generation)
            raise
        try:
            yield
        except Unavailable as error:
            self._failed(generation, error)
            raise
        except BotError:
            self._succeeded(generation)
            raise
        except BaseException:
            self._left(generation)
            raise
        self._succeeded(generation)

    async def _enter(self) -> int:
        if self._state == "open":
            return self._generation
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._pump()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):
                    self._queue.remove(turn)
                self._pump()
            else:
                self._left(turn.result())
            raise

    def hold(self, seconds: float) -> None:
        """Another process was told to wait so long: who uses the same key waits with it."""
        if self._state == "open":
            self._close(seconds, "rate_limited", "Another process with this key was told to wait.")
        else:
            self._until = max(self._until, self._now() + seconds)
            self._pump()

    def _succeeded(self, generation: int) -> None:
        if self._state == "open":
            self._failures = 0
        elif self._counts(generation):
            self._failures = self._shut_in_a_row = 0
            self._reason = ""
            self._trying -= 1
            self._allowed += 1
            self._pump()

    def _failed(self, generation: int, error: Unavailable) -> None:
        limited = error.reason == "rate_limited"
        if self._state == "open":
            self._failures += 1
            if limited or self._failures >= FAILURES:
                self._shut(error)
        elif self._counts(generation):
            self._shut(error)
        elif limited:
            # A call from before the gate shut: it knows nothing new, except how long to wait.
            self._until = max(self._until, self._now() + (error.retry_after or 0.0))

    def _left(self, generation: int) -> None:
        if self._state != "open" and self._counts(generation):
            self._trying -= 1
            self._pump()

    def _counts(self, generation: int) -> bool:
        """Tell whether a call was let through by the trial that runs now, not by one before."""
        return self._state == "trying" and generation == self._generation

    def _shut(self, error: Unavailable) -> None:
        backoff = self._rng.uniform(0.0, min(LIMIT_SECONDS, BASE_SECONDS * 2.0 ** min(self._shut_in_a_row, 16)))
        told = error.retry_after
        if told is None or error.reason != "rate_limited":
            told = max(backoff, told or 0.0)
        seconds = max(FLOOR_SECONDS, told)
        if error.reason == "rate_limited":
            self._told(seconds)
        self._close(seconds, error.reason or "unavailable", str(error))

    def _close(self, seconds: float, reason: str, trouble: str) -> None:
        self._until = self._now() + seconds
        self._state = "shut"
        self._reason = reason
        self._trouble = trouble
        self._failures = 0
        self._shut_in_a_row += 1
        self._generation += 1
        self._pump()

    def _pump(self) -> None:
        """Let through whoever may go now, and see to it that this is called again when the time is up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._state == "shut":
            if not self._queue:
                return
            rest = self._until - self._now()
            if rest > 0:
                self._timer = asyncio.get_running_loop().call_later(rest, self._pump)
                return
            self._state, self._allowed, self._trying = "trying", 1, 0
        while self._queue and self._trying < self._allowed:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(self._generation)
                self._trying += 1
        if self._state == "trying" and not self._queue and self._reason == "":
            self._state, self._failures = "open", 0

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class Gates:
    """The gates of all API keys in use; the same key always gets the same gate.

    `told` is called with a name of the key, which does not tell what it is, and the seconds whenever the API says 429;
    other processes find their gate by it.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self.told: Callable[[str, float], None] = lambda _name, _seconds: None
        self._rng = rng
        self._gates: dict[str, Gate] = {}

    def of(self, api_key: SecretStr) -> Gate:
        """Return the key's gate."""
        name = hashlib.sha256(api_key.get_secret_value().encode()).hexdigest()
        return self._gates.setdefault(name, Gate(self._rng, lambda seconds: self.told(name, seconds)))

    def hold(self, name: str, seconds: float) -> None:
        """Another process was told to wait with this key; nothing where it is not in use here."""
        if (gate := self._gates.get(name)) is not None:
            gate.hold(seconds)

    def all(self) -> list[Gate]:
        """Return every gate made so far, for `/readyz`."""
        return list(self._gates.values())
