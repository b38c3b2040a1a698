"""Traces: what a collector is told of a question, by a real protocol; and that nobody else pays for it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry import semconv

from bot.assistant.faults import Fault
from bot.store import open_admin
from bot.telemetry.traces import TraceIds
from bot.telemetry.tracing import traces_of
from tests.crash.process import ROOT, a_machine
from tests.house import House, a_house
from tests.telemetry.collector import Collector, Told

SUBMIT = "POST /m2m/sites/{site_id}/chat/async"
POLL = "GET /m2m/sites/{site_id}/chat/requests/{request_id}"
FEEDBACK = "POST /m2m/sites/{site_id}/chat/feedback"
QUESTION = "When does the shop open?"


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with Collector() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield made


@pytest.fixture
async def house(collector: Collector, tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as made:
        yield made


def root(collector: Collector) -> Told:
    (one,) = collector.named("process fake")
    return one


async def asked(house: House, collector: Collector) -> Told:
    await house.channel.say(QUESTION)
    await house.answers(1)
    await collector.until(lambda: collector.named("process fake"))
    return root(collector)


async def test_a_question_is_one_trace_from_its_event_to_its_last_part(house: House, collector: Collector) -> None:
    question = await asked(house, collector)
    (turn,) = await house.table("SELECT reference, lane, polls, request_id FROM turns")
    assert question.attributes == {
        "messaging.system": "fake",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "session.id": turn["lane"],
        "uppzy_bot.reference": turn["reference"],
        "uppzy_bot.outcome": "answered",
        "uppzy_bot.polls": turn["polls"],
        "uppzy_bot.attempts": 1,
    }
    assert (question.kind, question.parent, question.failed) == ("consumer", "", False)
    assert {span.trace for span in collector.spans} == {question.trace}
    pieces = sorted((span for span in collector.spans if span is not question), key=lambda span: span.began)
    assert [(span.name, span.kind) for span in pieces] == [
        ("receive fake", "consumer"),
        (SUBMIT, "client"),
        (POLL, "client"),
        ("send fake", "producer"),
    ]
    assert {span.parent for span in pieces} == {question.id}
    event, submit, poll, send = pieces
    assert event.ended <= submit.began <= submit.ended <= poll.began <= poll.ended <= send.began <= question.ended
    assert submit.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": submit.attributes["http.response.status_code"],
        "url.full": f"{house.assistant.base_url}/m2m/sites/demo/chat/async",
        "server.address": "127.0.0.1",
        "server.port": int(house.assistant.base_url.split(":")[2].split("/")[0]),
    }
    assert submit.attributes["http.response.status_code"] // 100 == 2
    assert poll.attributes["url.full"].endswith(turn["request_id"])
    assert poll.events == [("poll", {"http.response.status_code": 200})] * turn["polls"]
    assert send.attributes["messaging.message.id"] == house.channel.answers()[0].ref.message_id


async def test_the_api_is_handed_the_trace(house: House, collector: Collector) -> None:
    question = await asked(house, collector)
    await house.channel.react(house.channel.answers()[0].ref, "👍")
    await collector.until(lambda: collector.named(FEEDBACK))
    spans = {span.name: span for span in collector.spans}
    for endpoint, name in (("chat_async", SUBMIT), ("chat_status", POLL), ("feedback", FEEDBACK)):
        calls = house.assistant.requests.of(endpoint)
        assert calls
        assert {call.traceparent for call in calls} == {f"00-{question.trace}-{spans[name].id}-01"}
    assert {call.traceparent for call in house.assistant.requests.of("limits")} <= {None}


async def test_no_words_of_people_and_no_key(house: House, collector: Collector) -> None:
    house.assistant.script(contains="secret word", answer="The answer is heliotrope.")
    await house.channel.say("My secret word is periwinkle")
    await house.answers(1)
    await collector.until(lambda: collector.named("process fake"))
    for words in (b"periwinkle", b"heliotrope", b"U1", b"api-key", b"X-API-Key"):
        assert words not in collector.raw
    assert b"demo" in collector.raw, "the site's id, in the address"


async def test_what_had_to_be_asked_again_is_told_and_what_failed_says_why(house: House, collector: Collector) -> None:
    house.assistant.faults.add(Fault("rate_limited", retry_after="0"), endpoint="chat_async", times=1)
    house.assistant.faults.add(Fault("status", status=503), endpoint="chat_status", times=1)
    question = await asked(house, collector)
    (submit,), (poll,) = collector.named(SUBMIT), collector.named(POLL)
    assert submit.attributes["http.request.resend_count"] == 1
    assert submit.events == [("submit", {"http.response.status_code": 429})]
    assert ("poll", {"http.response.status_code": 503}) in poll.events
    assert not any(span.failed for span in (question, submit, poll))

    collector.spans.clear()
    house.assistant.faults.add(Fault("status", status=403), endpoint="chat_async", times=1)
    await house.channel.say("And on Sunday?")
    await collector.until(lambda: collector.named("process fake"))
    (submit,) = collector.named(SUBMIT)
    assert (submit.failed, submit.attributes["error.type"]) == (True, "403")
    assert (root(collector).failed, root(collector).attributes["uppzy_bot.outcome"]) == (True, "failed")
    (told,) = collector.named("send fake")
    assert not told.failed, "the asker was told"

    first = root(collector)
    collector.spans.clear()
    async with open_admin(house.config.database_url) as admin:
        await admin.retry(first.attributes["uppzy_bot.reference"])
    await collector.until(lambda: collector.named("process fake"))
    again = root(collector)
    assert (again.links, again.failed) == ([first.trace], False)
    assert again.trace != first.trace


async def test_a_restart_and_another_process_add_to_the_same_trace(collector: Collector, tmp_path: Path) -> None:
    settings = {name: os.environ[name] for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_BSP_SCHEDULE_DELAY")}
    async with a_machine(tmp_path, delay=1.0) as machine:
        machine.settings |= settings
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.sockets.count >= 2)
        await machine.slack.say("U1", "D1", QUESTION)
        await collector.until(lambda: collector.named(SUBMIT))
        await machine.kill()
        await machine.boot()
        await machine.slack.until(lambda: machine.slack.answers(), 30)
        await collector.until(lambda: collector.named("process slack"))
        (question,), (submit,) = collector.named("process slack"), collector.named(SUBMIT)
        assert {span.trace for span in collector.spans} == {question.trace}
        assert submit.process["service.instance.id"] != question.process["service.instance.id"]
        assert {span.process["service.name"] for span in collector.spans} == {"uppzy-bot"}
        assert question.attributes["uppzy_bot.attempts"] == 2
        assert question.began <= submit.began
        assert await machine.kill(signal.SIGTERM) == 0


async def test_a_collector_that_is_gone_costs_nobody_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    with caplog.at_level(logging.CRITICAL, logger="opentelemetry"):
        async with a_house(tmp_path) as house:
            await house.channel.say(QUESTION)
            assert "nine" in (await house.answers(1))[0].text


async def test_a_share_is_kept_where_the_operator_wants_a_share(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    async with a_house(tmp_path) as house:
        await house.channel.say(QUESTION)
        await house.answers(1)
        (call, *_) = house.assistant.requests.of("chat_async")
        assert call.traceparent is not None
        assert call.traceparent.endswith("-00"), "whoever is called need not keep it either"
    assert collector.spans == []


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_when_there_are_none(environ: dict[str, str]) -> None:
    assert traces_of(environ, lambda: 0.0) is None


@pytest.mark.parametrize("installed", [True, False])
def test_nothing_of_it_is_imported_where_nobody_asks(installed: bool) -> None:
    """In a process of its own; without the extra a bot that is asked for traces starts all the same, and says so."""
    script = (
        "import sys\n"
        + ("" if installed else "sys.modules['opentelemetry'] = None\n")
        + "import bot.app, bot.telemetry.tracing as traces\n"
        "asked = {} if " + str(installed) + " else {'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:4318'}\n"
        "assert traces.traces_of(asked, lambda: 0.0) is None\n"
        "import json; print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.')]))\n"
        "print(traces.why_not({}))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *_, loaded, why = done.stdout.strip().splitlines()
    assert json.loads(loaded) == []
    assert ("uppzy-bot[otel]" in why) is not installed


def test_the_ids_follow_from_what_is_stored_and_differ_for_each_question() -> None:
    ids = {TraceIds.of(f"REF{n}", generation) for n in range(100) for generation in range(3)}
    assert len({one.trace for one in ids}) == len({one.root for one in ids}) == 300
    assert TraceIds.of("REF1", 0) == TraceIds.of("REF1", 0)


def test_the_names_are_those_of_the_semantic_conventions() -> None:
    """All that are written in our source stand in the official package, and none of them as a deprecated one."""
    written = r'^[A-Z_]+: Final = "(?P<name>[a-z_.]+)"(?!\n"""\nDeprecated)'
    folder = Path(semconv.__path__[0])
    texts = [path.read_text() for path in folder.rglob("attributes/*_attributes.py")]
    known = {found["name"] for text in texts for found in re.finditer(written, text, re.MULTILINE)}
    source = (ROOT / "bot/telemetry/otel.py").read_text() + (ROOT / "bot/turns/attempt.py").read_text()
    used = set(re.findall(r'"((?:http|messaging|server|url|error|session|service)\.[a-z_.]+)"', source))
    assert {"http.request.method", "messaging.message.id", "error.type"} <= used
    assert used <= known, used - known
    assert "messaging.operation" not in known, "deprecated ones are told apart"
