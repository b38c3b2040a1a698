"""The metrics, under the names dashboards and alerts rely on. One `Metrics` per process, with a registry of its own.

Labels are bounded words, never an id: an id as a label would make one time series per person.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

import bot

PREFIX = "uppzy_bot_"

# One more series per counter and histogram, of a time nobody looks at; in the text format a gauge of its own.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own annotation is missing

API_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""An API call: milliseconds on a loopback, up to the total time-out of a call."""

ANSWER_SECONDS = (0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900)
"""What a person waits for: 5 to 60 s are documented, `BOT_POLL_BUDGET` is 90, `BOT_GIVE_UP` 900."""

OVERHEAD_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""What the bot itself adds to a turn, step by step."""

CHARACTERS = (100, 250, 500, 1000, 2000, 3000, 5000, 10000)
"""What goes along with a question: `[context] chars` is 3,000."""

POLLS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)


WATCHED_ENDPOINTS = ("chat_async", "chat_status", "feedback", "limits")
WATCHED_STATUSES = ("200", "401", "403", "429", "500", "502", "503", "504", "timeout", "connection")


class Metrics:
    """Every metric of the design as an attribute, its name without `uppzy_bot_`.

    Always use keyword labels: `metrics.api_requests_total.labels(endpoint="chat", status="200").inc()`.
    Two instances share nothing, so a test or a second bot in the process counts for itself.
    `process` adds what the client library knows of the process (memory, CPU, open files, garbage collection).
    """

    def __init__(self, *, process: bool = False) -> None:
        self.registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)

        self.api_requests_total = self._counter(
            "api_requests_total",
            "Calls to the M2M API; status is the HTTP code, timeout or connection.",
            "endpoint",
            "status",
        )
        self.api_request_seconds = self._histogram(
            "api_request_seconds", "Time a call to the M2M API took.", API_SECONDS, "endpoint"
        )
        self.api_retries_total = self._counter(
            "api_retries_total",
            "Calls made again; reason unknown is a submit sent once more because nobody knew what became of it.",
            "endpoint",
            "reason",
        )
        self.api_limit_used_ratio = self._gauge(
            "api_limit_used_ratio", "Used part of a limit of the tenant, 1 is all of it.", "limit"
        )
        self.turns_total = self._counter("turns_total", "Turns that ended, by how.", "channel", "outcome")
        self.turn_seconds = self._histogram(
            "turn_seconds",
            "From the acceptance of a question to the last part of its answer.",
            ANSWER_SECONDS,
            "channel",
        )
        self.turn_overhead_seconds = self._histogram(
            "turn_overhead_seconds",
            "What the bot adds to a turn, without the API's own time.",
            OVERHEAD_SECONDS,
            "channel",
            "step",
        )
        self.async_completion_seconds = self._histogram(
            "async_completion_seconds", "From a submit to the poll that saw its end.", ANSWER_SECONDS
        )
        self.polls_per_answer = self._histogram("polls_per_answer", "Polls until an answer was seen.", POLLS)
        self.ready_to_posted_seconds = self._histogram(
            "ready_to_posted_seconds",
            "From the poll that saw an answer to its last part at the channel.",
            OVERHEAD_SECONDS,
            "channel",
        )
        self.turns_in_flight = self._gauge("turns_in_flight", "Turns accepted and not ended.")
        self.oldest_open_turn_seconds = self._gauge(
            "oldest_open_turn_seconds", "How long ago the oldest question was accepted that has not ended, 0 for none."
        )
        self.lanes_waiting = self._gauge(
            "lanes_waiting",
            "Lanes that wait: for the database (admission), for a shut key (gate), for the API's answer (answer).",
            "reason",
        )
        self.check_ok = self._gauge(
            "check_ok", "What /readyz says of a part: 1 ok, 0 degraded or unavailable.", "check"
        )
        self.events_total = self._counter(
            "events_total", "Events that came in, by what was done with them.", "channel", "kind", "outcome"
        )
        self.notices_left_out_total = self._counter(
            "notices_left_out_total", "Notices that were not made, for too many waited to be sent.", "channel"
        )
        self.joined_total = self._counter(
            "joined_total", "Messages that became a part of a question begun before, by why.", "channel", "kind"
        )
        self.deliveries_total = self._counter(
            "deliveries_total", "Parts of answers, each counted once, by how it ended.", "channel", "outcome"
        )
        self.deliveries_plain_total = self._counter(
            "deliveries_plain_total",
            "Messages whose usual form the channel refused, and that went out as text alone.",
            "channel",
            "reason",
        )
        self.refused_deliveries_total = self._counter(
            "refused_deliveries_total",
            "Deliveries of a platform refused before any work, for a missing or wrong signature or secret.",
            "channel",
            "reason",
        )
        self.context_total = self._counter(
            "context_total", "What went along with questions, by what became of it.", "channel", "kind", "outcome"
        )
        self.context_chars = self._histogram(
            "context_chars", "Characters that went along with a question that had context.", CHARACTERS
        )
        self.feedback_total = self._counter(
            "feedback_total", "Ratings of answers, by what became of them.", "channel", "rating", "outcome"
        )
        self.route_turns_total = self._counter(
            "route_turns_total", "Questions that were taken and ended, by the name of their route.", "route", "outcome"
        )
        self.route_turn_seconds = self._histogram(
            "route_turn_seconds", "As turn_seconds, by the name of the route.", ANSWER_SECONDS, "route"
        )
        self.route_api_requests_total = self._counter(
            "route_api_requests_total", "Calls to the M2M API, by the name of the route.", "route", "status"
        )
        self.route_gate_shut = self._gauge(
            "route_gate_shut", "1 while calls with the route's API key have to wait.", "route"
        )
        self.route_limit_used_ratio = self._gauge(
            "route_limit_used_ratio", "Used part of a limit of the route's tenant, 1 is all of it.", "route", "limit"
        )
        self.route_feedback_total = self._counter(
            "route_feedback_total", "Ratings of answers, by the name of the route.", "route", "rating", "outcome"
        )
        self.http_requests_total = self._counter(
            "http_requests_total",
            "Requests to the bot's own server, refused ones too; path is one that is served, or other.",
            "path",
            "status",
        )
        self.late_acts_total = self._counter(
            "late_acts_total",
            "Calls outside that ended after another process may have taken the turn over, by the step.",
            "step",
        )
        self.dead_letters = self._gauge("dead_letters", "Dead letters that wait for an operator.")
        self._gauge("build_info", "Always 1; the version that runs.", "version", "python").labels(
            version=bot.__version__, python=platform.python_version()
        ).set(1)

    def prepare(self, channels: Iterable[str]) -> None:
        """Begin the series that alerts watch at 0: of one that begins at its first event, Prometheus sees no increase.

        `channels` are those that are turned on.
        """
        for endpoint in WATCHED_ENDPOINTS:
            for status in WATCHED_STATUSES:
                self.api_requests_total.labels(endpoint=endpoint, status=status)
        for reason in ("admission", "gate", "answer"):
            self.lanes_waiting.labels(reason=reason)
        for channel in channels:
            for outcome in ("answered", "failed"):
                self.turns_total.labels(channel=channel, outcome=outcome)
            for outcome in ("sent", "failed"):
                self.deliveries_total.labels(channel=channel, outcome=outcome)
            for rating in ("good", "bad"):
                self.feedback_total.labels(channel=channel, rating=rating, outcome="submitted")
            for reason in ("signature", "stale", "unsigned", "secret"):
                self.refused_deliveries_total.labels(channel=channel, reason=reason)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(PREFIX + name, text, labels, registry=self.registry, buckets=buckets)
