"""Every endpoint: what goes over the wire, and what is read from the reply, whole, scant or odd."""

from __future__ import annotations

import email
from collections.abc import Awaitable, Callable, Mapping

import pytest

from bot.api.assumptions import used_ratios
from bot.api.client import ApiClient
from bot.api.models import FeedbackReceipt, Figures, SiteDocument
from bot.errors import BotError, OutcomeUnknown, Unavailable
from bot.telemetry.metrics import Metrics
from tests.api.conftest import KEY
from tests.api.server import ScriptedServer, reply

SITE = "/m2m/sites/site-1"
TENANT = "/m2m/tenants/tenant-1"

# endpoint label, call, method, path, JSON body
CALLS: list[tuple[str, Callable[[ApiClient], Awaitable[object]], str, str, object]] = [
    (
        "chat_async",
        lambda c: c.submit("s", "m", language="en"),
        "POST",
        f"{SITE}/chat/async",
        {"session_id": "s", "message": "m", "response_language": "en"},
    ),
    ("chat", lambda c: c.chat("s", "m"), "POST", f"{SITE}/chat", {"session_id": "s", "message": "m"}),
    ("chat_status", lambda c: c.status("r/1"), "GET", f"{SITE}/chat/requests/r%2F1", None),
    ("session_close", lambda c: c.close_session("s"), "POST", f"{SITE}/chat/session/close", {"session_id": "s"}),
    (
        "feedback",
        lambda c: c.feedback("s", "r", "bad"),
        "POST",
        f"{SITE}/chat/feedback",
        {"session_id": "s", "request_id": "r", "feedback": "bad"},
    ),
    ("sessions", lambda c: c.sessions(), "GET", f"{SITE}/sessions", None),
    ("tenant", lambda c: c.tenant(), "GET", TENANT, None),
    ("limits", lambda c: c.limits(), "GET", f"{TENANT}/limits", None),
    ("usage", lambda c: c.usage(), "GET", f"{TENANT}/usage", None),
    ("usage_history", lambda c: c.usage_history(), "GET", f"{TENANT}/usage/history", None),
    ("tenant_statistics", lambda c: c.tenant_statistics(), "GET", f"{TENANT}/statistics", None),
    ("site", lambda c: c.site(), "GET", SITE, None),
    ("site_statistics", lambda c: c.site_statistics(), "GET", f"{SITE}/statistics", None),
    (
        "user_statistics",
        lambda c: c.user_statistics("a+b/c@example.com"),
        "GET",
        f"{SITE}/users/a%2Bb%2Fc@example.com/statistics",
        None,
    ),
    ("widget_config", lambda c: c.widget_config(), "GET", f"{SITE}/widget-config", None),
    ("documents", lambda c: c.documents(), "GET", f"{SITE}/documents", None),
    (
        "documents_text",
        lambda c: c.create_text("t", "c", "g"),
        "POST",
        f"{SITE}/documents/text",
        {"title": "t", "content": "c", "category": "g"},
    ),
    (
        "documents_qa",
        lambda c: c.create_qa("t", "q", "a", "g"),
        "POST",
        f"{SITE}/documents/qa",
        {"title": "t", "question": "q", "answer": "a", "category": "g"},
    ),
    (
        "documents_patch",
        lambda c: c.patch_document("d 1", title="t", status="active"),
        "PATCH",
        f"{SITE}/documents/d%201",
        {"title": "t", "status": "active"},
    ),
    (
        "documents_bulk_status",
        lambda c: c.bulk_status(["1", "2"], "draft"),
        "PATCH",
        f"{SITE}/documents/bulk-status",
        {"document_ids": ["1", "2"], "status": "draft"},
    ),
    (
        "documents_bulk_delete",
        lambda c: c.bulk_delete(["1"]),
        "POST",
        f"{SITE}/documents/bulk-delete",
        {"document_ids": ["1"]},
    ),
]
ANYTHING = {"request_id": "r", "id": "d", "documents": [], "sessions": [], "history": []}


