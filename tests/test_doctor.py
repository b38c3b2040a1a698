"""`doctor`: the API's sequence against the embedded assistant, and each thing that may be wrong."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot import doctor
from bot.adapter import Check
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.assistant.faults import Fault
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.cli import call
from bot.cli.doctor import of_questions, see_room
from bot.errors import Misconfigured, Unavailable
from bot.store.operator import OpenTurns
from tests.adapters.slack_live import live_slack
from tests.bot.test_admin import operator_of
from tests.cli.process import uppzy_bot
from tests.house import a_house

SEQUENCE = [
    *("database", "api way", "api key", "api tenant", "api limits", "api site", "api documents", "api question"),
    *("api async question", "api feedback", "api statistics", "api session", "clock"),
]


@asynccontextmanager
async def assistant() -> AsyncIterator[RunningAssistant]:
    docs = Path(__file__).parents[1] / "bot" / "assistant" / "samples"
    running = await start(AssistantOptions(port=0, delay=0.05, docs=docs))
    try:
        yield running
    finally:
        await running.close()


@asynccontextmanager
async def client(base_url: str, *, key: str = "demo", site: str = "demo") -> AsyncIterator[ApiClient]:
    api = ApiClient(base_url=base_url, api_key=SecretStr(key), tenant_id="demo", site_id=site, gate=Gate())
    try:
        yield api
    finally:
        await api.aclose()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "POLL_SECONDS", 0.05)


async def fine() -> str:
    """A database that opens."""
    return "It opens."


def statuses(checks: Sequence[Check]) -> dict[str, str]:
    return {check.check: check.status for check in checks}


async def test_the_recommended_sequence_in_its_order() -> None:
    heard: list[str] = []
    async with assistant() as running, client(running.base_url) as api, live_slack() as live:
        checks = await doctor.examine(api, {"slack": live.adapter.check}, fine, questions=True, tell=heard.append)
        assert [check.check for check in checks][: len(SEQUENCE)] == SEQUENCE
        assert heard == [*SEQUENCE[1:], "slack"]
        found = statuses(checks)
        assert found.pop("slack events") == "warn"
        assert set(found.values()) == {"ok"}, found
        assert not doctor.failed(checks)


async def test_it_leaves_nothing_in_the_figures_of_the_api_unless_it_is_told_to() -> None:
    async with assistant() as running, client(running.base_url) as api:
        before = (await api.site_statistics()).values
        checks = await doctor.examine(api, {}, fine)
        names = [check.check for check in checks]
        assert not {"api question", "api async question", "api feedback", "api session"} & set(names)
        assert statuses(checks)["channels"] == "warn"
        assert (await api.sessions()) == []
        assert (await api.site_statistics()).values == before


async def test_a_wrong_key_ends_it_and_says_what_to_set() -> None:
    async with assistant() as running, client(running.base_url, key="wrong") as api:
        checks = await doctor.examine(api, {}, fine)
        assert statuses(checks)["api key"] == "fail"
        assert "api tenant" not in statuses(checks)
        assert any("UPPZY_API_KEY" in check.fix for check in checks)
        assert doctor.failed(checks)


async def test_a_wrong_site_fails_from_there_on() -> None:
    async with assistant() as running, client(running.base_url, site="elsewhere") as api:
        checks = await doctor.examine(api, {}, fine)
        found = statuses(checks)
        assert found["api key"] == "ok"
        assert found["api site"] == "fail"
        assert "api documents" not in found, "everything else would say the same"
        assert [check.fix for check in checks if check.status == "fail"] == [doctor.SITE_FIX]


async def test_an_api_that_takes_no_more_for_now_blames_no_address() -> None:
    async with assistant() as running, client(running.base_url) as api:
        running.faults.add(Fault("rate_limited", retry_after="1"))
        checks = await doctor.examine(api, {}, fine)
        assert [check.fix for check in checks if check.status == "fail"] == [doctor.BUSY_FIX]


async def test_a_wrong_tenant_blames_the_tenant() -> None:
    async with assistant() as running:
        api = ApiClient(
            base_url=running.base_url, api_key=SecretStr("demo"), tenant_id="elsewhere", site_id="demo", gate=Gate()
        )
        checks = await doctor.examine(api, {}, fine)
        await api.aclose()
        assert [(check.check, check.fix) for check in checks if check.status == "fail"] == [
            ("api tenant", doctor.TENANT_FIX)
        ]


async def test_an_api_that_is_not_there() -> None:
    async with client("http://127.0.0.1:9/api/v1") as api:
        (_, way, key, *_) = await doctor.examine(api, {}, fine)
        assert (way.status, way.detail) == ("ok", "127.0.0.1 is reached directly, for it is this machine.")
        assert key.status == "fail"
        assert "UPPZY_BASE_URL" in key.fix


def test_a_disk_with_little_room_is_told_before_it_is_full(tmp_path: Path) -> None:
    file = tmp_path / "data" / "bot.db"  # its folder is made with it
    see_room(file, least=0)
    with pytest.raises(Misconfigured, match=r"The disk of .*bot\.db has [\d.]+ MB left"):
        see_room(file, least=2**62)


async def test_a_database_that_does_not_open() -> None:
    async def broken() -> str:
        raise Unavailable("The database is locked.")

    async with assistant() as running, client(running.base_url) as api:
        (database, *_) = await doctor.examine(api, {}, broken)
        assert database.status == "fail"
        assert "BOT_DATABASE_URL" in database.fix


@pytest.mark.parametrize(("off", "status"), [(0, "ok"), (600, "warn"), (-7200, "fail")])
async def test_a_clock_that_is_wrong(off: float, status: str) -> None:
    """Told by the time the API puts on a rating."""
    async with assistant() as running, client(running.base_url) as api:
        checks = await doctor.examine(api, {}, fine, questions=True, clock=lambda: time.time() + off)
        assert statuses(checks)["clock"] == status


async def test_a_clock_before_this_program_was_written_needs_no_comparison() -> None:
    async with assistant() as running, client(running.base_url) as api:
        checks = await doctor.examine(api, {}, fine, clock=lambda: 0.0)
        assert statuses(checks)["clock"] == "fail"


async def test_a_site_without_documents_is_a_warning() -> None:
    running = await start(AssistantOptions(port=0, delay=0.05))
    try:
        async with client(running.base_url) as api:
            found = statuses(await doctor.examine(api, {}, fine))
            assert found["api documents"] == "warn"
    finally:
        await running.close()


async def test_what_waits_and_what_could_not_go_on_are_warned_of(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, operator_of(house) as operator:
        (fine,) = of_questions(*await operator.unfinished(), 0.0)
        assert fine.status == "ok"
        await house.bot.router.set_aside("fake", "A1", b"{poison", "It is no update.")
        (dead,) = of_questions(*await operator.unfinished(), 0.0)
    assert (dead.check, dead.status) == ("questions", "warn")
    assert dead.detail.startswith("1 dead letter, the newest: ")
    assert dead.fix.startswith("Call uppzy-bot dead show ")
    (late,) = of_questions(OpenTurns(2, "AAAAAAAA", 1_000.0), 0, [], 1_600.0)
    assert (late.detail, late.fix) == (
        "2 open, the oldest (AAAAAAAA) for 10 minutes.",
        "Call uppzy-bot trace AAAAAAAA.",
    )


async def test_the_command(tmp_path: Path) -> None:
    async with assistant() as running, live_slack(socket_mode=False) as live:
        environment = {
            "UPPZY_BASE_URL": running.base_url,
            "UPPZY_API_KEY": "demo",
            "UPPZY_TENANT_ID": "demo",
            "UPPZY_SITE_ID": "demo",
            "SLACK_BOT_TOKEN": live.slack.bot_token,
            "SLACK_SIGNING_SECRET": live.slack.signing_secret,
            "SLACK_API_URL": live.slack.api_url,
        }

        async def run(*arguments: str, **more: str) -> tuple[int, Any]:
            given = {**environment, **more}
            done = await asyncio.to_thread(lambda: uppzy_bot(*arguments, cwd=tmp_path, **given))
            return done.returncode, done

        code, done = await run("doctor", "--smoke", "--json")
        wrong, refused = await run("doctor", UPPZY_API_KEY="wrong-secret")
        missing, unset = await run("doctor", "--json", UPPZY_API_KEY="")
        assert code == 0, done.stderr + done.stdout
        shown = json.loads(done.stdout)
        assert [check["check"] for check in shown][: len(SEQUENCE) + 1] == ["settings", *SEQUENCE]
        assert not (tmp_path / "data").exists(), "reading makes no database"
        assert missing == 1
        assert "UPPZY_API_KEY" in json.loads(unset.stdout)[0]["detail"], "--json prints a document always"
        assert all(set(check) == {"check", "status", "detail", "fix"} for check in shown)
        assert wrong == 1
        assert "UPPZY_API_KEY" in refused.stdout
        assert "wrong-secret" not in refused.stdout + refused.stderr


def test_the_manifest_command_without_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["manifest", "slack", "--mode", "http", "--url", "https://bot.example.org", "--no-agent"]) == 0
    assert "request_url: https://bot.example.org/slack/events" in capsys.readouterr().out
    assert call(["manifest", "slack", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"].startswith("# Slack app manifest")
    for wrong, code in (
        (["manifest", "nowhere"], 2),
        (["manifest", "telegram", "--mode", "http"], 2),
        (["manifest", "slack", "--mode", "http"], 2),
        (["manifest", "slack", "--apply"], 1),
    ):
        assert call(wrong) == code
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert call(["manifest", "slack", "--mode", "pigeon"]) == 2
