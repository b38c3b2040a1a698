"""The step that waits: asks the API what became of a request until it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.api.models import ChatStatus, asks_rating, is_low
from bot.context import Api
from bot.errors import Misconfigured, Rejected, Unavailable
from bot.store.steps import StepName
from bot.turns.attempt import TurnAttempt
from bot.turns.polling import RoutePolling
from bot.turns.steps import Begin, Step
from bot.turns.submit import NoAnswer, Submission, report_api_error, whole

NOT_FOUND_GRACE = 5.0
"""Seconds after the reply to a submit in which a 404 only means that the API does not yet see its own request."""
LATE = 1.0
"""Seconds of age from which a request that was never polled must be one of before a restart."""


@dataclass(frozen=True, slots=True)
class Polled:
    """How a request ended: its answer, None without one; `low`: the assistant has little trust in it; `asks_rating`: as
    in `Answer`."""

    answer: str | None
    low: bool = False
    asks_rating: bool = True


class Poll(Step[Polled]):
    """Poll one submission until it ends. `polls`: how many were made.

    The answer is stored once, with its parts, by the intent; until then the API has it.
    """

    is_kept = False

    def __init__(self, attempt: TurnAttempt, api: Api, polling: RoutePolling, submission: Submission, number: int):
        self.name = StepName("poll", number)
        self.until = attempt.deadline
        self.polls = 0
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._api = api
        self._polling = polling
        self._submission = submission
        self._not_ready_at: float | None = 0.0

    async def act(self, begin: Begin) -> Polled:
        """Wait for the right moment, ask, and again."""
        self._polling.queue.open_requests += 1
        waiting = self._ctx.metrics.lanes_waiting.labels(reason="answer")
        waiting.inc()
        try:
            while True:
                await self._wait()
                await begin()
                try:
                    status = await self._poll()
                except Misconfigured as error:
                    if error.status != 404 or self._ctx.clock() - self._submission.replied_at > NOT_FOUND_GRACE:
                        report_api_error(self._attempt, error)
                        raise NoAnswer(str(error)) from None
                    continue
                self._ctx.problems.clear("api")
                if status.state != "working":
                    answer = whole(status.answer) if status.state == "completed" else None
                    return Polled(answer, is_low(status), asks_rating(status))
        finally:
            self._polling.queue.open_requests -= 1
            waiting.dec()

    async def _wait(self) -> None:
        age = self._age()
        if self.polls == 0 and age > LATE:
            self._not_ready_at = None  # it may have been ready long before
            await self._polling.queue.turn(0.0)
        else:
            await self._polling.wait(age)

    async def _poll(self) -> ChatStatus:
        self.polls += 1
        self._attempt.polls += 1
        asked_at = self._age()
        try:
            status = await self._api.status(self._submission.request_id)
        except Rejected as error:
            raise NoAnswer(str(error)) from None
        except Unavailable as error:
            if error.reason == "rate_limited":
                self._polling.queue.limited()
            raise
        if status.state == "working":
            self._not_ready_at = asked_at
        elif self._not_ready_at is not None:
            self._polling.saw(self._not_ready_at, self._age())
        return status

    def _age(self) -> float:
        return max(0.0, self._ctx.clock() - self._submission.at)

    def from_json(self, stored: Any) -> Polled:
        """Make the answer of the JSON value that an older version stored."""
        return Polled(stored["answer"])
