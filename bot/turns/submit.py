"""The step that asks: one request at the API for the latest words of a question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bot.api.models import asks_rating, is_low
from bot.context import Api
from bot.engine import NotNext
from bot.errors import BotError, Misconfigured, Rejected
from bot.render import is_blank
from bot.store import turns
from bot.store.codec import as_json
from bot.store.contexts import NOTHING, QuestionContext
from bot.store.database import Tx
from bot.store.steps import StepName, StepRow
from bot.store.turns import Turn
from bot.turns.attempt import TurnAttempt
from bot.turns.compose import Composed, Gathered, Room, WentAlong, bare, compose
from bot.turns.gather import Gatherer
from bot.turns.steps import AGAIN, Again, Begin, Effect, GaveUp

TOO_MUCH: Final = (400, 413)
"""How the API refuses a message for its size, or for what is in it."""
LOOK_SECONDS: Final = 0.2
"""How often is looked whether what is waited for has come."""

log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """The question was deleted or stopped."""


class NoAnswer(Exception):
    """There will be no answer to these words. `why` is one sentence for the operator."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Refused(Exception):
    """These words cannot be asked. `text` is what the asker is told."""

    def __init__(self, text: str) -> None:
        super().__init__("The question cannot be asked as it is.")
        self.text = text


@dataclass(frozen=True, slots=True)
class Words:
    """What is asked: the text of a question as it is now, and what goes along with it; `version` counts its edits.
    `refusal` and `ready_at`: see `Turn`."""

    text: str
    version: int
    refusal: str | None = None
    context: QuestionContext = NOTHING
    ready_at: float | None = None

    def are(self, others: Words) -> bool:
        """Whether the same would be asked."""
        return (self.version, self.context) == (others.version, others.context)


