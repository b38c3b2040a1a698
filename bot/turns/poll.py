"""The step that waits: asks the API what became of a request until it has ended."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.context import Api
from bot.errors import Misconfigured, Rejected
from bot.store import turns
from bot.store.database import Tx
from bot.store.steps import StepName
from bot.turns.attempt import TurnAttempt
from bot.turns.poll_schedule import PollSchedule
from bot.turns.steps import Begin, Step
from bot.turns.submit import NoAnswer, Submission, report_api_error, whole

NOT_FOUND_GRACE = 5.0
"""Seconds after the reply to a submit in which a 404 only means that the API does not yet see its own request."""
LATE = 1.0
"""Seconds of age from which a request that was never polled must be one of before a restart."""
SPREAD = 0.3
"""Seconds over which the first polls after a restart are spread, so that they do not all come at once."""


class Poll(Step[str | None]):
    """Poll one submission until it ends; the result is the answer, None without one."""

    def __init__(self, attempt: TurnAttempt, api: Api, schedule: PollSchedule, submission: Submission, number: int):
        self.name = StepName("poll", number)
        self.until = attempt.deadline
        self.polls = 0
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._api = api
        self._schedule = schedule
        self._submission = submission

    async def act(self, begin: Begin) -> str | None:
        """Wait for the right moment, ask, and again."""
        while True:
            age = max(0.0, self._ctx.clock() - self._submission.at)
            late = self.polls == 0 and age > LATE
            await asyncio.sleep(self._ctx.random.random() * SPREAD if late else self._schedule.delay(age))
            self.polls += 1
            try:
                status = await self._api.status(self._submission.request_id)
            except Rejected as error:
                raise NoAnswer(str(error)) from None
            except Misconfigured as error:
                if error.status != 404 or self._ctx.clock() - self._submission.replied_at > NOT_FOUND_GRACE:
                    report_api_error(self._attempt, error)
                    raise NoAnswer(str(error)) from None
                continue
            self._ctx.problems.clear("api")
            if status.state != "working":
                return whole(status.answer) if status.state == "completed" else None

    def done(self, tx: Tx, result: str | None) -> None:
        """Count the polls."""
        turns.add_polls(tx, self._attempt.turn.id, self.polls)

    def to_json(self, result: str | None) -> Any:
        """Make a JSON value of the answer."""
        return {"answer": result}

    def from_json(self, stored: Any) -> str | None:
        """Make the answer of the JSON value."""
        answer: str | None = stored["answer"]
        return answer
