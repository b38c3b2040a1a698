"""The client and the embedded assistant, written apart from the same documentation, understand each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.api.assumptions import used_ratios
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.api.models import ChatStatus
from bot.assistant.faults import Fault
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.telemetry.metrics import Metrics

FACT = "The warranty of the Falcon bicycle lasts seven years."


@pytest.fixture
async def assistant(tmp_path: Path) -> AsyncIterator[RunningAssistant]:
    (tmp_path / "warranty.md").write_text(f"# Warranty\n\n{FACT}\n", encoding="utf-8")
    running = await start(AssistantOptions(docs=tmp_path, port=0, delay=0.01, tenant="t", site="s", key="k-123"))
    yield running
    await running.close()


def client_of(assistant: RunningAssistant, **changes: str) -> ApiClient:
    values = {"tenant_id": "t", "site_id": "s", "key": "k-123", **changes}
    return ApiClient(
        base_url=assistant.base_url,
        api_key=SecretStr(values["key"]),
        tenant_id=values["tenant_id"],
        site_id=values["site_id"],
        gate=Gate(),
        metrics=Metrics(),
    )


@pytest.fixture
async def client(assistant: RunningAssistant) -> AsyncIterator[ApiClient]:
    found = client_of(assistant)
    yield found
    await found.aclose()


async def answered(client: ApiClient, request_id: str) -> ChatStatus:
    async with asyncio.timeout(30):
        while (found := await client.status(request_id)).state == "working":
            await asyncio.sleep(0.02)
    return found


async def test_ask_rate_close(client: ApiClient) -> None:
    submitted = await client.submit("chan_1", "How long is the warranty of the Falcon?", language="en")
    assert submitted.request_id
    found = await answered(client, submitted.request_id)
    assert found.state == "completed"
    assert "seven years" in (found.answer or "")
    first = await client.feedback("chan_1", submitted.request_id, "good")
    assert first.submitted_at
    second = await client.feedback("chan_1", submitted.request_id, "bad")
    assert second.submitted_at is None
    sessions = await client.sessions()
    assert [(s.session_id, s.status) for s in sessions] == [("chan_1", "open")]
    assert sessions[0].created_at
    assert sessions[0].last_activity_at
    await client.close_session("chan_1")
    await client.close_session("chan_1")
    assert (await client.sessions())[0].status == "closed"


async def test_synchronous_chat(client: ApiClient) -> None:
    found = await client.chat("chan_2", "How long is the warranty of the Falcon?")
    assert "seven years" in (found.answer or "")
    assert found.request_id
    assert found.session_id == "chan_2"
    assert found.confidence_level


async def test_documents(assistant: RunningAssistant, client: ApiClient) -> None:
    text = await client.create_text("Opening", "The shop in Ghent opens at nine.", "hours")
    qa = await client.create_qa("Parking", "Where can guests park?", "In row B behind the mill.", "site")
    file = await client.upload_document("notes.txt", b"Lost keys are kept in the blue cabinet.", "text/plain")
    await assistant.settled()
    listed = {document.id: document for document in await client.documents()}
    assert {text.id, qa.id, file.id} <= set(listed)
    assert (listed[text.id].title, listed[text.id].category) == ("Opening", "hours")
    assert all(listed[d.id].ready for d in (text, qa, file))
    assert text.id
    assert qa.id
    assert file.id
    ids = [text.id, qa.id, file.id]
    await client.bulk_status(ids, "active")
    listed = {document.id: document for document in await client.documents()}
    assert {listed[i].status for i in ids} == {"active"}
    await client.patch_document(text.id, title="Hours", status="draft")
    listed = {document.id: document for document in await client.documents()}
    assert (listed[text.id].title, listed[text.id].status) == ("Hours", "draft")
    assert "row B" in ((await client.chat("chan_3", "Where can guests park?")).answer or "")
    await client.bulk_delete(ids)
    assert not {document.id for document in await client.documents()} & set(ids)
    with pytest.raises(Misconfigured) as caught:
        await client.patch_document(text.id, title="gone")
    assert caught.value.status == 404


async def test_a_large_document_goes_through(client: ApiClient) -> None:
    created = await client.create_text("Long", "A sentence of the long document. " * 5_000, "test")
    assert created.id


async def test_figures(client: ApiClient) -> None:
    await client.chat("chan_4", "How long is the warranty?")
    assert (await client.tenant()).name
    assert (await client.site()).name
    ratios = used_ratios((await client.limits()).values, (await client.usage()).values)
    assert {"messages", "documents"} <= set(ratios)
    assert all(ratio >= 0 for ratio in ratios.values())
    assert (await client.usage_history()).entries
    for figures in (
        await client.tenant_statistics(),
        await client.site_statistics(),
        await client.user_statistics("someone@example.com"),
    ):
        assert figures.numbers()
    assert isinstance((await client.widget_config()).suggestions, tuple)


async def test_wrong_identifiers(assistant: RunningAssistant) -> None:
    for changes, status in (({"key": "wrong"}, 401), ({"site_id": "other"}, 404), ({"tenant_id": "other"}, 404)):
        client = client_of(assistant, **changes)
        with pytest.raises(Misconfigured) as caught:
            await (client.limits() if "tenant_id" in changes else client.submit("s", "m"))
        assert caught.value.status == status
        await client.aclose()


async def test_a_refused_question(client: ApiClient) -> None:
    with pytest.raises(Rejected) as caught:
        await client.submit("chan_5", "")
    assert caught.value.status == 400
    with pytest.raises(Misconfigured):
        await client.status("req_unknown")


FAULTS: list[tuple[Fault, type[BotError], bool]] = [
    (Fault("rate_limited", retry_after="2"), Unavailable, False),
    (Fault("status", status=503), Unavailable, False),
    (Fault("drop_before"), OutcomeUnknown, False),
    (Fault("drop_after"), OutcomeUnknown, True),
    (Fault("status", status=504, after=True), OutcomeUnknown, True),
]


async def test_faults_at_submit(assistant: RunningAssistant) -> None:
    """Each through a client of its own, for a gate may shut; the sessions tell what was accepted."""
    for number, (fault, expected, _) in enumerate(FAULTS):
        client = client_of(assistant)
        assistant.faults.add(fault, endpoint="chat_async", times=1)
        with pytest.raises(BotError) as caught:
            await client.submit(f"chan_f{number}", "How long is the warranty?")
        assert type(caught.value) is expected, fault
        await client.aclose()
    client = client_of(assistant)
    assistant.faults.add(Fault("garbage"), endpoint="chat_async", times=1)
    with pytest.raises(Rejected):
        await client.submit("chan_garbage", "How long is the warranty?")
    known = {session.session_id for session in await client.sessions()} - {"chan_garbage"}
    assert known == {f"chan_f{number}" for number, (_, _, accepted) in enumerate(FAULTS) if accepted}
    await client.aclose()


async def test_requests_that_fail_or_say_nothing(assistant: RunningAssistant, client: ApiClient) -> None:
    for kind, state in (("failed", "failed"), ("empty", "completed")):
        assistant.faults.add(Fault(kind), endpoint="chat_async", times=1)  # type: ignore[arg-type] # both are kinds
        found = await answered(client, (await client.submit("chan_7", "Anything?")).request_id)
        assert found.state == state
        assert not found.answer
