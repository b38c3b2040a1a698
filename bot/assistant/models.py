"""What goes over the wire, as pydantic models: the OpenAPI description is made from them.

Bodies are checked strictly (a number is not a string) and unknown fields are ignored. Field names and
error texts follow the public documentation; what it leaves silent is chosen here and nowhere else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is a whole one, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Status = Literal["draft", "active"]
Rating = Literal["good", "bad"]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
SessionId = Annotated[str, Field(min_length=1, max_length=128)]
Title = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
Category = Annotated[str, Field(max_length=100)]
Question = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Text = Annotated[str, Field(min_length=1, max_length=500_000, pattern=r"\S")]
DocumentIds = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=1000)]


class Body(BaseModel):
    """A request's JSON body."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Reply(BaseModel):
    """A response's JSON body; a field that is None is left out unless its type says null."""

    model_config = ConfigDict(extra="forbid")


class ErrorReply(Reply):
    """Every error: a short text or code."""

    error: str


# Chat ---------------------------------------------------------------------------------------------


class ChatBody(Body):
    """A question, for both the synchronous and the asynchronous form."""

    session_id: SessionId
    message: Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")]
    email: Annotated[str, Field(max_length=254)] | None = None
    response_language: Language | None = None


class SubmittedReply(Reply):
    """A request that was stored and will be worked on."""

    session_id: str
    request_id: str
    status: Literal["pending", "processing", "completed", "failed"]


class ChatReply(Reply):
    """An answer at once."""

    session_id: str
    request_id: str
    answer: str
    confidence_level: Literal["low", "medium", "high"] | None = None
    confidence_score: Annotated[float, Field(ge=0, le=1)] | None = None


class StatusReply(SubmittedReply):
    """How far a request is."""

    answer: str | None = None
    error: str | None = None
    confidence_level: Literal["low", "medium", "high"] | None = None
    confidence_score: Annotated[float, Field(ge=0, le=1)] | None = None


class CloseBody(Body):
    """The session to close."""

    session_id: SessionId


class OkReply(Reply):
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


class SessionReply(Reply):
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


class SessionsReply(Reply):
    """A page of sessions and how many there are."""

    sessions: list[SessionReply]
    total: int


# Documents ----------------------------------------------------------------------------------------


class TextBody(Body):
    """A document of Markdown or plain text."""

    title: Title
    content: Text
    category: Category | None = None
    status: Status | None = None


class QaBody(Body):
    """A question and its answer."""

    title: Title
    question: Question
    answer: Text
    category: Category | None = None
    status: Status | None = None


class PatchBody(Body):
    """What changes; `content` only for text documents, `question` and `answer` only for Q&A."""

    title: Title | None = None
    content: Text | None = None
    question: Question | None = None
    answer: Text | None = None
    category: Category | None = None
    status: Status | None = None


class DocumentReply(Reply):
    """One document: `ready` says that it was read, `error` why it could not be, `status` whether it is used."""

    id: str
    title: str
    kind: Literal["file", "text", "qa"]
    category: str | None = None
    status: Status
    ready: bool
    error: str | None = None
    created_at: datetime
    updated_at: datetime


class DocumentsReply(Reply):
    """All documents of the site, oldest first."""

    documents: list[DocumentReply]


class BulkStatusBody(Body):
    """The documents to switch, and to what."""

    document_ids: DocumentIds
    status: Status


class BulkDeleteBody(Body):
    """The documents to delete."""

    document_ids: DocumentIds


class UpdatedReply(Reply):
    """How many documents of this site were named and switched."""

    updated: int


class DeletedReply(Reply):
    """How many documents of this site were named and deleted."""

    deleted: int


# Tenants and sites --------------------------------------------------------------------------------


class TenantReply(Reply):
    """A workspace."""

    id: str
    name: str
    plan: str
    sites: list[str]


class Limits(Reply):
    """The plan's limits; null is none. `messages` are those of a month (UTC)."""

    requests_per_minute: int | None
    messages: int | None
    documents: int | None


class LimitsReply(Reply):
    """The limits of a workspace."""

    tenant_id: str
    plan: str
    limits: Limits


class UsageReply(Reply):
    """What was used in a month (UTC). `requests` are HTTP calls; `documents` those stored now."""

    tenant_id: str
    period: str
    requests: int
    messages: int
    documents: int


class UsageDay(Reply):
    """What was used on a day (UTC)."""

    date: str
    requests: int
    messages: int