@dataclass(frozen=True, slots=True)
class Submission:
    """The request that a question became. `version`: of the words that were asked. Times in seconds since the epoch:
    `at` right before the call, `replied_at` after it. `answer`, `low` and `asks_rating` are set where the API had it at
    once, as in `Polled`. `along`: what went along, and what did not."""

    request_id: str
    version: int
    at: float
    replied_at: float
    state: str
    answer: str | None
    along: tuple[WentAlong, ...] = ()
    low: bool = False
    asks_rating: bool = True

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to poll for."""
        return self.state in ("completed", "failed")


class _WordsChanged(Exception):
    """An edit came between reading the words and sending them; nothing was sent."""


class Submit(Effect[Submission]):
    """Submit the words of a question; `number` counts the submits that edits made necessary.

    `asked` are the words of the last try, None before one.
    """

    def __init__(self, attempt: TurnAttempt, api: Api, gatherer: Gatherer, number: int) -> None:
        self.name = StepName("submit", number)
        self.until = attempt.deadline
        self.asked: Words | None = None
        self._attempt = attempt
        self._turn = attempt.turn
        self._ctx = attempt.ctx
        self._api = api
        self._gatherer = gatherer
        self._refused = False
        self._latest = _words_of(attempt.turn)
        self._just_read = number == 0 and not attempt.turn.cancelled
        row = attempt.rows.get(self.name)
        self._unknowns = 0 if row is None else row.unknowns

    async def act(self, begin: Begin) -> Submission:
        """Submit the words as they are when the gate lets the call through."""
        while True:
            self.asked = await self._words()
            if self.asked.refusal is not None:
                raise Refused(self.asked.refusal)
            if problem := self._problem(self.asked.text):
                raise NoAnswer(problem)
            context = self.asked.context
            gathered = Gathered() if context == NOTHING else await self._gatherer.gather(context)
            try:
                return await self._submit(self.asked, gathered, begin)
            except _WordsChanged:
                continue
            except Rejected as error:
                if error.status not in TOO_MUCH or self._refused or context == NOTHING:
                    raise
                # Refused for certain, so asking without what goes along is no second asking.
                self._refused = True
                log.warning("submit.without_context", status=error.status)
                self._ctx.metrics.api_retries_total.labels(endpoint="chat_async", reason="context").inc()

    async def _words(self) -> Words:
        """Read what is to be asked; what the channel may yet add to it is waited for."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._ctx.config.input.join_seconds  # whatever the clock says
        while True:
            if not self._just_read:
                await self._ctx.db.read(self._read_words)
            self._just_read = False
            left = min((self._latest.ready_at or 0.0) - self._ctx.clock(), until - loop.time())
            if left <= 0:
                return self._latest
            await asyncio.sleep(min(left, LOOK_SECONDS))

    def _compose(self, words: Words, gathered: Gathered) -> Composed:
        room = Room(self._ctx.config.context.chars, self._ctx.config.limits.message_chars)
        if self._refused:
            return bare(words.text, words.context, gathered, room)
        return compose(words.text, words.context, gathered, room)

    async def _submit(self, words: Words, gathered: Gathered, begin: Begin) -> Submission:
        sent_at = 0.0
        composed = self._compose(words, gathered)

        async def before() -> None:
            nonlocal sent_at
            await begin()
            if not self._latest.are(words):  # edited while the gate was shut
                raise _WordsChanged
            sent_at = self._ctx.clock()

        reply = await self._api.submit(
            self._turn.lane,
            composed.message,
            language=await self._ctx.answer_language_of(self._turn),
            email=None if self._refused else gathered.email,
            before=before,
        )
        self._count(composed)
        waited = max(0.0, sent_at - self._turn.accepted_at)
        channel = self._turn.address.channel
        self._ctx.metrics.turn_overhead_seconds.labels(channel=channel, step="submit").observe(waited)
        return Submission(
            request_id=reply.request_id,
            version=words.version,
            at=sent_at,
            replied_at=self._ctx.clock(),
            state=reply.state,
            answer=whole(reply.answer) if reply.state == "completed" else None,
            along=composed.along,
            low=is_low(reply),
            asks_rating=asks_rating(reply),
        )

    def _count(self, composed: Composed) -> None:
        channel, metrics = self._turn.address.channel, self._ctx.metrics
        for one in composed.along:
            metrics.context_total.labels(channel=channel, kind=one.kind, outcome=one.outcome).inc()
        if chars := sum(one.chars for one in composed.along):
            metrics.context_chars.observe(chars)

    async def unknown(self, row: StepRow) -> Submission | Again:
        """Send it once more, and count it; a second unknown ends the turn."""
        self._unknowns = row.unknowns
        if row.unknowns > 1:
            raise NoAnswer("Twice nobody could tell whether the API had taken the question.")
        log.warning("submit.unknown")
        self._ctx.metrics.api_retries_total.labels(endpoint="chat_async", reason="unknown").inc()
        return AGAIN

    def begun(self, tx: Tx) -> None:
        """Read the words again, and make sure that it is this question's turn."""
        self._read_words(tx)
        if self._latest.ready_at is not None:
            turns.make_ready(tx, self._turn.id)
        if self.name.number == 0 and self._unknowns == 0 and not turns.is_next(tx, self._turn):
            raise NotNext

    def done(self, tx: Tx, result: Submission) -> None:
        """Store which request the question became."""
        turns.set_request_id(tx, self._turn.id, result.request_id)

    def to_json(self, result: Submission) -> Any:
        """Make a JSON value of the submission."""
        return as_json(result)

    def from_json(self, stored: Any) -> Submission:
        """Make the submission of the JSON value."""
        return Submission(**{**stored, "along": tuple(WentAlong(*one.values()) for one in stored.get("along", ()))})

    def _read_words(self, tx: Tx) -> None:
        turn = turns.get(tx, self._turn.id)
        if turn is None or turn.cancelled:
            raise Cancelled
        self._latest = _words_of(turn)

    def _problem(self, text: str) -> str | None:
        """Words may have been edited since they were accepted."""
        limit = self._ctx.config.limits.question_chars
        if is_blank(text):
            return "The question was edited until nothing was left."
        return f"The question was edited to more than {limit} characters." if len(text) > limit else None


def _words_of(turn: Turn) -> Words:
    return Words(turn.text or "", turn.version, turn.refusal, turn.context, turn.ready_at)


def why_not_submitted(error: GaveUp | BotError, trouble: str) -> str:
    """Say in one sentence why a question could not be asked. `trouble`: why all calls have to wait, "" for nothing."""
    if not isinstance(error, GaveUp):
        return str(error)
    why = str(error.last or trouble or "It had to wait for others until its deadline.")
    return f"{why.removesuffix('.')}: the API did not take the question in time."


def report_api_error(attempt: TurnAttempt, error: BotError) -> None:
    """Let /readyz and the log know of an error at the API that only an operator can mend."""
    if isinstance(error, Misconfigured):
        attempt.ctx.problems.report("api", str(error))
        log.error("api.misconfigured", status=error.status, hint=str(error))


def whole(answer: str | None) -> str | None:
    """Replace halves of characters, which JSON can carry and nothing else."""
    return None if answer is None else answer.encode("utf-8", "replace").decode("utf-8")
