"""What the API says, as typed values. Unknown fields are ignored, missing and odd ones become None.

Field names are documented unless a line says ASSUMPTION; `assumptions.py` has the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.api.assumptions import DOCUMENT_ID_NAMES, LIST_NAMES, REQUEST_ID_CHARS, TERMINAL_STATES

M = TypeVar("M", bound="Wire")


def _text(value: object) -> object:
    return value if isinstance(value, str) else None


def _id(value: object) -> object:
    """Keep an id as it is; a number is the id's decimal digits. One that is longer than any id is none."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**REQUEST_ID_CHARS:
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= REQUEST_ID_CHARS else None


def _number(value: object) -> float | None:
    """Keep a number that a computer can calculate with: JSON has others, of any number of digits."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _flag(value: object) -> object:
    return value if isinstance(value, bool) else None


Text = Annotated[str | None, BeforeValidator(_text)]
Id = Annotated[str | None, BeforeValidator(_id)]
Number = Annotated[float | None, BeforeValidator(_number)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]

State = Literal["working", "completed", "failed"]


def state_of(word: str | None) -> State:
    """Sort a status word: only `completed` and `failed` end a request.

    >>> state_of(" Completed "), state_of("queued"), state_of(None)
    ('completed', 'working', 'working')
    """
    return TERMINAL_STATES.get((word or "").strip().lower(), "working")


class Wire(BaseModel):
    """Base of everything read from the API."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class Submitted(Wire):
    """The API's receipt of an async chat; `request_id` is opaque and sent back byte for byte.

    The API may have finished already: `state` and `answer` are then as in `ChatStatus`.
    """

    request_id: Annotated[str, Field(min_length=1, max_length=REQUEST_ID_CHARS, strict=True)]
    session_id: Id = None
    status: Text = None
    answer: Text = Field(default=None, repr=False)
    error: Text = Field(default=None, repr=False)
    confidence_level: Text = None
    from_documents: Flag = None

    @property
    def state(self) -> State:
        """The status, sorted."""
        return state_of(self.status)


class ChatStatus(Wire):
    """One look at an async chat. `answer` is None or "" when there is none, which the caller has to mind.

    `word` is the status as the API wrote it; an unseen one is worth a line in the log.
    """

    state: State
    answer: Text = Field(default=None, repr=False)
    word: str = ""
    confidence_level: Text = None
    confidence_score: Number = None
    from_documents: Flag = None


class ChatReply(Wire):
    """A synchronous answer. `confidence_level` is documented with the value `low`; its absence means nothing."""

    request_id: Id = None
    session_id: Id = None
    answer: Text = Field(default=None, repr=False)
    confidence_level: Text = None
    confidence_score: Number = None


def is_low(reply: Submitted | ChatStatus) -> bool:
    """Whether the assistant itself has little trust in its answer."""
    return (reply.confidence_level or "").strip().lower() == "low"


def asks_rating(reply: Submitted | ChatStatus) -> bool:
    """Whether people are to be asked if the answer helped: not under a greeting or an "I don't know". Only the embedded
    assistant tells; of all other answers they are."""
    return reply.from_documents is not False


class FeedbackReceipt(Wire):
    """The API's receipt of a rating; `submitted_at` is absent when this request had been rated before."""

    submitted_at: Text = Field(default=None, validation_alias="feedback_submitted_at")
    feedback: Text = None


class SiteDocument(Wire):
    """A reference document. ASSUMPTION: the names of all fields; `status` is active or draft, `ready` processed."""

    id: Id = Field(default=None, validation_alias=AliasChoices(*DOCUMENT_ID_NAMES))
    title: Text = None
    category: Text = None
    status: Text = None
    ready: Flag = None
    created_at: Text = None
    error: Text = None


class SessionSummary(Wire):
    """A conversation as the API lists it. ASSUMPTION: the names of all fields."""

    session_id: Id = Field(default=None, validation_alias=AliasChoices("session_id", "id"))
    status: Text = None
    created_at: Text = None
    last_activity_at: Text = Field(
        default=None, validation_alias=AliasChoices("last_activity_at", "last_activity", "updated_at")
    )
    closed_at: Text = None


