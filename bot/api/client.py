"""The client of the M2M chat API: every documented endpoint, one HTTP attempt per call.

Nothing is retried here: a turn's steps do that, where a resubmit is counted, and the command line's reads.
Every call first passes the gate of its key, which may take as long as the API is in trouble: a caller with a
deadline cancels the call. All errors are those of `bot.errors`, `status` set where there was one; `errors.py` draws
which is which.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import httpx
from pydantic import SecretStr

from bot.api import assumptions, models
from bot.api.assumptions import DocumentStatus
from bot.api.errors import Kind, unreadable
from bot.api.gate import Gate
from bot.api.http import Caller, Slots, Timeouts, segment, shared_http
from bot.api.models import (
    ChatReply,
    ChatStatus,
    FeedbackReceipt,
    Figures,
    SessionSummary,
    Site,
    SiteDocument,
    Submitted,
    Tenant,
    UsageHistory,
    WidgetConfig,
)
from bot.errors import BotError, Misconfigured
from bot.shared import way_to
from bot.telemetry.metrics import Metrics

T = TypeVar("T")

CALLS = 64
"""Calls under way at most, of a client that shares no bound with others."""


class ApiClient:
    """Speaks for one site with one key.

    `gate` is the key's, shared by all clients that use the key. `http` is shared and stays open; without it the
    client makes its own and `aclose` closes it. `slots` bounds the calls
    under way of all clients that share it. `route`: under what name its calls are counted, "" for none.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        tenant_id: str,
        site_id: str,
        gate: Gate,
        metrics: Metrics | None = None,
        route: str = "",
        http: httpx.AsyncBaseTransport | None = None,
        slots: Slots | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.site_id = site_id
        self.tenant_id = tenant_id
        self.gate = gate
        self._http = http or shared_http(base_url)
        self._closes = http is None
        self._slots = slots or Slots(CALLS)
        self._caller = Caller(base_url=base_url, api_key=api_key, http=self._http, metrics=metrics, route=route)
        self._timeouts = timeouts or Timeouts()
        self._slow = self._timeouts if timeouts else self._timeouts.at_least(Timeouts.chat())
        self._site = f"/m2m/sites/{segment(site_id)}"
        self._tenant = f"/m2m/tenants/{segment(tenant_id)}"

    @property
    def key(self) -> SecretStr:
        """The API key that calls are made with from now on."""
        return self._caller.key

    def use_key(self, key: SecretStr, gate: Gate) -> None:
        """Make every call from now on with another key, at its gate; those under way end as they began."""
        self._caller.key, self.gate = key, gate

    def __repr__(self) -> str:
        return f"ApiClient({self._caller.base_url!r}, site_id={self.site_id!r})"

    @property
    def way(self) -> str:
        """Say to people which way the calls go."""
        return way_to(self._caller.base_url).words

    @property
    def trouble(self) -> str:
        """Why calls have to wait now, in a sentence, "" when they need not."""
        return self.gate.trouble

    async def aclose(self) -> None:
        """Close the connections, unless they are shared."""
        if self._closes:
            await self._http.aclose()

    # chat

    async def submit(
        self,
        session_id: str,
        message: str,
        *,
        language: str | None = None,
        email: str | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> Submitted:
        """Hand in a question; its `request_id` must be stored before it is polled.

        `before` is awaited when the gate has let the call through, right before it is made: the place to store
        that it begins. What `before` raises comes out, no call is made, and the gate learns nothing from it.

        Raises:
            Unavailable: not accepted for certain; the same submit may be tried again.
            OutcomeUnknown: it may have been accepted.
            Rejected: refused, or accepted without a request id: nothing to poll, never to be sent again.
            Misconfigured: 401, 403, 404, or a redirect.
        """
        body = _question(session_id, message, language, email)
        return await self._call(
            "chat_async",
            "submit",
            "POST",
            f"{self._site}/chat/async",
            lambda reply: models.parse(Submitted, reply),
            json=body,
            before=before,
        )

    async def status(self, request_id: str) -> ChatStatus:
        """Look at a request once. A 404 is Misconfigured with `status` 404, also right after the submit."""
        path = f"{self._site}/chat/requests/{segment(request_id)}"
        return await self._call("chat_status", "read", "GET", path, models.parse_status)

    async def chat(self, session_id: str, message: str, *, language: str | None = None) -> ChatReply:
        """Ask and wait for the answer, up to two minutes."""
        body = _question(session_id, message, language)
        return await self._call(
            "chat",
            "write",
            "POST",
            f"{self._site}/chat",
            lambda reply: models.parse(ChatReply, reply),
            json=body,
            timeouts=self._slow,
        )

    async def close_session(self, session_id: str) -> None:
        """Close a session for good; closing a closed one is no error."""
        path = f"{self._site}/chat/session/close"
        await self._call("session_close", "write", "POST", path, _nothing, json={"session_id": session_id})

    async def feedback(self, session_id: str, request_id: str, rating: Literal["good", "bad"]) -> FeedbackReceipt:
        """Rate a completed request; the API may keep the first rating, and says so by leaving the time out."""
        body = {"session_id": session_id, "request_id": request_id, "feedback": rating}
        return await self._call(
            "feedback",
            "write",
            "POST",
            f"{self._site}/chat/feedback",
            lambda reply: models.parse(FeedbackReceipt, reply),
            json=body,
        )

    async def sessions(self) -> list[SessionSummary]:
        """List the site's sessions, as many as the API gives at once."""
        return await self._list("sessions", f"{self._site}/sessions", "sessions", SessionSummary)

    # tenant and site

    async def tenant(self) -> Tenant:
        """Read the tenant."""
        return Tenant(values=await self._object("tenant", self._tenant))

    async def limits(self) -> Figures:
        """Read the plan's limits; also the cheapest proof that key, tenant and address are right."""
        return Figures(values=await self._object("limits", f"{self._tenant}/limits"))

    async def usage(self) -> Figures:
        """Read what has been used of the limits; `assumptions.used_ratios` relates the two."""
        return Figures(values=await self._object("usage", f"{self._tenant}/usage"))

    async def usage_history(self) -> UsageHistory:
        """Read usage over time."""
        path = f"{self._tenant}/usage/history"
        return await self._call(
            "usage_history", "read", "GET", path, lambda body: UsageHistory.of(models.objects(body, "history"))
        )

    async def tenant_statistics(self) -> Figures:
        """Read the tenant's statistics."""
        return Figures(values=await self._object("tenant_statistics", f"{self._tenant}/statistics"))

    async def site(self) -> Site:
        """Read the site."""
        return Site(values=await self._object("site", self._site))

    async def site_statistics(self) -> Figures:
        """Read the site's statistics."""
        return Figures(values=await self._object("site_statistics", f"{self._site}/statistics"))

    async def user_statistics(self, email: str) -> Figures:
        """Read the statistics of one person, by the e-mail address the API knows."""
        path = f"{self._site}/users/{segment(email)}/statistics"
        return Figures(values=await self._object("user_statistics", path))

    async def widget_config(self) -> WidgetConfig:
        """Read the widget's settings."""
        path = f"{self._site}/widget-config"
        return await self._call("widget_config", "read", "GET", path, lambda body: models.parse(WidgetConfig, body))

    # documents

    async def documents(self) -> list[SiteDocument]:
        """List the site's documents, as many as the API gives at once."""
        return await self._list("documents", f"{self._site}/documents", "documents", SiteDocument)

    async def upload_document(
        self, name: str, content: bytes, content_type: str, *, title: str | None = None, category: str | None = None
    ) -> SiteDocument:
        """Upload a file (PDF, Word or text). ASSUMPTION: title and category may go along as form fields."""
        data = {key: value for key, value in (("title", title), ("category", category)) if value is not None}
        files = {"file": (name, content, content_type)}
        path = f"{self._site}/documents"
        return await self._call(
            "documents", "write", "POST", path, models.document, files=files, data=data, timeouts=self._slow
        )

    async def create_text(self, title: str, content: str, category: str) -> SiteDocument:
        """Create a text document; the API does not notice duplicates."""
        body = {"title": title, "content": content, "category": category}
        return await self._call(
            "documents_text", "write", "POST", f"{self._site}/documents/text", models.document, json=body
        )

    async def create_qa(self, title: str, question: str, answer: str, category: str) -> SiteDocument:
        """Create a question with its answer; the API does not notice duplicates."""
        body = {"title": title, "question": question, "answer": answer, "category": category}
        return await self._call(
            "documents_qa", "write", "POST", f"{self._site}/documents/qa", models.document, json=body
        )

    async def patch_document(self, document_id: str, **fields: str) -> None:
        """Change some of `assumptions.PATCH_FIELDS` of a document."""
        if unknown := sorted(set(fields) - set(assumptions.PATCH_FIELDS)):
            raise TypeError(f"a document has no field {', '.join(unknown)}")
        path = f"{self._site}/documents/{segment(document_id)}"
        await self._call("documents_patch", "write", "PATCH", path, _nothing, json=fields)

    async def bulk_status(self, document_ids: Sequence[str], status: DocumentStatus) -> None:
        """Activate documents or make them drafts."""
        body = assumptions.bulk_status_body(document_ids, status)
        path = f"{self._site}/documents/bulk-status"
        await self._call("documents_bulk_status", "write", "PATCH", path, _nothing, json=body)

    async def bulk_delete(self, document_ids: Sequence[str]) -> None:
        """Delete documents."""
        body = assumptions.bulk_delete_body(document_ids)
        path = f"{self._site}/documents/bulk-delete"
        await self._call("documents_bulk_delete", "write", "POST", path, _nothing, json=body)

    # the one way out

    async def _object(self, endpoint: str, path: str) -> dict[str, Any]:
        return await self._call(endpoint, "read", "GET", path, models.mapping)

    async def _list(self, endpoint: str, path: str, name: str, model: type[models.M]) -> list[models.M]:
        return await self._call(
            endpoint,
            "read",
            "GET",
            path,
            lambda body: [model.model_validate(item) for item in models.objects(body, name)],
        )

    async def _call(
        self,
        endpoint: str,
        kind: Kind,
        method: str,
        path: str,
        parse: Callable[[bytes], T],
        *,
        json: Mapping[str, object] | None = None,
        files: Any = None,
        data: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        limits, body = timeouts or self._timeouts, {"json": json, "files": files, "data": data}
        call = partial(self._one_call, endpoint, kind, method, path, parse, limits, before, **body)
        key = self.key
        try:
            return await call()
        except Misconfigured:
            if key == self.key:
                raise
        # The key was changed meanwhile, and the old one is good no more: with it certainly nothing was done.
        return await call()

    async def _one_call(
        self,
        endpoint: str,
        kind: Kind,
        method: str,
        path: str,
        parse: Callable[[bytes], T],
        timeouts: Timeouts,
        before: Callable[[], Awaitable[None]] | None,
        **body: Any,
    ) -> T:
        async with self._slots.after(before) as begin, self.gate.attempt(begin):
            outcome = await self._caller.attempt(endpoint, kind, method, path, timeouts=timeouts, **body)
            if isinstance(outcome, BotError):
                raise outcome
            try:
                return parse(outcome.body)
            except models.Unreadable:
                pass
            raise unreadable(endpoint, kind, outcome.status)


def _question(session_id: str, message: str, language: str | None, email: str | None = None) -> dict[str, str]:
    """Build the body of both chats; `email` is the asker's address, sent only where an operator wants it."""
    body = {"session_id": session_id, "message": message}
    if language:
        body["response_language"] = language
    if email:
        body["email"] = email
    return body


def _nothing(_: bytes) -> None:
    """Any 2xx will do."""
