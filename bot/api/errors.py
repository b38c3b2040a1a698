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
from bot.shared import seconds_asked

Kind: TypeAlias = Literal["read", "write", "submit"]

# Raised before a byte of the request was written: name resolution, connection, TLS, and their time-outs.
_BEFORE_WRITING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ServerFingerprintMismatch)

_FIXES = {
    401: "check UPPZY_API_KEY",
    403: "check that the key may use this site and that the plan includes API access",
    404: "check UPPZY_BASE_URL, UPPZY_TENANT_ID and UPPZY_SITE_ID",
}


def from_exception(exc: BaseException, endpoint: str, kind: Kind) -> tuple[BotError, Literal["timeout", "connection"]]:
    """Sort what the HTTP library raised; the second value is the metric's status label.

    httpx-aiohttp names a connection that was cut after writing `httpx.ConnectTimeout`, so only aiohttp's own
    error, the cause, can tell whether the request was written.
    """
    cause = exc.__cause__ if isinstance(exc, httpx.HTTPError) and exc.__cause__ is not None else exc
    timed_out = isinstance(cause, TimeoutError | httpx.TimeoutException)
    label: Literal["timeout", "connection"] = "timeout" if timed_out else "connection"
    if isinstance(cause, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError | httpx.InvalidURL):
        return Misconfigured(f"The address of the API cannot be used for {endpoint}; check UPPZY_BASE_URL."), label
    if isinstance(cause, _BEFORE_WRITING):
        why = f" ({cause.os_error})" if isinstance(cause, aiohttp.ClientProxyConnectionError) else ""
        message = f"The API could not be reached for {endpoint}{why}; check the network and UPPZY_BASE_URL."
        return Unavailable(message, reason="connection"), label
    happened = "did not answer in time" if timed_out else "cut the connection"
    return _unfinished(f"The API {happened} on {endpoint}", kind, label), label


def from_status(
    status: int, headers: Mapping[str, str], error: str, endpoint: str, kind: Kind, now: Callable[[], datetime]
) -> BotError | None:
    """Sort a status; None for any 2xx. `error` is the reply's `error` text, repeated only if it is a known one."""
    if 200 <= status < 300:
        return None
    if status == 429:
        wait = retry_after(headers, now)
        message = f"The API takes no more requests for now (429 on {endpoint}); it will be asked again."
        return Unavailable(message, status=status, reason="rate_limited", retry_after=wait)
    if status == 504 and kind != "read":
        return OutcomeUnknown(f"The API timed out upstream (504 on {endpoint}).", status=status, reason="timeout")
    if status >= 500:
        message = f"The API failed ({status} on {endpoint}); it will be asked again."
        return Unavailable(message, status=status, reason="server_error", retry_after=retry_after(headers, now))
    if 300 <= status < 400:
        message = f"The API redirects {endpoint} ({status}), which is never followed; check UPPZY_BASE_URL."
        return Misconfigured(message, status=status, reason="redirect")
    known = KNOWN_ERRORS.get(error.strip().lower())
    said = f": {known}" if known else ""
    if status in _FIXES:
        reason = {401: "unauthorized", 403: "forbidden", 404: "not_found"}[status]
        message = f"The API refused {endpoint} ({status}{said}); {_FIXES[status]}."
        return Misconfigured(message, status=status, reason=reason)
    message = f"The API refused {endpoint} ({status}{said}); the same request will be refused again."
    return Rejected(message, status=status, reason="rejected")


def unreadable(endpoint: str, kind: Kind, status: int, *, too_large: bool = False) -> BotError:
    """Sort a 2xx whose body is no use: not JSON, not an object, too large, or without what it must have."""
    what = "a reply that is too large" if too_large else "a reply that cannot be read"
    message = f"The API sent {what} on {endpoint}"
    if kind == "submit":
        return Rejected(f"{message}, without a request id.", status=status, reason="garbage")
    if kind == "write":
        return OutcomeUnknown(f"{message}; look up what became of it.", status=status, reason="garbage")
    return Unavailable(f"{message}; it will be asked again.", status=status, reason="garbage")


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
        return Unavailable(f"{happened}; it will be asked again.", reason=reason)
    return OutcomeUnknown(f"{happened}; whether the API acted is not known.", reason=reason)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
