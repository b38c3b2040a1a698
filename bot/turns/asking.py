"""Gets the answer to a question's latest words: submit ─ poll ─ intent, and again after an edit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.errors import BotError
from bot.events import Answer
from bot.store import turns
from bot.store.steps import INTENT, sending_step
from bot.turns.attempt import TurnAttempt
from bot.turns.compose import notes_of
from bot.turns.delivery import Delivery
from bot.turns.gather import Gatherer
from bot.turns.intent import Intent, Superseded
from bot.turns.poll import Poll, Polled
from bot.turns.polling import Polling
from bot.turns.progress import ProgressTracker
from bot.turns.rendering import Rendered, render
from bot.turns.steps import GaveUp
from bot.turns.submit import Cancelled, NoAnswer, Submission, Submit, report_api_error, why_not_submitted


class Asking:
    """Asks for one turn. `polling` says when to poll; `progress` is told that the question was submitted,
    `gatherer` finds out what goes along."""

    def __init__(self, attempt: TurnAttempt, progress: ProgressTracker, polling: Polling, gatherer: Gatherer) -> None:
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._turn = attempt.turn
        self._progress = progress
        self._polling = polling
        self._gatherer = gatherer
        self._api = attempt.ctx.api_of(attempt.turn)
        self.seen_at: float | None = None
        """When this process saw that the answer was ready, in loop time."""

    async def answer(self, delivery: Delivery) -> Rendered:
        """Ask until the answer fits the question's latest words; return it, stored as the intent to send.

        Raises:
            NoAnswer: there will be none.
            Cancelled: the question was deleted or stopped.
            NotDelivered: the channel is turned off.
            GaveUp: the answer could not be stored in time.
        """
        if self._attempt.is_done(INTENT):
            return await self._attempt.run(Intent(self._attempt, Rendered(None, ()), 0))
        number = self._last_submit()
        self._ctx.people.expect(self._turn)  # looked up meanwhile, so that no answer waits for its labels
        while True:
            try:
                answer, submission = await self._ask(number)
                return await self._promise(delivery, answer, submission)
            except Superseded:
                self._attempt.count("superseded")
                number += 1

    def _last_submit(self) -> int:
        """Return the number of the submit that is under way after a restart: earlier ones were superseded."""
        submits = [(name.number, row) for name, row in self._attempt.rows.items() if name.kind == "submit"]
        return max((number for number, row in submits if row.begun_at or row.done_at), default=0)

    async def _ask(self, number: int) -> tuple[str, Submission]:
        """Submit and poll once; return the answer, and what was asked."""
        submit = Submit(self._attempt, self._api, self._gatherer, number)
        version: int | None = None
        try:
            submission = await self._submit(submit)
            version = submission.version
            at_once = Polled(submission.answer, submission.low, submission.asks_rating)
            polled = at_once if submission.is_over else await self._poll(submission, number)
            answer = polled.answer
            self.seen_at = asyncio.get_running_loop().time()
            if answer is None or not answer.strip():
                raise NoAnswer("The API ended the request without an answer.")
        except NoAnswer:
            # The failure of words that nobody asks any more is no failure.
            await self._check_wanted(version if submit.asked is None else submit.asked.version)
            raise
        return answer, replace(submission, low=polled.low, asks_rating=polled.asks_rating)

    async def _submit(self, submit: Submit) -> Submission:
        try:
            submission = await self._attempt.run(submit)
        except (GaveUp, BotError) as error:
            if isinstance(error, BotError):
                report_api_error(self._attempt, error)
            raise NoAnswer(why_not_submitted(error, self._api.trouble)) from None
        self._progress.submitted(self._turn, max(0.0, self._ctx.clock() - submission.at))
        return submission

    async def _poll(self, submission: Submission, number: int) -> Polled:
        polling = await self._polling.of(self._turn.route)
        poll = Poll(self._attempt, self._api, polling, submission, number)
        try:
            polled = await self._attempt.run(poll)
        except GaveUp as error:
            raise NoAnswer(f"The API had no answer in time. {error.last or self._api.trouble}".strip()) from None
        if poll.polls:
            self._ctx.metrics.async_completion_seconds.observe(max(0.0, self._ctx.clock() - submission.at))
            self._ctx.metrics.polls_per_answer.observe(poll.polls)
        return polled

    async def _promise(self, delivery: Delivery, answer: str, submission: Submission) -> Rendered:
        """Render, and store the parts with the promise to send them; with that the first one begins."""
        language = await self._ctx.language_of(self._turn)
        notes = notes_of(submission.along, language)
        if submission.low and (line := self._ctx.config.answers.low_confidence):
            notes = (*notes, line)
        outbound = Answer(
            text=answer,
            asker_id=self._turn.asker or "",
            notes=notes,
            asks_rating=submission.asks_rating,
            language=language,
        )
        rendered = await render(delivery.adapter(), outbound)
        seen_at = self._ctx.clock()
        polling = await self._polling.of(self._turn.route)
        intent = Intent(self._attempt, rendered, submission.version, polling.keep)
        await self._attempt.run(intent, then=sending_step("answer", 0))
        overhead = self._ctx.metrics.turn_overhead_seconds.labels(channel=self._turn.address.channel, step="intent")
        overhead.observe(max(0.0, self._ctx.clock() - seen_at))
        return rendered

    async def _check_wanted(self, version: int | None) -> None:
        turn = await self._ctx.recall(lambda tx: turns.get(tx, self._turn.id))
        if turn is None or turn.cancelled:
            raise Cancelled
        if version is not None and turn.version != version:
            raise Superseded
