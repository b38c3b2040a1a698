"""Questions, answers, sessions and feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.assistant.models.base import Body, Language, Rating, ReplyBody, SessionId


class ChatBody(Body):
    """A question, for both the synchronous and the asynchronous form."""

    session_id: SessionId
    message: Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")]
    email: Annotated[str, Field(max_length=254)] | None = None
    response_language: Language | None = None


class SubmittedReply(ReplyBody):
    """A request that was stored and will be worked on."""

    session_id: str
    request_id: str
    status: Literal["pending", "processing", "completed", "failed"]


class ChatReplyBody(ReplyBody):
    """An answer at once."""

    session_id: str
    request_id: str
    answer: str
    confidence_level: Literal["low", "medium", "high"] | None = None
    confidence_score: Annotated[float, Field(ge=0, le=1)] | None = None


class StatusReply(SubmittedReply):
    """How far a request is. `from_documents` is false, and else missing: the answer is a greeting, thanks or an honest
    "I don't know", so nothing of the documents is in it."""

    answer: str | None = None
    error: str | None = None
    confidence_level: Literal["low", "medium", "high"] | None = None
    confidence_score: Annotated[float, Field(ge=0, le=1)] | None = None
    from_documents: Literal[False] | None = None


class CloseBody(Body):
    """The session to close."""

    session_id: SessionId


class OkReply(ReplyBody):
    """It is done."""

    status: Literal["ok"] = "ok"


class FeedbackBody(Body):
    """What a person thinks of one completed request."""

    session_id: SessionId
    request_id: Annotated[str, Field(min_length=1, max_length=128)]
    feedback: Rating


class FeedbackReply(OkReply):
    """`feedback_submitted_at` is missing when the request had been rated before; the first rating is kept."""

    request_id: str
    feedback: Rating
    feedback_submitted_at: datetime | None = None


class SessionReply(ReplyBody):
    """One conversation."""

    session_id: str
    status: Literal["open", "closed"]
    email: str | None = None
    created_at: datetime
    last_activity_at: datetime
    closed_at: datetime | None = None
    message_count: int
    good: int
    bad: int


class SessionsQuery(BaseModel):
    """Which page of the sessions, newest activity first."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class SessionsReply(ReplyBody):
    """A page of sessions and how many there are."""

    sessions: list[SessionReply]
    total: int
