"""Questions as OpenTelemetry traces: what is told of each, in plain values, and who tells it.

`bot.telemetry.otel` sends them. It is imported only where a collector is named, so that nobody else pays for it.
"""

from __future__ import annotations

import hashlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Piece = Literal["question", "event", "submit", "poll", "send", "feedback"]
"""What a span is: the whole question, or a piece of the way to its answer."""
PIECES: Final[Mapping[str, Piece]] = {
    "submit": "submit",
    "poll": "poll",
    "root": "send",
    "send": "send",
    "failure": "send",
    "refusal": "send",
}
"""Kind of a step → the piece that it is of a trace; what only our own database takes part in is none."""


@dataclass(frozen=True, slots=True)
class TraceIds:
    """The ids of a question's trace and of its root span."""

    trace: int
    root: int

    @classmethod
    def of(cls, reference: str, generation: int) -> TraceIds:
        """Derive them from what is stored of the question, so that whoever works on it adds to the same trace: another
        process, or the next one after a crash. What `dead retry` opens again is a trace of its own."""
        digest = hashlib.sha256(f"trace:{reference}:{generation}".encode()).digest()
        return cls(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What is told of a question. Ids alone, none of them a person's; `accepted_at` in seconds since the epoch."""

    reference: str
    generation: int
    channel: str
    session_id: str
    accepted_at: float


class HttpAttempt(NamedTuple):
    """One HTTP attempt. `status`: the code, `timeout` or `connection`; `at`: when it ended, since the epoch."""

    at: float
    method: str
    url: str
    status: str


@dataclass(slots=True, kw_only=True)
class TraceSpan:
    """A piece of a trace. Times in seconds since the epoch; `began` is None as long as nothing was done outside.

    `error`: why it failed, in a word. `attributes`: what else is told of it.
    """

    trace: Trace
    piece: Piece
    id: int
    began: float | None = None
    ended: float = 0.0
    calls: list[HttpAttempt] = field(default_factory=list)
    error: str | None = None
    attributes: dict[str, str | int] = field(default_factory=dict)

    def begin(self) -> None:
        """Note that it begins, unless it has."""
        if self.began is None:
            self.began = self.trace.clock()

    def called(self, method: str, url: str, status: str) -> None:
        """Note an HTTP attempt that was made for it."""
        self.calls.append(HttpAttempt(self.trace.clock(), method, url, status))

    @property
    def traceparent(self) -> str:
        """The header that hands the trace on to whom is called, as W3C Trace Context has it."""
        return f"00-{self.trace.ids.trace:032x}-{self.id:016x}-0{int(self.trace.sampled)}"


CURRENT: ContextVar[TraceSpan | None] = ContextVar("span", default=None)
"""The span that calls of the API belong to, None for none."""


class Trace:
    """The trace of one question."""

    def __init__(self, traces: Traces, question: Traced, ids: TraceIds, *, sampled: bool) -> None:
        self.question = question
        self.ids = ids
        self.sampled = sampled
        self.clock = traces.clock
        self._traces = traces

    @contextmanager
    def step(self, piece: Piece, *, left: tuple[type[BaseException], ...] = ()) -> Iterator[TraceSpan]:
        """Trace what is done inside, from the moment it begins. `left`: what says that it goes on later or elsewhere,
        which is no failure."""
        span = TraceSpan(trace=self, piece=piece, id=random.getrandbits(64) or 1)  # no secret
        before = CURRENT.set(span)
        try:
            yield span
        except BaseException as error:
            span.error = None if isinstance(error, left) else type(error).__name__
            raise
        finally:
            CURRENT.reset(before)
            if span.began is not None:
                self._export(span)

    def event(self, began: float) -> None:
        """Tell that the event that asked was taken in, from `began` until now."""
        self._export(TraceSpan(trace=self, piece="event", id=random.getrandbits(64) or 1, began=began))

    def end(self, outcome: str, polls: int, attempts: int) -> None:
        """Tell how the question ended; this is the root that all other spans hang on."""
        span = TraceSpan(trace=self, piece="question", id=self.ids.root, began=self.question.accepted_at)
        span.error = "failed" if outcome == "failed" else None
        span.attributes = {
            "uppzy_bot.outcome": outcome, "uppzy_bot.polls": polls, "uppzy_bot.attempts": attempts,
        }  # fmt: skip
        self._export(span)

    def _export(self, span: TraceSpan) -> None:
        if self.sampled:
            span.ended = self.clock()
            self._traces.export(span)


class Traces(ABC):
    """Where traces go. `clock`: wall time in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock

    def of(self, question: Traced) -> Trace:
        """Return the trace of a question, to be added to."""
        ids = TraceIds.of(question.reference, question.generation)
        return Trace(self, question, ids, sampled=self.is_sampled(ids))

    @abstractmethod
    def is_sampled(self, ids: TraceIds) -> bool:
        """Whether a trace is kept; the same in every process."""

    @abstractmethod
    def export(self, span: TraceSpan) -> None:
        """Send a span some time soon. Never waits, never raises."""

    @abstractmethod
    async def close(self) -> None:
        """Send what is left, as far as that takes no time."""
