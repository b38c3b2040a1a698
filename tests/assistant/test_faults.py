"""Faults, scripted answers and the recorder: what other tests stand on."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from bot.assistant.faults import KINDS, Fault, Faults, fault_from, fault_from_header
from bot.assistant.server import RunningAssistant
from tests.assistant.conftest import Client, Start

ASK = {"session_id": "s", "message": "Anything?"}


async def test_rate_limits_in_both_forms(client: Client, assistant: RunningAssistant) -> None:
    date = "Wed, 21 Oct 2099 07:28:00 GMT"
    assistant.faults.add(Fault("rate_limited", retry_after="2"), endpoint="chat_async", times=1)
    assistant.faults.add(Fault("rate_limited", retry_after=date), endpoint="chat_async", times=1)
    path = f"{client.site}/chat/async"
    first, second, third = [await client.post(path, ASK) for _ in range(3)]
    assert (first.status, first.headers["Retry-After"]) == (429, "2")
    assert (second.status, parsedate_to_datetime(second.headers["Retry-After"]).year) == (429, 2099)
    assert third.status == 202
    assert (await client.get(f"{client.site}/statistics")).body["messages"]["total"] == 1, "refused means not stored"


async def test_a_cut_before_the_work_and_one_after_it(client: Client, assistant: RunningAssistant) -> None:
    for kind, stored in (("drop_before", 0), ("drop_after", 1)):
        assistant.faults.add(Fault(kind), endpoint="chat_async", times=1)  # type: ignore[arg-type] # both are kinds
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await client.post(f"{client.site}/chat/async", ASK)
        assert (await client.get(f"{client.site}/statistics")).body["messages"]["total"] == stored
    assert [entry.status for entry in assistant.requests.of("chat_async")] == [0, 0]
    assert [entry.fault for entry in assistant.requests.of("chat_async")] == ["drop_before", "drop_after"]


async def test_statuses_before_and_after_the_work(client: Client, assistant: RunningAssistant) -> None:
    assistant.faults.add(Fault("status", status=503), endpoint="chat_async", times=1)
    assistant.faults.add(Fault("status", status=504, after=True, body="<html>"), endpoint="chat_async", times=1)
    before = await client.post(f"{client.site}/chat/async", ASK)
    assert (before.status, before.body) == (503, {"error": "temporarily unavailable"})
    after = await client.post(f"{client.site}/chat/async", ASK)
    assert (after.status, after.body) == (504, "<html>")
    assert (await client.get(f"{client.site}/statistics")).body["messages"]["total"] == 1


async def test_redirects_and_garbage(client: Client, assistant: RunningAssistant) -> None:
    there = {"Location": "http://127.0.0.1:1/"}
    assistant.faults.add(Fault("status", status=302, headers=there), endpoint="site", times=1)
    assistant.faults.add(Fault("garbage"), endpoint="site", times=1)
    reply = await client.get(client.site)
    assert (reply.status, reply.headers["Location"]) == (302, "http://127.0.0.1:1/")
    reply = await client.get(client.site)
    assert reply.status == 200
    assert reply.body.startswith("<html>")


async def test_a_request_ends_failed_or_empty(client: Client, assistant: RunningAssistant) -> None:
    assistant.faults.add(Fault("failed"), contains="one", times=1)
    assistant.faults.add(Fault("empty"), contains="two", times=1)
    failed = await client.ended(await client.submit("Number one"))
    assert (failed["status"], failed["error"]) == ("failed", "the assistant could not answer")
    empty = await client.ended(await client.submit("Number two"))
    assert (empty["status"], empty["answer"]) == ("completed", "")
    assistant.faults.add(Fault("failed"), times=1)
    assert (await client.ask("Number three")).status == 500


async def test_which_requests_a_fault_meets() -> None:
    faults = Faults()
    rule = faults.add(Fault("status"), endpoint="chat", contains="Rome", skip=1, times=2)
    assert [bool(faults.take("chat", "in rome")) for _ in range(5)] == [False, True, True, False, False]
    assert rule.hits == 2
    assert faults.take("chat_status", "rome") is None
    assert faults.take("chat", "Paris") is None
    faults.clear()
    faults.add(Fault("status"), per_minute=2)
    assert [bool(faults.take("chat", "")) for _ in range(4)] == [True, True, False, False]
    faults.clear()
    faults.add(Fault("status"), share=0.25)
    assert 150 < sum(bool(faults.take("chat", "")) for _ in range(1000)) < 350


async def test_a_delay_comes_before_the_work(client: Client, assistant: RunningAssistant) -> None:
    assistant.faults.add(Fault("delay", seconds=60), endpoint="chat_async", times=1)
    slow = asyncio.ensure_future(client.post(f"{client.site}/chat/async", ASK))
    async with asyncio.timeout(30):
        while not assistant.requests.of("chat_async"):
            await asyncio.sleep(0.01)
    await client.submit("A quick one")
    assert not slow.done()
    slow.cancel()


async def test_faults_over_http_from_this_machine_alone(client: Client, assistant: RunningAssistant) -> None:
    reply = await client.get(client.site, headers={"X-Assistant-Fault": "rate_limited; retry_after=7"})
    assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
    reply = await client.get(client.site, headers={"X-Assistant-Fault": "explode"})
    assert reply.status == 400
    control = Client(client.session, assistant.control_url)
    rule = {"kind": "status", "status": 500, "endpoint": "site", "times": 1}
    assert (await control.post("/faults", rule)).status == 201
    assert [(await client.get(client.site)).status for _ in range(2)] == [500, 200]
    assert (await control.post("/script", {"contains": "tea", "answer": "**Green**"})).status == 201
    assert (await client.ask("Which tea?")).body["answer"] == "**Green**"
    recorded = (await control.get("/requests")).body["requests"]
    assert recorded[-1]["body"]["message"] == "Which tea?"
    wrongs: list[Any] = [
        {"kind": "x"},
        {"kind": "status", "colour": 1},
        {"kind": "status", "endpoint": "x"},
        [],
        {"kind": "delay", "times": "x"},
    ]
    for wrong in wrongs:
        assert (await control.post("/faults", wrong)).status == 400
    assert (await control.post("/script", {"contains": 5})).status == 400
    for header in ({"Origin": "http://127.0.0.1"}, {"X-Forwarded-For": "10.0.0.1"}, {"Host": "evil.example"}):
        assert (await control.post("/faults", rule, headers=header)).status == 404
        asked = header | {"X-Assistant-Fault": "status"}
        assert (await client.get(client.site, headers=asked)).status == 200
    for path in ("/faults", "/script", "/requests"):
        assert (await control.call("DELETE", path)).status == 200
    assert len(assistant.requests) == 0
    assert assistant.faults.rules == []


def test_words_for_faults() -> None:
    assert fault_from_header("status; status=504; after=true").after is True
    for kind in KINDS:
        assert fault_from({"kind": kind}).kind == kind
    for wrong in ("", "status; status=99", "delay; seconds=x", "status; x=1"):
        with pytest.raises(ValueError, match="fault"):
            fault_from_header(wrong)


async def test_scripted_answers(client: Client, assistant: RunningAssistant) -> None:
    long = "# Plan\n\n" + "\n\n".join(f"Paragraph {n} with **bold** and `code`." for n in range(400))
    line = assistant.script(contains="PLAN", answer=long, times=1)
    assistant.script(contains="never", error="out of order")
    assistant.script(contains="late", delay=30)
    assert (await client.ended(await client.submit("the plan?")))["answer"] == long
    assert line.hits == 1
    assert "Paragraph" not in (await client.ended(await client.submit("the plan?")))["answer"]
    assert (await client.ended(await client.submit("never?")))["error"] == "out of order"
    assert (await client.status(await client.submit("late?"))).body["status"] == "pending"
    assistant.clear_script()
    assert (await client.ended(await client.submit("never?")))["status"] == "completed"


async def test_the_recorder_tells_what_came(client: Client, assistant: RunningAssistant) -> None:
    request_id = await client.submit("Anything?", "s")
    await client.status(request_id)
    await client.get(client.site, key="a-wrong-secret")
    (submitted,) = await assistant.requests.wait("chat_async")
    assert (submitted.method, submitted.path) == ("POST", "/api/v1/m2m/sites/demo/chat/async")
    assert submitted.body == {"session_id": "s", "message": "Anything?"}
    assert submitted.status == 202
    assert [entry.endpoint for entry in assistant.requests] == ["chat_async", "chat_status", "site"]
    assert "a-wrong-secret" not in repr(list(assistant.requests))
    with pytest.raises(TimeoutError):
        await assistant.requests.wait("feedback", timeout=0.01)


async def test_the_rough_mix_is_survivable(begin: Start, http: aiohttp.ClientSession) -> None:
    assistant = await begin(rough=True)
    client = Client(http, assistant.base_url)
    for rule in assistant.faults.rules:
        rule.fault = Fault(rule.fault.kind, status=rule.fault.status, retry_after=rule.fault.retry_after)
    outcomes = set()
    for _ in range(150):
        try:
            outcomes.add((await client.post(f"{client.site}/chat/async", ASK)).status)
        except aiohttp.ClientError:
            outcomes.add(0)
    assert outcomes == {0, 202, 429, 503}
    for _ in range(20):
        assert (await client.get(f"{client.site}/documents")).status == 200
