"""Sorts everything that can go wrong with one HTTP attempt into the errors of `bot.errors`.

    kind      not taken for certain         nobody knows                refused
    read      429, 5xx, cut, time-out,      (a read can be repeated:    other 4xx, redirect
              unreadable                    always the first column)
    write     429, 5xx but 504,             504, cut or timed out       other 4xx, redirect
              no connection                 after writing, unreadable
    submit    as write                      504, cut or timed out       other 4xx, redirect, and a whole
                                            after writing               reply without a request id

The messages name the endpoint and the status, never what was asked, answered or said by the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

import aiohttp
import httpx

from bot.api.assumptions import KNOWN_ERRORS
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.shared import not_connected, seconds_asked

Kind: TypeAlias = Literal["read", "write", "submit"]

# Raised before a byte of the request was written: name resolution, connection, TLS, and their time-outs.
_BEFORE_WRITING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ServerFingerprintMismatch)

_REASONS = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
_TENANT = frozenset({"tenant", "limits", "usage", "usage_history", "tenant_statistics"})
"""Endpoints whose address holds the tenant's id; all others hold the site's."""
WORDS: Mapping[str, str] = {
    "chat": "a question",
    "chat_async": "a question",
    "chat_status": "the state of a question",
    "session_close": "the end of a session",
    "feedback": "a rating",
    "sessions": "the list of sessions",
    "tenant": "the tenant",
    "limits": "the tenant's limits",
    "usage": "the tenant's usage",
    "usage_history": "the tenant's usage so far",
    "tenant_statistics": "the tenant's statistics",
    "site": "the site",
    "site_statistics": "the site's statistics",
    "user_statistics": "a person's statistics",
    "widget_config": "the site's suggested questions",
    "documents": "the documents",
    "documents_text": "a text document",
    "documents_qa": "a question with its answer",
    "documents_patch": "a change of a document",
    "documents_bulk_status": "the status of documents",
    "documents_bulk_delete": "the deletion of documents",
}
"""What a call is about, as people read it; by the metrics' label."""


def words_of(endpoint: str) -> str:
    """Name an endpoint to people."""
    return WORDS.get(endpoint, endpoint)


def fix_of(endpoint: str, status: int) -> str:
    """Say which setting a 401, 403 or 404 blames, as the end of a sentence."""
    name = "UPPZY_TENANT_ID" if endpoint in _TENANT else "UPPZY_SITE_ID"
    if status == 401:
        return "check UPPZY_API_KEY"
    if status == 403:
        return f"check that UPPZY_API_KEY is a key of {name}, and that the plan includes API access"
    return f"check {name}, and UPPZY_BASE_URL"


def from_exception(exc: BaseException, endpoint: str, kind: Kind) -> tuple[BotError, Literal["timeout", "connection"]]:
    """Sort what the HTTP library raised; the second value is the metric's status label.

    httpx-aiohttp names a connection that was cut after writing `httpx.ConnectTimeout`, so only aiohttp's own
    error, the cause, can tell whether the request was written.
    """
    cause = exc.__cause__ if isinstance(exc, httpx.HTTPError) and exc.__cause__ is not None else exc
    timed_out = isinstance(cause, TimeoutError | httpx.TimeoutException)
    label: Literal["timeout", "connection"] = "timeout" if timed_out else "connection"
    if isinstance(cause, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError | httpx.InvalidURL):
        return Misconfigured("The address of the API cannot be used; check UPPZY_BASE_URL."), label
    if isinstance(cause, _BEFORE_WRITING):
        what = f"{words_of(endpoint)} ({not_connected(cause)})"
        message = f"The API could not be reached for {what}; check the network and UPPZY_BASE_URL."
        return Unavailable(message, reason="connection"), label
    happened = "did not answer in time" if timed_out else "cut the connection"
    return _unfinished(f"The API {happened} on {words_of(endpoint)}", kind, label), label


def from_status(
    status: int, headers: Mapping[str, str], error: str, endpoint: str, kind: Kind, now: Callable[[], datetime]
) -> BotError | None:
    """Sort a status; None for any 2xx. `error` is the reply's `error` text, repeated only if it is a known one."""
    if 200 <= status < 300:
        return None
    if status == 429:
        wait = retry_after(headers, now)
        message = f"The API takes no more requests for now (429 on {words_of(endpoint)})."
        return Unavailable(message, status=status, reason="rate_limited", retry_after=wait)
    if status == 504 and kind != "read":
        message = f"The API timed out upstream (504 on {words_of(endpoint)})."
        return OutcomeUnknown(message, status=status, reason="timeout")
    if status >= 500:
        message = f"The API failed ({status} on {words_of(endpoint)})."
        return Unavailable(message, status=status, reason="server_error", retry_after=retry_after(headers, now))
    if 300 <= status < 400:
        message = f"The API redirects {words_of(endpoint)} ({status}), which is never followed; check UPPZY_BASE_URL."
        return Misconfigured(message, status=status, reason="redirect")
    known = KNOWN_ERRORS.get(error.strip().lower())
    said = f": {known}" if known else ""
    if status in _REASONS:
        message = f"The API refused {words_of(endpoint)} ({status}{said}); {fix_of(endpoint, status)}."
        return Misconfigured(message, status=status, reason=_REASONS[status])
    message = f"The API refused {words_of(endpoint)} ({status}{said}); the same request will be refused again."
    return Rejected(message, status=status, reason="rejected")


def unreadable(endpoint: str, kind: Kind, status: int, *, too_large: bool = False) -> BotError:
    """Sort a 2xx whose body is no use: not JSON, not an object, too large, or without what it must have."""
    what = "a reply that is too large" if too_large else "a reply that cannot be read"
    message = f"The API sent {what} on {words_of(endpoint)}"
    if kind == "submit":
        return Rejected(f"{message}, without a request id.", status=status, reason="garbage")
    if kind == "write":
        return OutcomeUnknown(f"{message}; look up what became of it.", status=status, reason="garbage")
    return Unavailable(f"{message}.", status=status, reason="garbage")


def retry_after(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Read Retry-After in both of its forms, in seconds from now; None if unusable. `Unavailable` has its bound.

    A date is compared with the reply's own Date, so that a clock that is wrong, here or there, does no harm.
    """
    value = headers.get("retry-after", "")
    seconds = seconds_asked(value)
    if seconds is not None:
        return seconds
    until, sent = _date(value), _date(headers.get("date", ""))
    return None if until is None else max(0.0, (until - (sent or now())).total_seconds())


def _unfinished(happened: str, kind: Kind, reason: str) -> BotError:
    if kind == "read":
        return Unavailable(f"{happened}.", reason=reason)
    return OutcomeUnknown(f"{happened}; whether the API acted is not known.", reason=reason)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
