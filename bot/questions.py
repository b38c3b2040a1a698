"""A question's turn: asked once, answered once, or honestly given up."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import structlog

from bot.context import Context
from bot.delivery import NotDelivered
from bot.endings import Ending
from bot.engine.steps import AGAIN, Begin, GaveUp, Overtaken, Steps, recall
from bot.errors import BotError, Misconfigured, Rejected
from bot.events import Answer, Conversation, MessageRef, Notice
from bot.progress import Board
from bot.store import conversations, turns
from bot.store.database import Tx
from bot.store.steps import StepRow

LONG = 5_000
"""Characters above which an answer is rendered beside the event loop: up to that, a hostile one takes 0.1 s."""
NOT_FOUND_GRACE = 5.0
"""Seconds after the reply to a submit in which a 404 only means that the API does not yet see its own request."""

log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """The question was deleted or stopped."""


class Superseded(Exception):
    """The question was edited after this submit."""


class _Stale(Exception):
    """The words changed between reading them and sending them."""


class Failed(Exception):
    """There will be no answer. `why` is one sentence for the operator."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.version: int | None = None


class Question(Ending):
    """A question: asked once, answered once, or honestly given up."""

    def __init__(self, ctx: Context, step: Steps, board: Board) -> None:
        super().__init__(ctx, step)
        self.board = board
        self.api = ctx.api_for(self.turn.route)

    async def work(self) -> None:
        """Bring the question to its end."""
        place, reply_to = self.turn.place, self.turn.question
        try:
            if self.turn.root and (self.verdict is None or self.rooted):
                place, reply_to = await self._post_root()
            if self.verdict is not None:
                await self.end(*self.verdict, place, reply_to)
            else:
                await self._answer(place, reply_to)
        except Cancelled:
            await self.finish("cancelled")
        except Failed as failed:
            await self.fail(failed.why, place, reply_to)
        except (NotDelivered, GaveUp) as error:
            await self.undeliverable(error, place, reply_to)
        self.board.end(self.turn)

    async def _answer(self, place: Conversation, reply_to: MessageRef | None) -> None:
        parts = await self._answer_parts(place)
        refs = await self.deliver(None, "answer", parts, place, reply_to)
        if len(refs) < len(parts):
            await self.unsure(place, reply_to)
        else:
            await self.finish("answered")
        self.ctx.metrics.turn_seconds.labels(channel=self.turn.where.channel).observe(self.seconds())

    async def _answer_parts(self, place: Conversation) -> list[Any]:
        """Ask until the answer fits the question's latest words; return its parts, stored as the intent to send."""
        intent = self.step.rows.get("intent")
        if intent is not None and intent.done_at is not None:
            return cast("list[Any]", intent.result)
        submits = self._last_submit()
        while True:
            try:
                answer, version = await self._ask(submits)
                return await self._intent(answer, version, place)
            except Superseded:
                self.ctx.metrics.turns_total.labels(channel=self.turn.where.channel, outcome="superseded").inc()
                submits += 1

    def _last_submit(self) -> int:
        """Return the number of the submit that is under way after a restart: earlier ones were superseded."""
        begun = [name for name, row in self.step.rows.items() if row.begun_at is not None or row.done_at is not None]
        return max((int(name.partition(":")[2]) for name in begun if name.startswith("submit:")), default=0)

    async def _ask(self, number: int) -> tuple[str, int]:
        """Submit and poll once; return the answer and the version of the words that were asked."""
        version: int | None = None
        try:
            submitted = await self._submit(number)
            version = int(submitted["version"])
            state = await self._poll(number, submitted)
            if state["answer"] is None or not str(state["answer"]).strip():
                raise Failed("The API ended the request without an answer.")
        except Failed as failed:
            # The failure of words that nobody asks any more is no failure.
            await self._check_wanted(failed.version if version is None else version)
            raise
        return str(state["answer"]), version

    async def _submit(self, number: int) -> dict[str, Any]:
        words: dict[str, Any] = {}
        unknowns = row.unknowns if (row := self.step.rows.get(f"submit:{number}")) is not None else 0

        def latest(tx: Tx) -> None:
            turn = turns.get(tx, self.turn.id)
            if turn is None or turn.cancelled:
                raise Cancelled
            words["text"], words["version"] = turn.text or "", turn.version

        def begin_with(tx: Tx) -> None:
            latest(tx)
            if number == 0 and unknowns == 0 and not turns.is_next(tx, self.turn):
                raise Overtaken

        async def act(begin: Begin) -> dict[str, Any]:
            while True:
                await self.ctx.db.read(latest)
                asked = dict(words)
                if problem := self._problem(asked["text"]):
                    raise Failed(problem)

                async def before(asked: dict[str, Any] = asked) -> None:
                    await begin()
                    if words["version"] != asked["version"]:  # edited while the gate was shut
                        raise _Stale
                    asked["at"] = self.ctx.clock()

                try:
                    reply = await self.api.submit(
                        self.turn.lane, asked["text"], language=self.turn.language, before=before
                    )
                except _Stale:
                    continue
                self._overhead("submit", self.turn.accepted_at, asked["at"])
                answer = _whole(reply.answer) if reply.state == "completed" else None
                return {
                    "request_id": reply.request_id,
                    "version": asked["version"],
                    "at": asked["at"],
                    "replied_at": self.ctx.clock(),
                    "state": reply.state,
                    "answer": answer,
                }

        async def unknown(row: StepRow) -> Any:
            nonlocal unknowns
            unknowns = row.unknowns
            if row.unknowns > 1:
                raise Failed("Twice nobody could tell whether the API had taken the question.")
            log.warning("submit.unknown")
            self.ctx.metrics.api_retries_total.labels(endpoint="chat_async", reason="unknown").inc()
            return AGAIN

        def remember(tx: Tx, result: Any) -> None:
            turns.submitted(tx, self.turn.id, result["request_id"])

        try:
            result = await self.step(
                f"submit:{number}",
                act,
                until=self.deadline,
                unknown=unknown,
                with_begin=begin_with,
                with_result=remember,
            )
        except (GaveUp, BotError, Failed) as error:
            failed = error if isinstance(error, Failed) else Failed(self._not_submitted(error))
            failed.version = words.get("version")
            raise failed from None
        self.board.submitted(self.turn, max(0.0, self.ctx.clock() - result["at"]))
        return cast("dict[str, Any]", result)

    async def _poll(self, number: int, submitted: dict[str, Any]) -> dict[str, Any]:
        if submitted["state"] in ("completed", "failed"):
            return submitted
        polls = 0

        async def act(_begin: Begin) -> dict[str, Any]:
            nonlocal polls
            while True:
                age = max(0.0, self.ctx.clock() - submitted["at"])
                late = polls == 0 and age > 1.0  # after a restart: ask soon, but not all at once
                await asyncio.sleep(self.ctx.random.random() * 0.3 if late else self.ctx.pace.delay(age))
                polls += 1
                try:
                    status = await self.api.status(submitted["request_id"])
                except Rejected as error:
                    raise Failed(self._api_error(error)) from None
                except Misconfigured as error:
                    if error.status != 404 or self.ctx.clock() - submitted["replied_at"] > NOT_FOUND_GRACE:
                        raise Failed(self._api_error(error)) from None
                    continue
                self.ctx.ailing.pop("api", None)
                if status.state != "working":
                    return {"answer": _whole(status.answer) if status.state == "completed" else None}

        def remember(tx: Tx, _result: Any) -> None:
            turns.polled(tx, self.turn.id, polls)

        self.ctx.pace.in_flight += 1
        try:
            result = await self.step(f"poll:{number}", act, until=self.deadline, with_result=remember)
        except GaveUp:
            raise Failed("The API had no answer in time.") from None
        finally:
            self.ctx.pace.in_flight -= 1
        if polls:
            took = max(0.0, self.ctx.clock() - submitted["at"])
            self.ctx.pace.completed(took)
            self.ctx.metrics.async_completion_seconds.observe(took)
            self.ctx.metrics.polls_per_answer.observe(polls)
        return cast("dict[str, Any]", result)

    async def _intent(self, answer: str, version: int, place: Conversation) -> list[Any]:
        """Render, and store the parts with the promise to send them: from here on edits and deletions come too late."""
        adapter = self.ctx.adapters.get(place.channel)
        if adapter is None:
            raise NotDelivered(f"The channel {place.channel} is turned off.")
        outbound = Answer(text=answer, asker_id=self.turn.asker or "")
        if len(answer) > LONG:
            parts = list(await asyncio.to_thread(adapter.render, outbound))
        else:
            parts = list(adapter.render(outbound))

        async def act(_begin: Begin) -> list[Any]:
            return parts

        def claim(tx: Tx, _result: Any) -> None:
            self._claim(tx, version)

        seen_at = self.ctx.clock()
        await self.step("intent", act, until=self.deadline + 60, with_result=claim)
        self._overhead("intent", seen_at, self.ctx.clock())
        return parts

    def _claim(self, tx: Tx, version: int) -> None:
        if not turns.claim(tx, self.turn.id, version):
            turn = turns.get(tx, self.turn.id)
            raise Cancelled if turn is None or turn.cancelled else Superseded

    async def _check_wanted(self, version: int | None) -> None:
        turn = await recall(self.ctx, lambda tx: turns.get(tx, self.turn.id))
        if turn is None or turn.cancelled:
            raise Cancelled
        if version is not None and turn.version != version:
            raise Superseded

    async def _post_root(self) -> tuple[Conversation, MessageRef]:
        """Post the words of an /ask, which the others have not seen, as the root of the thread it is answered in."""
        turn = self.turn
        if not self.rooted:
            await self._check_wanted(None)
        notice = Notice(text=turn.text or "", kind="question", user_id=turn.asker)
        refs = await self.deliver(notice, "root", None, turn.place, None)
        if not refs:
            raise NotDelivered("The question could not be posted.", gone=True)
        root = refs[0]
        place = replace(turn.place, conversation_id=root.conversation_id, thread_id=root.message_id)
        await self.step.write(
            lambda tx: conversations.alias_thread(
                tx, turn.where, root.conversation_id, root.message_id, self.ctx.clock()
            )
        )
        return place, root

    def _problem(self, text: str) -> str | None:
        """Words may have been edited since they were accepted."""
        limit = self.ctx.config.limits.question_chars
        if not text.strip():
            return "The question was edited until nothing was left."
        return f"The question was edited to more than {limit} characters." if len(text) > limit else None

    def _not_submitted(self, error: GaveUp | BotError) -> str:
        if isinstance(error, GaveUp):
            return f"The API did not take the question in time ({error.last or 'deadline'})."
        return self._api_error(error)

    def _api_error(self, error: BotError) -> str:
        if isinstance(error, Misconfigured):
            self.ctx.ailing["api"] = str(error)
            log.error("api.misconfigured", status=error.status, hint=str(error))
        return str(error)

    def _overhead(self, step: str, since: float, at: float) -> None:
        self.ctx.metrics.turn_overhead_seconds.labels(channel=self.turn.where.channel, step=step).observe(
            max(0.0, at - since)
        )


def _whole(answer: str | None) -> str | None:
    """Replace halves of characters, which JSON can carry and nothing else."""
    return None if answer is None else answer.encode("utf-8", "replace").decode("utf-8")
