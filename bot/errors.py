"""Every error that crosses a boundary, sorted by what to do about it.

    BotError
    ├── Unavailable      the other side did not take it: try again (after `retry_after`)
    │   └── OutcomeUnknown   it may have taken it: look it up, or send once more, and count
    ├── Rejected         it will never take this: do not try again
    └── Misconfigured    a key, a token, a scope or a setting is wrong: call somebody

No error of an SDK or an HTTP library leaves the module that uses it. Messages are one
sentence without secrets and without the text of a question, an answer or a reason.
"""

from __future__ import annotations

LONGEST_WAIT = 900.0
"""Seconds that we wait at most because another side asked for it: then it is tried again, whatever it said."""


class BotError(Exception):
    """Base of all errors of the bot.

    `status` is the HTTP status that said so, None when there was none. `reason` is a short
    bounded word for metrics and logs, such as `rate_limited`, `server_error`, `connection`,
    `timeout`, `redirect`, `garbage`, `not_found`.
    """

    def __init__(self, message: str, *, status: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Unavailable(BotError):
    """The other side certainly did not act; the same call may succeed later.

    `retry_after` is in seconds, at most `LONGEST_WAIT`, None when the other side named no time, or none that is one.
    """

    def __init__(
        self, message: str, *, status: int | None = None, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, reason=reason)
        is_time = retry_after is not None and retry_after == retry_after  # not a NaN
        self.retry_after = min(max(retry_after, 0.0), LONGEST_WAIT) if is_time and retry_after is not None else None


class OutcomeUnknown(Unavailable):
    """The call was cut or timed out after it was written: nobody can tell whether it was carried out."""


def retry_reason(error: Unavailable) -> str:
    """Say in one of the metrics' words why a call is made again.

    >>> retry_reason(OutcomeUnknown("cut", reason="connection")), retry_reason(Unavailable("late", reason="timeout"))
    ('unknown', 'connection')
    """
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    if error.reason == "rate_limited":
        return "rate_limited"
    return "connection" if error.reason in ("connection", "timeout") else "server_error"


class Rejected(BotError):
    """The other side understood and refused; the same call will be refused again.

    `gone` says that the whole conversation is out of reach (blocked, kicked, archived, deleted):
    it rests until somebody writes there again. `form` says that only the form of a message was refused (its blocks,
    its entities): the same words in the plain form may well be taken.
    """

    def __init__(
        self, message: str, *, status: int | None = None, reason: str = "", gone: bool = False, form: bool = False
    ) -> None:
        super().__init__(message, status=status, reason=reason)
        self.gone = gone
        self.form = form


class Misconfigured(BotError):
    """A key, a token, a scope or a setting is wrong; only an operator can mend it."""


class ConfigError(Misconfigured):
    """Settings are wrong or missing. `problems` lists all of them at once: (name, what is expected)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        lines = "; ".join(f"{name}: {expected}" for name, expected in problems)
        super().__init__(f"The settings are not usable: {lines}.")
        self.problems = problems