class HistoryQuery(BaseModel):
    """How many days back, today included."""

    days: Annotated[int, Field(ge=1, le=400)] = 30


class HistoryReply(Reply):
    """Use by day, oldest first, days without use left out."""

    tenant_id: str
    history: list[UsageDay]


class DocumentCounts(Reply):
    """How many documents."""

    total: int
    active: int
    ready: int
    failed: int


class SessionCounts(Reply):
    """How many sessions."""

    total: int
    open: int
    closed: int


class MessageCounts(Reply):
    """How many questions; `unanswered` are completed ones whose answer was an honest "I don't know"."""

    total: int
    completed: int
    failed: int
    pending: int
    unanswered: int


class FeedbackCounts(Reply):
    """How many ratings."""

    good: int
    bad: int


class Statistics(Reply):
    """Counts of one site, one person or a whole workspace."""

    documents: DocumentCounts | None = None
    sessions: SessionCounts
    messages: MessageCounts
    feedback: FeedbackCounts
    average_seconds: float | None = None


class TenantStatisticsReply(Statistics):
    """Counts over all sites of a workspace."""

    tenant_id: str


class SiteStatisticsReply(Statistics):
    """Counts of a site."""

    site_id: str


class UserStatisticsReply(Statistics):
    """Counts of what one person, known by e-mail, asked on a site; zeros for somebody unknown."""

    site_id: str
    email: str


class SiteReply(Reply):
    """A website or chatbot."""

    id: str
    tenant_id: str
    name: str


class WidgetPatch(Body):
    """What changes; what is not named stays."""

    displayName: Annotated[str, Field(max_length=100)] | None = None
    initialMessage: Annotated[str, Field(max_length=2000)] | None = None
    suggestedQuestion1: Annotated[str, Field(max_length=300)] | None = None
    suggestedQuestion2: Annotated[str, Field(max_length=300)] | None = None
    suggestedQuestion3: Annotated[str, Field(max_length=300)] | None = None
    footer: Annotated[str, Field(max_length=500)] | None = None
    collectUserFeedback: bool | None = None
    dailyUserMessageLimit: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1_000_000)] | None = None
    responseLanguageMode: Literal["auto", "forced"] | None = None
    defaultLanguage: Language | None = None
    agentRolePreset: Literal["customer_support", "sales_presales", "documentation_technical", "general_ai"] | None = (
        None
    )
    agentCustomPrompt: Annotated[str, Field(max_length=10_000)] | None = None
    defaultModel: Annotated[str, Field(max_length=100)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    theme: Literal["light", "dark", "system"] | None = None
    profilePictureUrl: Annotated[str, Field(max_length=2000)] | None = None
    chatBubbleIconUrl: Annotated[str, Field(max_length=2000)] | None = None
    primaryColor: Annotated[str, Field(max_length=32)] | None = None
    iconColor: Annotated[str, Field(max_length=32)] | None = None
    bubblePosition: Literal["left", "right"] | None = None


class WidgetReply(Reply):
    """How the site presents itself."""

    displayName: str
    initialMessage: str
    suggestedQuestion1: str
    suggestedQuestion2: str
    suggestedQuestion3: str
    footer: str
    collectUserFeedback: bool
    dailyUserMessageLimit: int
    responseLanguageMode: Literal["auto", "forced"]
    defaultLanguage: str
    agentRolePreset: str
    agentCustomPrompt: str
    defaultModel: str
    temperature: float
    theme: str
    profilePictureUrl: str
    chatBubbleIconUrl: str
    primaryColor: str
    iconColor: str
    bubblePosition: str


WIDGET_DEFAULTS: dict[str, Any] = {
    "displayName": "Assistant",
    "initialMessage": "Hello! Ask me anything about our documents.",
    "suggestedQuestion1": "",
    "suggestedQuestion2": "",
    "suggestedQuestion3": "",
    "footer": "",
    "collectUserFeedback": True,
    "dailyUserMessageLimit": 0,
    "responseLanguageMode": "auto",
    "defaultLanguage": "en",
    "agentRolePreset": "customer_support",
    "agentCustomPrompt": "",
    "defaultModel": "embedded",
    "temperature": 0.0,
    "theme": "system",
    "profilePictureUrl": "",
    "chatBubbleIconUrl": "",
    "primaryColor": "#2f6fed",
    "iconColor": "#ffffff",
    "bubblePosition": "right",
}
