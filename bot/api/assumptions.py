"""What the API's documentation leaves silent, and what we assume instead. Nothing here is a contract.

Every line of this module is an ASSUMPTION: if the API turns out to do otherwise, this is the place to change.
What is documented stands in `models.py` and `client.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeGuard

DocumentStatus = Literal["active", "draft"]
"""ASSUMPTION: wire words of the two documented states; only an active document is used for answers."""

DOCUMENT_ID_NAMES: Final = ("id", "document_id", "documentId", "_id")
"""ASSUMPTION: a document has `id,title,category,status,ready,created_at,error`; its id may have another name."""

LIST_NAMES: Final = ("data", "items", "results")
"""ASSUMPTION: a list is `{"documents": [...]}`, `{"sessions": [...]}`, or a bare array, or under one of these."""

PATCH_FIELDS: Final = ("title", "content", "question", "answer", "category", "status")
"""ASSUMPTION: PATCH of a document takes any of these and leaves the others as they are."""

TERMINAL_STATES: Final[Mapping[str, Literal["completed", "failed"]]] = {"completed": "completed", "failed": "failed"}
"""Documented: these two words end a request. ASSUMPTION: case and blanks around them do not matter, and every
other word, or none, means that it is still being worked on."""

KNOWN_ERRORS: Final[Mapping[str, str]] = {
    "invalid_api_key": "the API key is not valid",
    "api_access_not_available_on_plan": "the plan has no API access",
    "site not found": "the site is not known",
    "tenant not found": "the tenant is not known",
    "request not found": "the request is not known",
    "session_id is required": "the session id is missing",
    "feedback must be 'good' or 'bad'": "the rating is not one of good and bad",
}
"""`error` texts on the stored pages. ASSUMPTION: they may change, so they only make a message clearer, and no
other text of an error body is ever repeated: it might quote a question."""

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a reply we read. ASSUMPTION: no honest reply is longer."""

REQUEST_ID_CHARS: Final = 256
"""ASSUMPTION: no honest request id is longer; it stands in an address and in our database."""

CHAT_SECONDS: Final = 120.0
"""Documented latency of a synchronous answer is 5 to 60 s; its limit is not. ASSUMPTION: twice that is enough."""


MUCH: Final = 0.8
"""The part of a limit from which on an operator is warned."""


def bulk_status_body(document_ids: Sequence[str], status: str) -> dict[str, object]:
    """Build the body of PATCH documents/bulk-status. ASSUMPTION: these two names."""
    return {"document_ids": list(document_ids), "status": status}


def bulk_delete_body(document_ids: Sequence[str]) -> dict[str, object]:
    """Build the body of POST documents/bulk-delete. ASSUMPTION: this name."""
    return {"document_ids": list(document_ids)}


def used_ratios(limits: Mapping[str, object], usage: Mapping[str, object]) -> dict[str, float]:
    """Relate usage to limits by name; 1.0 is all of it.

    ASSUMPTION: a limit is a positive number, or an object with `limit` (or `max`) and perhaps `used`; the usage
    has the same name or stands in the limit; `max_` and `_limit` in a limit's name, `_used` in a usage's name, do
    not count. Both may be wrapped once under `limits` or `usage`.

    >>> used_ratios({"limits": {"messages": 200, "documents": {"limit": 10, "used": 5}}}, {"usage": {"messages": 50}})
    {'messages': 0.25, 'documents': 0.5}
    """
    used = {_plain(name): value for name, value in _unwrap(usage, "usage").items()}
    ratios: dict[str, float] = {}
    for name, value in _unwrap(limits, "limits").items():
        plain = _plain(name)
        limit, spent = value, used.get(plain)
        if isinstance(value, Mapping):
            limit = value.get("limit", value.get("max"))
            spent = value.get("used", spent)
        if isinstance(spent, Mapping):
            spent = spent.get("used")
        if _is_number(limit) and _is_number(spent) and float(limit) > 0:
            ratios[plain] = float(spent) / float(limit)
    return ratios


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _unwrap(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    inner = body.get(name)
    return inner if isinstance(inner, Mapping) else body


def _plain(name: str) -> str:
    return name.removeprefix("max_").removesuffix("_limit").removesuffix("_used")
