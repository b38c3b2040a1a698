"""Documents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot.assistant.models.base import Body, Category, Question, ReplyBody, Status, Text, Title

DocumentIds = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(min_length=1, max_length=1000)]


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


class DocumentReply(ReplyBody):
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


class DocumentsReply(ReplyBody):
    """All documents of the site, oldest first."""

    documents: list[DocumentReply]


class BulkStatusBody(Body):
    """The documents to switch, and to what."""

    document_ids: DocumentIds
    status: Status


class BulkDeleteBody(Body):
    """The documents to delete."""

    document_ids: DocumentIds


class UpdatedReply(ReplyBody):
    """How many documents of this site were named and switched."""

    updated: int


class DeletedReply(ReplyBody):
    """How many documents of this site were named and deleted."""

    deleted: int