@pytest.mark.parametrize(("endpoint", "call", "method", "path", "body"), CALLS, ids=[c[0] for c in CALLS])
async def test_request_on_the_wire(
    server: ScriptedServer,
    client: ApiClient,
    metrics: Metrics,
    endpoint: str,
    call: Callable[[ApiClient], Awaitable[object]],
    method: str,
    path: str,
    body: object,
) -> None:
    server.script(reply(200, ANYTHING))
    await call(client)
    (request,) = server.requests
    assert (request.method, request.path) == (method, path)
    assert request.headers["x-api-key"] == KEY
    if body is None:
        assert request.body == b""
        assert "content-type" not in request.headers
    else:
        assert request.json() == body
        assert request.headers["content-type"] == "application/json"
    labels = {"endpoint": endpoint, "status": "200"}
    assert metrics.registry.get_sample_value("uppzy_bot_api_requests_total", labels) == 1


def test_the_table_has_every_label() -> None:
    documented = """chat, chat_async, chat_status, session_close, feedback, sessions, tenant, limits, usage,
    usage_history, tenant_statistics, site, site_statistics, user_statistics, widget_config, documents,
    documents_text, documents_qa, documents_patch, documents_bulk_status, documents_bulk_delete"""
    assert {c[0] for c in CALLS} == {label.strip() for label in documented.split(",")}


async def test_upload_is_multipart(server: ScriptedServer, client: ApiClient) -> None:
    server.script(reply(201, {"document": {"document_id": 7, "title": "a", "ready": False}}))
    content = bytes(range(256)) * 9000
    found = await client.upload_document("a b.pdf", content, "application/pdf", category="manuals")
    assert (found.id, found.title, found.ready, found.status) == ("7", "a", False, None)
    (request,) = server.requests
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    by_name = {part.get_param("name", header="content-disposition"): part for part in parts}  # type: ignore[union-attr] # parts are messages
    assert by_name["file"].get_filename() == "a b.pdf"  # type: ignore[union-attr]
    assert by_name["file"].get_content_type() == "application/pdf"  # type: ignore[union-attr]
    assert content in request.body
    assert "category" in by_name
    assert request.headers["x-api-key"] == KEY


async def test_a_large_text_is_sent_whole(server: ScriptedServer, client: ApiClient) -> None:
    text = "Größe " * 400_000
    server.script(reply(200, {"id": "d"}))
    await client.create_text("t", text, "g")
    assert server.requests[0].json()["content"] == text


@pytest.mark.parametrize(
    ("body", "state", "answer", "word"),
    [
        ({"status": "completed", "answer": "A"}, "completed", "A", "completed"),
        ({"status": " Completed ", "answer": "A", "future": {"x": 1}}, "completed", "A", "Completed"),
        ({"status": "completed"}, "completed", None, "completed"),
        ({"status": "completed", "answer": ""}, "completed", "", "completed"),
        ({"status": "completed", "answer": 7}, "completed", None, "completed"),
        ({"status": "FAILED", "error": "x"}, "failed", None, "FAILED"),
        ({"status": "failed"}, "failed", None, "failed"),
        ({"status": "queued"}, "working", None, "queued"),
        ({"status": "cancelled"}, "working", None, "cancelled"),
        ({"status": None}, "working", None, ""),
        ({"status": 3}, "working", None, ""),
        ({}, "working", None, ""),
        ({"status": "w" * 999}, "working", None, "w" * 40),
    ],
)
async def test_status_words(
    server: ScriptedServer, client: ApiClient, body: object, state: str, answer: str | None, word: str
) -> None:
    server.script(reply(200, body))
    found = await client.status("r")
    assert (found.state, found.answer, found.word) == (state, answer, word)


async def test_submit_may_be_finished_at_once(server: ScriptedServer, client: ApiClient) -> None:
    server.script(
        reply(200, {"request_id": "r", "status": "completed", "answer": "A"}), reply(202, {"request_id": "req_ü/1 "})
    )
    done = await client.submit("s", "m")
    assert (done.request_id, done.state, done.answer) == ("r", "completed", "A")
    begun = await client.submit("s", "m")
    assert (begun.request_id, begun.state, begun.status, begun.answer) == ("req_ü/1 ", "working", None, None)
    assert "A" not in repr(done.model_dump(exclude={"answer"}))
    assert "'A'" not in repr(done), "an answer shows in no repr"


