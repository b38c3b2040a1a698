"""Faults that tests and demos switch on: the service misbehaves as real ones do.

In the same process: `running.faults.add(Fault("rate_limited", retry_after="2"), endpoint="chat_async", times=1)`.
Over HTTP from this machine: the header `X-Assistant-Fault: rate_limited; retry_after=2` on a request, or
`POST /control/faults` with the same words as JSON.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "rate_limited",  # 429
    "status",  # any status
    "delay",  # works, but later
    "drop_before",  # the connection is cut before the work
    "drop_after",  # the work is done, then the connection is cut
    "garbage",  # 200 and a body that is not JSON
    "failed",  # the request ends as failed
    "empty",  # the request completes with an empty answer
]
KINDS: tuple[str, ...] = get_args(Kind)
_OUTCOMES = ("failed", "empty")
_CHATS = ("chat", "chat_async")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave.

    `retry_after` goes into the header as it is: seconds ("2") or an HTTP date. `after` does the work first, then
    answers with the status (a 504 of a proxy). `seconds` is the length of a delay; with another kind it comes first.
    """

    kind: Kind
    status: int = 503
    retry_after: str | None = None
    after: bool = False
    seconds: float = 0.0
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class FaultRule:
    """When a fault happens; `hits` counts how often it did."""

    fault: Fault
    endpoint: str | None = None
    contains: str = ""
    times: int | None = None
    skip: int = 0
    per_minute: int | None = None
    share: float = 1.0
    every: int = 1
    hits: int = 0
    seen: int = 0
    recent: deque[float] = field(default_factory=deque)

    def matches(self, endpoint: str, text: str) -> bool:
        """Whether it is about this request."""
        if self.endpoint not in (None, endpoint) or self.contains.lower() not in text.lower():
            return False
        return self.fault.kind not in _OUTCOMES or endpoint in _CHATS

    def applies(self, endpoint: str, text: str, chance: float) -> bool:
        """Whether it happens to this request; counts it if so."""
        if not self.matches(endpoint, text) or self.seen % self.every:
            return False
        if (self.times is not None and self.hits >= self.times) or chance >= self.share:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 60:
            self.recent.popleft()
        if self.per_minute is not None and len(self.recent) >= self.per_minute:
            return False
        if self.per_minute is not None:
            self.recent.append(now)
        self.hits += 1
        return True


class Faults:
    """The switchboard. Of several rules that match, the first one added happens."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[FaultRule] = []
        # Chance decides about demos' accidents, not about secrets.
        self._random = random.Random(seed)  # noqa: S311

    def add(
        self,
        fault: Fault,
        *,
        endpoint: str | None = None,
        contains: str = "",
        times: int | None = None,
        skip: int = 0,
        per_minute: int | None = None,
        share: float = 1.0,
        every: int = 1,
    ) -> FaultRule:
        """Switch a fault on.

        `endpoint` is an operation's name, None for all. `contains` must occur in the request's body. It happens
        `times` times (None: until removed), not to the first `skip` matching requests, at most `per_minute` times in
        any minute, to a `share` of 0 to 1 of what matches, and only to each `every`-th request that matches, those
        counted to which another fault happens.
        """
        rule = FaultRule(fault, endpoint, contains, times, skip, per_minute, share, max(1, int(every)))
        self.rules.append(rule)
        return rule

    def remove(self, rule: FaultRule) -> None:
        """Switch one off."""
        if rule in self.rules:
            self.rules.remove(rule)

    def clear(self) -> None:
        """Switch all off."""
        self.rules.clear()

    def take(self, endpoint: str, text: str) -> Fault | None:
        """The fault that happens to this request, if any."""
        for rule in self.rules:
            rule.seen += rule.matches(endpoint, text)
        for rule in self.rules:
            if rule.applies(endpoint, text, self._random.random()):
                return rule.fault
        return None

    def rough(self) -> None:
        """A mild mix of everything, so that people can watch a bot cope; nothing of it happens to documents."""
        for endpoint, share in (("chat_async", 1.0), ("chat_status", 0.5), ("feedback", 0.5), ("chat", 0.5)):
            self.add(Fault("rate_limited", retry_after="1"), endpoint=endpoint, share=0.08 * share)
            self.add(Fault("status", status=503), endpoint=endpoint, share=0.08 * share)
            self.add(Fault("drop_before"), endpoint=endpoint, share=0.05 * share)
            self.add(Fault("delay", seconds=0.8), endpoint=endpoint, share=0.15 * share)
        self.add(Fault("drop_after"), endpoint="chat_async", share=0.03)
        self.add(Fault("garbage"), endpoint="chat_status", share=0.04)
        self.add(Fault("failed"), endpoint="chat_async", share=0.03)


def fault_from(values: Mapping[str, Any]) -> Fault:
    """Read a fault from JSON.

    Raises:
        ValueError: with a sentence that says what is wrong.
    """
    unknown = set(values) - {"kind", "status", "retry_after", "after", "seconds", "body", "headers"}
    if unknown:
        raise ValueError(f"A fault has no {', '.join(sorted(unknown))}.")
    if values.get("kind") not in KINDS:
        raise ValueError(f"A fault's kind is one of {', '.join(KINDS)}.")
    headers = values.get("headers") or {}
    if not isinstance(headers, dict):
        raise ValueError("A fault's headers are an object of strings.")  # noqa: TRY004 - one error for the caller
    try:
        status, seconds = int(values.get("status", 503)), float(values.get("seconds", 0))
    except (TypeError, ValueError):
        raise ValueError("A fault's status is a whole number and its seconds a number.") from None
    if not 200 <= status <= 599 or not 0 <= seconds <= 600:
        raise ValueError("A fault's status is 200 to 599 and its seconds 0 to 600.")
    retry, body = values.get("retry_after"), values.get("body")
    return Fault(
        kind=values["kind"],
        status=status,
        retry_after=None if retry is None else str(retry),
        after=str(values.get("after", False)).lower() in ("true", "1", "yes"),
        seconds=seconds,
        body=None if body is None else str(body),
        headers={str(name): str(value) for name, value in headers.items()},
    )


def fault_from_header(text: str) -> Fault:
    """Read `kind; name=value; …`.

    Raises:
        ValueError: with a sentence that says what is wrong.
    """
    kind, *rest = (part.strip() for part in text.split(";"))
    values: dict[str, Any] = {"kind": kind}
    for part in filter(None, rest):
        name, _, value = part.partition("=")
        values[name.strip()] = value.strip()
    return fault_from(values)
