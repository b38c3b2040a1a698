"""Every operation of the API, once: routes, checks and the OpenAPI description are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from bot.assistant import models as m


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path. `name` is also the word faults and the recorder use for it.

    `errors` are the statuses that may come beside those every operation has (400 for what it reads, 401, 403, 404,
    429, 500).
    """

    name: str
    method: str
    path: str
    summary: str
    reply: type[BaseModel]
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    multipart: bool = False
    errors: tuple[int, ...] = ()


_SITE = "/m2m/sites/{site_id}"
_TENANT = "/m2m/tenants/{tenant_id}"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="chat",
        method="POST",
        path=f"{_SITE}/chat",
        summary="Ask and wait for the answer",
        body=m.ChatBody,
        reply=m.ChatReplyBody,
        errors=(409, 413),
    ),
    Operation(
        name="chat_async",
        method="POST",
        path=f"{_SITE}/chat/async",
        summary="Ask; the answer is fetched later",
        body=m.ChatBody,
        reply=m.SubmittedReply,
        status=202,
        errors=(409, 413),
    ),
    Operation(
        name="chat_status",
        method="GET",
        path=f"{_SITE}/chat/requests/{{request_id}}",
        summary="How far a request is",
        reply=m.StatusReply,
    ),
    Operation(
        name="session_close",
        method="POST",
        path=f"{_SITE}/chat/session/close",
        summary="Close a session; may be repeated",
        body=m.CloseBody,
        reply=m.OkReply,
        errors=(413,),
    ),
    Operation(
        name="feedback",
        method="POST",
        path=f"{_SITE}/chat/feedback",
        summary="Rate a completed request",
        body=m.FeedbackBody,
        reply=m.FeedbackReply,
        errors=(409, 413),
    ),
    Operation(
        name="sessions",
        method="GET",
        path=f"{_SITE}/sessions",
        summary="List sessions",
        query=m.SessionsQuery,
        reply=m.SessionsReply,
    ),
    Operation(name="tenant", method="GET", path=_TENANT, summary="The workspace", reply=m.TenantReply),
    Operation(name="limits", method="GET", path=f"{_TENANT}/limits", summary="The plan's limits", reply=m.LimitsReply),
    Operation(name="usage", method="GET", path=f"{_TENANT}/usage", summary="Use of this month", reply=m.UsageReply),
    Operation(
        name="usage_history",
        method="GET",
        path=f"{_TENANT}/usage/history",
        summary="Use by day",
        query=m.HistoryQuery,
        reply=m.HistoryReply,
    ),
    Operation(
        name="tenant_statistics",
        method="GET",
        path=f"{_TENANT}/statistics",
        summary="Counts over all sites",
        reply=m.TenantStatisticsReply,
    ),
    Operation(name="site", method="GET", path=_SITE, summary="The site", reply=m.SiteReply),
    Operation(
        name="site_statistics",
        method="GET",
        path=f"{_SITE}/statistics",
        summary="Counts of a site",
        reply=m.SiteStatisticsReply,
    ),
    Operation(
        name="user_statistics",
        method="GET",
        path=f"{_SITE}/users/{{email}}/statistics",
        summary="Counts of one person",
        reply=m.UserStatisticsReply,
    ),
    Operation(
        name="widget_config",
        method="GET",
        path=f"{_SITE}/widget-config",
        summary="How the site presents itself",
        reply=m.WidgetReply,
    ),
    Operation(
        name="widget_config_patch",
        method="PATCH",
        path=f"{_SITE}/widget-config",
        summary="Change how the site presents itself",
        body=m.WidgetPatch,
        reply=m.WidgetReply,
        errors=(413,),
    ),
    Operation(
        name="documents", method="GET", path=f"{_SITE}/documents", summary="List documents", reply=m.DocumentsReply
    ),
    Operation(
        name="documents_upload",
        method="POST",
        path=f"{_SITE}/documents",
        summary="Upload a file: Markdown, text, HTML, PDF, DOCX or a Q&A CSV",
        multipart=True,
        reply=m.DocumentReply,
        status=201,
        errors=(413,),
    ),
    Operation(
        name="documents_text",
        method="POST",
        path=f"{_SITE}/documents/text",
        summary="Create a text document",
        body=m.TextBody,
        reply=m.DocumentReply,
        status=201,
        errors=(413,),
    ),
    Operation(
        name="documents_qa",
        method="POST",
        path=f"{_SITE}/documents/qa",
        summary="Create a question with its answer",
        body=m.QaBody,
        reply=m.DocumentReply,
        status=201,
        errors=(413,),
    ),
    Operation(
        name="documents_bulk_status",
        method="PATCH",
        path=f"{_SITE}/documents/bulk-status",
        summary="Switch several documents between draft and active",
        body=m.BulkStatusBody,
        reply=m.UpdatedReply,
        errors=(413,),
    ),
    Operation(
        name="documents_bulk_delete",
        method="POST",
        path=f"{_SITE}/documents/bulk-delete",
        summary="Delete several documents",
        body=m.BulkDeleteBody,
        reply=m.DeletedReply,
        errors=(413,),
    ),
    Operation(
        name="documents_patch",
        method="PATCH",
        path=f"{_SITE}/documents/{{document_id}}",
        summary="Change a document",
        body=m.PatchBody,
        reply=m.DocumentReply,
        errors=(409, 413),
    ),
)