async def test_feedback_receipts(server: ScriptedServer, client: ApiClient) -> None:
    server.script(
        reply(200, {"status": "ok", "feedback": "bad", "feedback_submitted_at": "2031-02-03T04:05:06Z"}),
        reply(200, {"status": "ok", "feedback": "bad"}),
    )
    assert await client.feedback("s", "r", "bad") == FeedbackReceipt.model_validate(
        {"feedback_submitted_at": "2031-02-03T04:05:06Z", "feedback": "bad"}
    )
    assert (await client.feedback("s", "r", "bad")).submitted_at is None


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"documents": x}, lambda x: {"data": x, "total": 2}])
async def test_lists_bare_or_wrapped(
    server: ScriptedServer, client: ApiClient, wrap: Callable[[object], object]
) -> None:
    document = {
        "id": "1",
        "title": "T",
        "category": "c",
        "status": "active",
        "ready": True,
        "created_at": "2026-01-01",
        "error": None,
        "pages": 3,
    }
    server.script(reply(200, wrap([document, {}, "odd", {"id": 2, "ready": "yes"}])))
    found = await client.documents()
    assert [d.id for d in found] == ["1", None, "2"]
    assert found[0] == SiteDocument.model_validate(document)
    assert (found[2].ready, found[2].title) == (None, None)


@pytest.mark.parametrize("body", [{}, {"documents": {}}, 3, {"other": []}])
async def test_a_list_that_is_none_is_unreadable(server: ScriptedServer, client: ApiClient, body: object) -> None:
    server.script(reply(200, body))
    for call in (client.documents, client.sessions, client.usage_history):
        with pytest.raises(Unavailable) as caught:
            await call()
        assert caught.value.reason == "garbage"


async def test_a_document_without_id_may_exist(server: ScriptedServer, client: ApiClient) -> None:
    server.script(reply(200, {"ok": True}))
    with pytest.raises(OutcomeUnknown):
        await client.create_text("t", "c", "g")


async def test_scant_and_odd_replies_survive(server: ScriptedServer, client: ApiClient) -> None:
    odd: Mapping[str, object]
    for odd in ({}, {"answer": None, "confidence_score": "high", "suggestedQuestion1": [], "name": 3}):
        server.script(reply(200, odd))
        reply_ = await client.chat("s", "m")
        assert (reply_.answer, reply_.request_id, reply_.confidence_score) == (None, None, None)
        assert (await client.widget_config()).suggestions == ()
        assert (await client.site()).name is None
        assert (await client.tenant()).name is None
        assert "answer" not in (await client.limits()).numbers()


async def test_widget_suggestions(server: ScriptedServer, client: ApiClient) -> None:
    server.script(
        reply(
            200,
            {
                "displayName": "Ada",
                "suggestedQuestion1": "One?",
                "suggestedQuestion2": " ",
                "suggestedQuestion3": "Three?",
            },
        )
    )
    found = await client.widget_config()
    assert found.suggestions == ("One?", "Three?")
    assert found.display_name == "Ada"


async def test_sessions_and_history(server: ScriptedServer, client: ApiClient) -> None:
    server.script(reply(200, {"sessions": [{"id": "s1", "status": "open", "updated_at": "t"}]}))
    (found,) = await client.sessions()
    assert (found.session_id, found.status, found.last_activity_at, found.closed_at) == ("s1", "open", "t", None)
    server.script(reply(200, [{"day": "2026-01-01", "messages": 3}]))
    assert (await client.usage_history()).entries == ({"day": "2026-01-01", "messages": 3},)


async def test_known_error_texts_make_the_message_clearer(server: ScriptedServer, client: ApiClient) -> None:
    server.script(reply(403, {"error": "api_access_not_available_on_plan"}), reply(403, {"error": "Mr X asked where"}))
    for expected in ("the plan has no API access", "check that UPPZY_API_KEY is a key of UPPZY_TENANT_ID"):
        with pytest.raises(BotError, match=expected) as caught:
            await client.limits()
        assert "Mr X" not in str(caught.value)


async def test_a_document_has_known_fields_only(client: ApiClient) -> None:
    with pytest.raises(TypeError, match="colour"):
        await client.patch_document("d", colour="red")


def test_used_ratios() -> None:
    assert used_ratios({}, {}) == {}
    assert used_ratios({"limits": {"max_documents": 10, "plan": "x"}}, {"usage": {"documents_used": 4}}) == {
        "documents": 0.4
    }
    assert used_ratios({"messages": {"max": 4}}, {"messages": {"used": 1}}) == {"messages": 0.25}
    assert used_ratios({"a": 0, "b": True, "c": 5}, {"a": 1, "b": 1, "c": None}) == {}
    assert Figures(values={"x": {"y": 1, "z": True}, "l": [1]}).numbers() == {"x.y": 1.0}
