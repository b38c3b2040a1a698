"""Workspaces and sites: limits, use and counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from bot.assistant.models.base import ReplyBody


class TenantReply(ReplyBody):
    """A workspace."""

    id: str
    name: str
    plan: str
    sites: list[str]


class LimitsBody(ReplyBody):
    """The plan's limits; null is none. `messages` are those of a month (UTC)."""

    requests_per_minute: int | None
    messages: int | None
    documents: int | None


class LimitsReply(ReplyBody):
    """The limits of a workspace."""

    tenant_id: str
    plan: str
    limits: LimitsBody


class UsageReply(ReplyBody):
    """What was used in a month (UTC). `requests` are HTTP calls; `documents` those stored now."""

    tenant_id: str
    period: str
    requests: int
    messages: int
    documents: int


class UsageDay(ReplyBody):
    """What was used on a day (UTC)."""

    date: str
    requests: int
    messages: int


class HistoryQuery(BaseModel):
    """How many days back, today included."""

    days: Annotated[int, Field(ge=1, le=400)] = 30


class HistoryReply(ReplyBody):
    """Use by day, oldest first, days without use left out."""

    tenant_id: str
    history: list[UsageDay]


class DocumentCounts(ReplyBody):
    """How many documents."""

    total: int
    active: int
    ready: int
    failed: int


class SessionCounts(ReplyBody):
    """How many sessions."""

    total: int
    open: int
    closed: int


class MessageCounts(ReplyBody):
    """How many questions; `unanswered` are completed ones whose answer was an honest "I don't know"."""

    total: int
    completed: int
    failed: int
    pending: int
    unanswered: int


class FeedbackCounts(ReplyBody):
    """How many ratings."""

    good: int
    bad: int


class Statistics(ReplyBody):
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


class SiteReply(ReplyBody):
    """A website or chatbot."""

    id: str
    tenant_id: str
    name: str
