"""What each operation does: one function each, by the operation's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.assistant.routes import chat, documents, sites
from bot.assistant.service import Call, Result

HANDLERS: dict[str, Callable[[Call], Awaitable[Result]]] = {
    "chat": chat.ask,
    "chat_async": chat.submit,
    "chat_status": chat.status,
    "session_close": chat.close,
    "feedback": chat.feedback,
    "sessions": chat.sessions,
    "tenant": sites.tenant,
    "limits": sites.limits,
    "usage": sites.usage,
    "usage_history": sites.usage_history,
    "tenant_statistics": sites.tenant_statistics,
    "site": sites.site,
    "site_statistics": sites.site_statistics,
    "user_statistics": sites.user_statistics,
    "widget_config": sites.widget,
    "widget_config_patch": sites.patch_widget,
    "documents": documents.listed,
    "documents_upload": documents.upload,
    "documents_text": documents.text,
    "documents_qa": documents.qa,
    "documents_patch": documents.patch,
    "documents_bulk_status": documents.bulk_status,
    "documents_bulk_delete": documents.bulk_delete,
}