class WidgetConfig(Wire):
    """The site's widget settings that a bot has a use for; camelCase on the wire."""

    display_name: Text = Field(default=None, validation_alias=AliasChoices("displayName", "display_name"))
    initial_message: Text = Field(default=None, validation_alias=AliasChoices("initialMessage", "initial_message"))
    suggested_question_1: Text = Field(default=None, validation_alias="suggestedQuestion1")
    suggested_question_2: Text = Field(default=None, validation_alias="suggestedQuestion2")
    suggested_question_3: Text = Field(default=None, validation_alias="suggestedQuestion3")
    response_language_mode: Text = Field(default=None, validation_alias="responseLanguageMode")
    default_language: Text = Field(default=None, validation_alias="defaultLanguage")

    @property
    def suggestions(self) -> tuple[str, ...]:
        """The suggested questions that are set, in order."""
        all_three = (self.suggested_question_1, self.suggested_question_2, self.suggested_question_3)
        return tuple(question.strip() for question in all_three if question and question.strip())


class Figures(Wire):
    """A reply whose fields are not documented (tenant, limits, usage, statistics): `values` is all of it."""

    values: Mapping[str, Any]

    def numbers(self) -> dict[str, float]:
        """List every number in it, nested names joined by dots.

        >>> Figures(values={"a": 1, "b": {"c": 2.5, "d": "x"}}).numbers()
        {'a': 1.0, 'b.c': 2.5}
        """
        found: dict[str, float] = {}
        _collect(self.values, "", found)
        return found


class Site(Figures):
    """A site; only its id and name have a use, and even their names are an ASSUMPTION."""

    @property
    def name(self) -> str | None:
        """What people call it, if the API says."""
        name = self.values.get("name") or self.values.get("domain")
        return name if isinstance(name, str) else None


class Tenant(Site):
    """A tenant, alike."""


class UsageHistory(Wire):
    """Usage over time, oldest or newest first as the API says. ASSUMPTION: a list of objects, bare or wrapped."""

    entries: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, items: list[Mapping[str, Any]]) -> Self:
        """Make it from what `objects` found."""
        return cls(entries=tuple(items))


class Unreadable(Exception):
    """A body that is not what it must be; never leaves `bot.api`."""


def parse(model: type[M], body: bytes) -> M:
    """Read one object; raises Unreadable."""
    try:
        return model.model_validate_json(body)
    except ValidationError:
        pass
    raise Unreadable


def parse_status(body: bytes) -> ChatStatus:
    """Read one look at an async chat; raises Unreadable."""
    raw = mapping(body)
    word = raw.get("status")
    word = word.strip() if isinstance(word, str) else ""
    if (state := state_of(word)) == "working":  # of most looks nothing else is read
        return _working(word[:40])
    return ChatStatus.model_validate({**raw, "state": state, "word": word[:40]})


@lru_cache(maxsize=16)
def _working(word: str) -> ChatStatus:
    return ChatStatus(state="working", word=word)


def mapping(body: bytes) -> dict[str, Any]:
    """Read any JSON object; raises Unreadable."""
    found = _load(body)
    if isinstance(found, dict):
        return found
    raise Unreadable


def objects(body: bytes, name: str) -> list[Mapping[str, Any]]:
    """Read a list of objects, bare or under the name; raises Unreadable. What is not an object is left out."""
    found = _load(body)
    if isinstance(found, dict):
        found = next((found[key] for key in (name, *LIST_NAMES) if isinstance(found.get(key), list)), None)
    if not isinstance(found, list):
        raise Unreadable
    return [item for item in found if isinstance(item, dict)]


def document(body: bytes) -> SiteDocument:
    """Read one document, bare or under `document`; raises Unreadable when it has no id."""
    raw = mapping(body)
    inner = raw.get("document")
    found = SiteDocument.model_validate(inner if isinstance(inner, dict) else raw)
    if found.id is None:
        raise Unreadable
    return found


def error_text(body: bytes) -> str:
    """Read the `error` of a refusal, "" when there is none."""
    try:
        text = mapping(body).get("error")
    except Unreadable:
        return ""
    return text if isinstance(text, str) else ""


def _load(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    raise Unreadable


def _collect(value: object, name: str, found: dict[str, float]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _collect(inner, f"{name}.{key}" if name else str(key), found)
    elif (number := _number(value)) is not None:
        found[name] = number
