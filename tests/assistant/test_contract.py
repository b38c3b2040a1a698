"""The wire contract: keys, scopes, errors, chat, sessions, feedback, limits and counts."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any

import aiohttp
import pytest

from bot.assistant.accounts import Plan, TenantAccount
from bot.assistant.contract import OPERATIONS
from bot.assistant.server import RunningAssistant
from tests.assistant.conftest import Client, Start

BODIES: dict[str, Any] = {
    "chat": {"session_id": "s", "message": "Hello?"},
    "chat_async": {"session_id": "s", "message": "Hello?"},
    "session_close": {"session_id": "s"},
    "feedback": {"session_id": "s", "request_id": "req_x", "feedback": "good"},
    "widget_config_patch": {"displayName": "Bo"},
    "documents_text": {"title": "t", "content": "c"},
    "documents_qa": {"title": "t", "question": "q", "answer": "a"},
    "documents_patch": {"title": "t"},
    "documents_bulk_status": {"document_ids": ["doc_x"], "status": "active"},
    "documents_bulk_delete": {"document_ids": ["doc_x"]},
}


def _path(path: str, **values: str) -> str:
    filled = {"site_id": "demo", "tenant_id": "demo", "request_id": "r", "email": "e%40x", "document_id": "d"} | values
    return path.format(**filled)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_operation_wants_a_valid_key_and_keeps_to_its_scope(client: Client, operation: Any) -> None:
    body = BODIES.get(operation.name)

    async def call(path: str, key: str | None) -> tuple[int, Any]:
        reply = await client.call(operation.method, path, key=key, json=body)
        return reply.status, reply.body

    for key in (None, "", "wrong"):
        assert await call(_path(operation.path), key) == (401, {"error": "invalid_api_key"})
    missing = "tenant not found" if "tenant_id" in operation.path else "site not found"
    assert await call(_path(operation.path, site_id="other", tenant_id="other"), "demo") == (404, {"error": missing})


async def test_a_question_is_answered_asynchronously(client: Client, assistant: RunningAssistant) -> None:
    assistant.set_delay(30)
    await client.post(f"{client.site}/documents/qa", {"title": "F", "question": "Where is it?", "answer": "In Rome."})
    waiting = await client.submit("Where is it?", "a")
    assert re.fullmatch(r"req_[0-9a-f]{32}", waiting)
    assert (await client.status(waiting)).body == {"session_id": "a", "request_id": waiting, "status": "pending"}
    assistant.set_delay(0)
    ended = await client.ended(await client.submit("Where is it?", "b"))
    assert ended["status"] == "completed"
    assert ended["answer"].startswith("In Rome.")
    assert ended["confidence_level"] == "high"
    assert "from_documents" not in ended
    assert (await client.status("req_unknown")).body == {"error": "request not found"}


@pytest.mark.parametrize("said", ["Hello!", "Thanks", "Bye", "Who are you?", "Who painted the ceiling?", "Why?"])
async def test_what_is_not_of_the_documents_says_so(client: Client, assistant: RunningAssistant, said: str) -> None:
    await client.post(f"{client.site}/documents/qa", {"title": "F", "question": "Where is it?", "answer": "In Rome."})
    assert (await client.ended(await client.submit(said, "a")))["from_documents"] is False
    assistant.script(contains=said, answer="Scripted.")
    assert "from_documents" not in await client.ended(await client.submit(said, "b"))


async def test_a_question_is_answered_synchronously(client: Client) -> None:
    await client.post(f"{client.site}/documents/qa", {"title": "F", "question": "Where is it?", "answer": "In Rome."})
    reply = await client.ask("Where is it?", email="a@b.example", response_language="en")
    assert reply.status == 200
    assert set(reply.body) == {"session_id", "request_id", "answer", "confidence_level", "confidence_score"}
    assert (await client.status(reply.body["request_id"])).body["answer"] == reply.body["answer"]
    refused = await client.ask("Who painted the ceiling?")
    assert refused.body["answer"].startswith("I don't know")
    assert refused.body["confidence_level"] == "low"


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("chat/session/close", {}, "session_id is required"),
        ("chat/session/close", {"session_id": ""}, "session_id is required"),
        ("chat/session/close", {"session_id": 7}, "session_id is required"),
        ("chat/feedback", {"session_id": "s", "request_id": "r", "feedback": "ok"}, "feedback must be 'good' or 'bad'"),
        ("chat/feedback", {"session_id": "s", "request_id": "r"}, "feedback must be 'good' or 'bad'"),
        ("chat/async", {"message": "x"}, "session_id is required"),
        ("chat/async", {"session_id": "s"}, "invalid message"),
        ("chat/async", {"session_id": "s", "message": "  "}, "invalid message"),
        ("chat/async", {"session_id": "s", "message": "x" * 10_001}, "invalid message"),
        ("chat/async", ["s"], "invalid payload"),
        ("documents/text", {"title": "t"}, "invalid content"),
    ],
)
async def test_a_wrong_body_is_400_and_says_which_field(client: Client, path: str, body: Any, error: str) -> None:
    reply = await client.post(f"{client.site}/{path}", body)
    assert (reply.status, reply.body) == (400, {"error": error})


async def test_what_is_no_json_or_too_large_is_refused(client: Client) -> None:
    path = f"{client.site}/chat/async"
    for raw in (b"", b"{", b'{"session_id": "\\ud800", "message": "x"}', b"\xff\xfe"):
        assert (await client.call("POST", path, data=raw)).body == {"error": "invalid payload"}
    large = b'{"session_id": "' + b"x" * (1024 * 1024) + b'"}'
    assert (await client.call("POST", path, data=io.BytesIO(large))).status == 413


async def test_unknown_paths_and_methods_have_the_envelope(client: Client) -> None:
    assert (await client.get("/nowhere")).body == {"error": "not found"}
    reply = await client.call("DELETE", f"{client.site}/documents")
    assert (reply.status, reply.body) == (405, {"error": "method not allowed"})
    assert set(reply.headers["Allow"].split(",")) == {"GET", "POST"}


async def test_a_closed_session_takes_no_messages(client: Client) -> None:
    kept = await client.submit("Hello there?", "a")
    await client.ended(kept)
    for _ in range(2):
        assert (await client.post(f"{client.site}/chat/session/close", {"session_id": "a"})).body == {"status": "ok"}
    assert (await client.post(f"{client.site}/chat/session/close", {"session_id": "new"})).body == {"status": "ok"}
    for name in ("a", "new"):
        reply = await client.post(f"{client.site}/chat/async", {"session_id": name, "message": "More?"})
        assert (reply.status, reply.body) == (409, {"error": "session is closed"})
    await client.submit("Hello?", "b")
    listed = (await client.get(f"{client.site}/sessions")).body
    assert {s["session_id"]: (s["status"], s["message_count"]) for s in listed["sessions"]} == {
        "a": ("closed", 1), "new": ("closed", 0), "b": ("open", 1),
    }  # fmt: skip
    page = (await client.get(f"{client.site}/sessions?limit=1&offset=1")).body
    assert (len(page["sessions"]), page["total"]) == (1, 3)
    assert (await client.get(f"{client.site}/sessions?limit=0")).status == 400


async def test_a_request_under_way_is_answered_after_its_session_was_closed(
    client: Client, assistant: RunningAssistant
) -> None:
    assistant.set_delay(0.3)
    request_id = await client.submit("Hello there?", "a")
    await client.post(f"{client.site}/chat/session/close", {"session_id": "a"})
    assert (await client.ended(request_id))["status"] == "completed"


async def test_feedback_counts_once_and_only_for_completed_requests(
    client: Client, assistant: RunningAssistant
) -> None:
    request_id = await client.submit("Anything?", "a")
    await client.ended(request_id)

    async def rate(rating: str, **other: str) -> Any:
        body = {"session_id": "a", "request_id": request_id, "feedback": rating} | other
        return await client.post(f"{client.site}/chat/feedback", body)

    first = (await rate("bad")).body
    assert first.pop("feedback_submitted_at").endswith("Z")
    assert first == {"status": "ok", "request_id": request_id, "feedback": "bad"}
    assert (await rate("good")).body == {"status": "ok", "request_id": request_id, "feedback": "good"}
    counted = (await client.get(f"{client.site}/statistics")).body["feedback"]
    assert counted == {"good": 0, "bad": 1}, "the first rating is kept"
    assert (await rate("good", session_id="b")).body == {"error": "request not found"}
    assert (await rate("good", request_id="req_x")).body == {"error": "request not found"}
    assistant.set_delay(30)
    reply = await rate("good", request_id=await client.submit("Later?", "a"))
    assert (reply.status, reply.body) == (409, {"error": "request is not completed"})


async def test_statistics_and_usage_are_counted(client: Client, assistant: RunningAssistant) -> None:
    await client.post(f"{client.site}/documents/qa", {"title": "F", "question": "Where is it?", "answer": "In Rome."})
    await client.post(f"{client.site}/documents/text", {"title": "T", "content": "Rest.", "status": "draft"})
    assistant.script(contains="fail", error="no")
    await client.ended(await client.submit("Where is it?", "a", email="ann@x.example"))
    await client.ended(await client.submit("Who won?", "a", email="ann@x.example"))
    await client.ended(await client.submit("Please fail.", "b"))
    await client.post(f"{client.site}/chat/session/close", {"session_id": "b"})
    messages = {"total": 3, "completed": 2, "failed": 1, "pending": 0, "unanswered": 1}
    for path, named in (("/m2m/tenants/demo", "tenant_id"), (client.site, "site_id")):
        counted = (await client.get(f"{path}/statistics")).body
        assert counted.pop("average_seconds") >= 0
        assert counted == {
            named: "demo",
            "documents": {"total": 2, "active": 1, "ready": 2, "failed": 0},
            "sessions": {"total": 2, "open": 1, "closed": 1},
            "messages": messages,
            "feedback": {"good": 0, "bad": 0},
        }
    ann = (await client.get(f"{client.site}/users/ann%40x.example/statistics")).body
    assert (ann["email"], ann["messages"]["total"], ann["sessions"]["total"]) == ("ann@x.example", 2, 1)
    nobody = (await client.get(f"{client.site}/users/nobody%40x.example/statistics")).body
    assert nobody["messages"]["total"] == 0
    usage = (await client.get("/m2m/tenants/demo/usage")).body
    assert (usage["messages"], usage["documents"]) == (3, 2)
    assert usage["requests"] == len(assistant.requests)
    history = (await client.get("/m2m/tenants/demo/usage/history?days=2")).body["history"]
    assert sum(day["messages"] for day in history) == 3
    assert history[-1]["date"].startswith(usage["period"])


async def test_limits_of_the_plan_hold(begin: Start, http: aiohttp.ClientSession) -> None:
    assistant = await begin(plan=Plan(requests_per_minute=6, messages_per_month=1, documents=1))
    client = Client(http, assistant.base_url)
    limits = (await client.get("/m2m/tenants/demo/limits")).body
    assert limits["limits"] == {"requests_per_minute": 6, "messages": 1, "documents": 1}
    await client.submit("One?")
    reply = await client.post(f"{client.site}/chat/async", {"session_id": "s", "message": "Two?"})
    assert (reply.status, reply.body) == (403, {"error": "message_limit_reached"})
    assert (await client.post(f"{client.site}/documents/text", {"title": "a", "content": "b"})).status == 201
    reply = await client.post(f"{client.site}/documents/text", {"title": "a", "content": "b"})
    assert (reply.status, reply.body) == (403, {"error": "document_limit_reached"})
    assert (await client.get(client.site)).status == 200
    reply = await client.get(client.site)
    assert (reply.status, reply.body) == (429, {"error": "too many requests"})
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


async def test_tenants_are_apart_and_keys_rotate(begin: Start, http: aiohttp.ClientSession) -> None:
    assistant = await begin(
        more=(
            TenantAccount(id="acme", sites=("shop", "blog"), keys=("old", "new")),
            TenantAccount(id="poor", sites=("poor",), keys=("poor",), plan=Plan(api_access=False)),
        )
    )
    client = Client(http, assistant.base_url)
    fact = {"title": "F", "question": "What is the secret colour?", "answer": "Vermilion."}
    await client.post("/m2m/sites/shop/documents/qa", fact, key="old")
    question = {"session_id": "s", "message": "What is the secret colour?"}
    for site, key, known in (("shop", "new", True), ("blog", "new", False), ("demo", "demo", False)):
        answer = (await client.post(f"/m2m/sites/{site}/chat", question, key=key)).body["answer"]
        assert ("Vermilion" in answer) is known
    assert (await client.get("/m2m/sites/shop", key="demo")).status == 404
    assert (await client.get("/m2m/tenants/acme", key="demo")).status == 404
    request_id = (await client.post("/m2m/sites/shop/chat/async", question, key="new")).body["request_id"]
    assert (await client.get(f"/m2m/sites/blog/chat/requests/{request_id}", key="new")).status == 404
    reply = await client.get("/m2m/sites/poor", key="poor")
    assert (reply.status, reply.body) == (403, {"error": "api_access_not_available_on_plan"})
    assert (await client.get("/m2m/tenants/acme", key="old")).body["sites"] == ["shop", "blog"]
    assistant.accounts.revoke("old")
    assert (await client.get("/m2m/tenants/acme", key="old")).status == 401
    assert (await client.get("/m2m/tenants/acme", key="new")).status == 200


async def test_widget_config_is_read_and_changed_in_part(client: Client) -> None:
    before = (await client.get(f"{client.site}/widget-config")).body
    assert len(before) == 20
    changed = await client.patch(f"{client.site}/widget-config", {"displayName": "Bo", "temperature": 1})
    assert changed.body == before | {"displayName": "Bo", "temperature": 1.0}
    assert (await client.get(f"{client.site}/widget-config")).body == changed.body
    assert (await client.get(client.site)).body["name"] == "Bo"
    for wrong in ({"theme": "pink"}, {"temperature": 3}, {"collectUserFeedback": "yes"}):
        assert (await client.patch(f"{client.site}/widget-config", wrong)).status == 400


async def test_many_questions_at_once(client: Client) -> None:
    ids = await asyncio.gather(*(client.submit(f"Question {n}?", f"s{n % 20}") for n in range(100)))
    assert len(set(ids)) == 100
    ended = await asyncio.gather(*map(client.ended, ids))
    assert {answer["status"] for answer in ended} == {"completed"}
