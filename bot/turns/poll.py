"""The step that waits: asks the API what became of a request until it has ended."""

from __future__ import annotations

from typing import Any

from bot.api.models import ChatStatus
from bot.context import Api
from bot.errors import Misconfigured, Rejected, Unavailable
from bot.store import turns
from bot.store.database import Tx
from bot.store.steps import StepName
from bot.turns.attempt import TurnAttempt
from bot.turns.polling import RoutePolling
from bot.turns.steps import Begin, Step
from bot.turns.submit import NoAnswer, Submission, report_api_error, whole

NOT_FOUND_GRACE = 5.0
"""Seconds after the reply to a submit in which a 404 only means that the API does not yet see its own request."""
LATE = 1.0
"""Seconds of age from which a request that was never polled must be one of before a restart."""


class Poll(Step[str | None]):
    """Poll one submission until it ends; the result is the answer, None without one. `polls`: how many were made."""

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

    async def act(self, begin: Begin) -> str | None:
        """Wait for the right moment, ask, and again."""
        self._polling.queue.open_requests += 1
        try:
            while True:
                await self._wait()
                try:
                    status = await self._poll()
                except Misconfigured as error:
                    if error.status != 404 or self._ctx.clock() - self._submission.replied_at > NOT_FOUND_GRACE:
                        report_api_error(self._attempt, error)
                        raise NoAnswer(str(error)) from None
                    continue
                self._ctx.problems.clear("api")
                if status.state != "working":
                    return whole(status.answer) if status.state == "completed" else None
        finally:
            self._polling.queue.open_requests -= 1

    async def _wait(self) -> None:
        age = self._age()
        if self.polls == 0 and age > LATE:
            self._not_ready_at = None  # it may have been ready long before
            await self._polling.queue.turn(0.0)
        else:
            await self._polling.wait(age)

    async def _poll(self) -> ChatStatus:
        self.polls += 1
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

    def done(self, tx: Tx, result: str | None) -> None:
        """Count the polls, and keep what was learnt of the route."""
        turns.add_polls(tx, self._attempt.turn.id, self.polls)
        self._polling.keep(tx)

    def to_json(self, result: str | None) -> Any:
        """Make a JSON value of the answer."""
        return {"answer": result}

    def from_json(self, stored: Any) -> str | None:
        """Make the answer of the JSON value."""
        answer: str | None = stored["answer"]
        return answer
