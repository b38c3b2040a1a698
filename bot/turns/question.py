"""A question's turn: asked once, answered once, or honestly given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.adapter import Part
from bot.errors import BotError
from bot.events import Answer, Notice
from bot.store import conversations, turns
from bot.store.steps import INTENT, ROOT
from bot.turns.attempt import TurnAttempt
from bot.turns.delivery import Delivery, NotDelivered
from bot.turns.failure import Failure
from bot.turns.intent import Intent, Superseded
from bot.turns.poll import Poll
from bot.turns.poll_schedule import PollSchedule
from bot.turns.progress import ProgressTracker
from bot.turns.send import Destination
from bot.turns.steps import GaveUp
from bot.turns.submit import Cancelled, NoAnswer, Submission, Submit, report_api_error, why_not_submitted

LONG = 5_000
"""Characters above which an answer is rendered beside the event loop: up to that, a hostile one takes 0.1 s."""

log = structlog.get_logger(__name__)


class Question:
    """One attempt to answer a question: [root] → submit → poll → intent → send → finish."""

    def __init__(
        self, attempt: TurnAttempt, delivery: Delivery, progress: ProgressTracker, schedule: PollSchedule
    ) -> None:
        self._attempt = attempt
        self._ctx = attempt.ctx
        self._turn = attempt.turn
        self._delivery = delivery
        self._failure = Failure(attempt, delivery)
        self._progress = progress
        self._schedule = schedule
        self._api = attempt.ctx.api_for(attempt.turn.route)

    async def work(self) -> None:
        """Bring the question to its end."""
        destination = Destination(self._turn.conversation, self._turn.question)
        try:
            verdict = self._failure.verdict
            if self._turn.posts_root and (verdict is None or self._is_root_posted()):
                destination = await self._post_root()
            if verdict is not None:
                await self._failure.conclude(verdict, destination)
            else:
                await self._answer(destination)
        except Cancelled:
            await self._attempt.finish("cancelled")
        except NoAnswer as error:
            await self._failure.fail(error.why, destination)
        except (NotDelivered, GaveUp) as error:
            await self._failure.undeliverable(error, destination)
        self._progress.end(self._turn)

    async def dead_letter(self, why: str) -> None:
        """End a question that a mistake of ours keeps from its end."""
        try:
            await self._failure.fail(why, Destination(self._turn.conversation, self._turn.question))
        except Exception:
            log.exception("turn.dead_letter")
            await self._attempt.finish("failed", why, letter="turn")
        self._progress.end(self._turn)

    async def _answer(self, destination: Destination) -> None:
        parts = await self._parts()
        refs = await self._delivery.parts(parts, "answer", destination)
        if len(refs) < len(parts):
            await self._failure.unsure(destination)
        else:
            await self._attempt.finish("answered")
        channel = self._turn.address.channel
        self._ctx.metrics.turn_seconds.labels(channel=channel).observe(self._attempt.seconds())

    async def _parts(self) -> Sequence[Part]:
        """Ask until the answer fits the question's latest words; return its parts, stored as the intent to send."""
        if self._attempt.is_done(INTENT):
            return await self._attempt.run(Intent(self._attempt, (), 0))
        number = self._last_submit()
        while True:
            try:
                answer, version = await self._ask(number)
                return await self._promise(answer, version)
            except Superseded:
                channel = self._turn.address.channel
                self._ctx.metrics.turns_total.labels(channel=channel, outcome="superseded").inc()
                number += 1

    def _last_submit(self) -> int:
        """Return the number of the submit that is under way after a restart: earlier ones were superseded."""
        begun = [
            name for name, row in self._attempt.rows.items() if row.begun_at is not None or row.done_at is not None
        ]
        return max((name.number for name in begun if name.kind == "submit"), default=0)

    async def _ask(self, number: int) -> tuple[str, int]:
        """Submit and poll once; return the answer and the version of the words that were asked."""
        submit = Submit(self._attempt, self._api, number)
        version: int | None = None
        try:
            submission = await self._submit(submit)
            version = submission.version
            answer = submission.answer if submission.is_over else await self._poll(submission, number)
            if answer is None or not answer.strip():
                raise NoAnswer("The API ended the request without an answer.")
        except NoAnswer:
            # The failure of words that nobody asks any more is no failure.
            await self._check_wanted(version if submit.asked is None else submit.asked.version)
            raise
        return answer, version

    async def _submit(self, submit: Submit) -> Submission:
        try:
            submission = await self._attempt.run(submit)
        except (GaveUp, BotError) as error:
            if isinstance(error, BotError):
                report_api_error(self._attempt, error)
            raise NoAnswer(why_not_submitted(error)) from None
        self._progress.submitted(self._turn, max(0.0, self._ctx.clock() - submission.at))
        return submission

    async def _poll(self, submission: Submission, number: int) -> str | None:
        poll = Poll(self._attempt, self._api, self._schedule, submission, number)
        self._schedule.in_flight += 1
        try:
            answer = await self._attempt.run(poll)
        except GaveUp:
            raise NoAnswer("The API had no answer in time.") from None
        finally:
            self._schedule.in_flight -= 1
        if poll.polls:
            seconds = max(0.0, self._ctx.clock() - submission.at)
            self._schedule.completed(seconds)
            self._ctx.metrics.async_completion_seconds.observe(seconds)
            self._ctx.metrics.polls_per_answer.observe(poll.polls)
        return answer

    async def _promise(self, answer: str, version: int) -> Sequence[Part]:
        """Render, and store the parts with the promise to send them."""
        adapter = self._delivery.adapter()
        outbound = Answer(text=answer, asker_id=self._turn.asker or "")
        if len(answer) > LONG:
            parts = list(await asyncio.to_thread(adapter.render, outbound))
        else:
            parts = list(adapter.render(outbound))
        seen_at = self._ctx.clock()
        await self._attempt.run(Intent(self._attempt, parts, version))
        overhead = self._ctx.metrics.turn_overhead_seconds.labels(channel=self._turn.address.channel, step="intent")
        overhead.observe(max(0.0, self._ctx.clock() - seen_at))
        return parts

    async def _check_wanted(self, version: int | None) -> None:
        turn = await self._ctx.recall(lambda tx: turns.get(tx, self._turn.id))
        if turn is None or turn.cancelled:
            raise Cancelled
        if version is not None and turn.version != version:
            raise Superseded

    def _is_root_posted(self) -> bool:
        row = self._attempt.rows.get(ROOT)
        return row is not None and bool(row.result)

    async def _post_root(self) -> Destination:
        """Post the words of an /ask, which the others have not seen, as the root of the thread it is answered in."""
        turn = self._turn
        if not self._is_root_posted():
            await self._check_wanted(None)
        notice = Notice(text=turn.text or "", kind="question", user_id=turn.asker)
        refs = await self._delivery.notice(notice, "root", Destination(turn.conversation, None))
        if not refs:
            raise NotDelivered("The question could not be posted.", gone=True)
        root, now = refs[0], self._ctx.clock()
        await self._attempt.write(lambda tx: conversations.note_thread(tx, turn.address, root, now))
        thread = replace(turn.conversation, conversation_id=root.conversation_id, thread_id=root.message_id)
        return Destination(thread, root)
