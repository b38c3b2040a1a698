"""Deliveries that were refused for a wrong signature or secret: counted, warned of seldom, told for an hour."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.config import examine, installed
from bot.telemetry.metrics import Metrics
from bot.telemetry.refusals import RefusedDeliveries
from bot.testing.slack import payloads
from tests.cli.process import command
from tests.slack_house import slack_house
from tests.test_flows_telegram import a_house as telegram_house

HINT = "is X_SECRET the app's?"


def test_the_last_hour_is_told_and_a_minute_passes_between_two_warnings() -> None:
    now = 1_000_000.0
    metrics = Metrics()
    refused = RefusedDeliveries(metrics, lambda: now)
    with capture_logs() as logs:
        for second in range(0, 3600, 10):
            now = 1_000_000.0 + second
            refused.note("slack", "signature", HINT)
    assert len(logs) == 60
    assert refused.sentence("slack") == f"360 deliveries refused in the last hour: {HINT}"
    assert logs[0]["detail"] == f"1 delivery refused in the last hour: {HINT}"
    assert refused.sentence("telegram") == ""
    now += 1800
    assert refused.sentence("slack").startswith("18")
    now += 3600
    assert refused.sentence("slack") == ""
    counted = metrics.refused_deliveries_total.labels(channel="slack", reason="signature")
    assert counted._value.get() == 360


def test_what_bears_no_signature_is_only_counted() -> None:
    metrics = Metrics()
    refused = RefusedDeliveries(metrics, lambda: 1_000_000.0)
    with capture_logs() as logs:
        for _ in range(100):
            refused.note("slack", "unsigned", "")
    assert logs == []
    assert refused.sentence("slack") == ""
    assert metrics.refused_deliveries_total.labels(channel="slack", reason="unsigned")._value.get() == 100


async def test_a_wrong_signing_secret_is_seen_everywhere(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=False) as house:
        house.slack.signing_secret = "another-app's-secret"
        for text in ("one", "two"):
            message = payloads.event_callback(payloads.message("D1", "U1", text, payloads.next_ts()))
            assert await house.slack.delivery.request(message) == 401
        async with aiohttp.ClientSession() as session:
            async with session.post(str(house.slack.events_url), json={"scan": 1}) as answer:
                assert answer.status == 401
            assert house.count("refused_deliveries_total", channel="slack", reason="signature") == 2
            assert house.count("refused_deliveries_total", channel="slack", reason="unsigned") == 1
            said = "2 deliveries refused in the last hour: is SLACK_SIGNING_SECRET the app"
            async with session.get(house.bot.web.url or "") as answer:
                assert said in await answer.text()
        await house.bot.supervisor.check_channels()
        environ = {
            "UPPZY_BASE_URL": house.assistant.base_url,
            "UPPZY_API_KEY": "demo",
            "UPPZY_TENANT_ID": "demo",
            "UPPZY_SITE_ID": "demo",
            "BOT_DATABASE_URL": house.config.database_url,
            "SLACK_BOT_TOKEN": house.slack.bot_token,
            "SLACK_SIGNING_SECRET": "right",
            "SLACK_API_URL": house.slack.api_url,
        }
        done = await asyncio.to_thread(command, "doctor", "--json", cwd=tmp_path, **environ)
        found = {check["check"]: check for check in json.loads(done.stdout)}
        assert found["slack deliveries"]["status"] == "warn"
        assert found["slack deliveries"]["detail"].startswith(said)
        house.slack.signing_secret = "loopback-signing-secret"


async def test_a_wrong_webhook_secret_is_seen(tmp_path: Path) -> None:
    async with telegram_house(tmp_path, webhook=True) as house:
        address = f"{(house.bot.web.url or '').rstrip('/')}/telegram/webhook"
        async with aiohttp.ClientSession() as session:
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
                async with session.post(address, json={"update_id": 1}, headers=headers) as answer:
                    assert answer.status == 403
        assert house.count("refused_deliveries_total", channel="telegram", reason="secret") == 1
        assert house.count("refused_deliveries_total", channel="telegram", reason="unsigned") == 1
        assert "is TELEGRAM_WEBHOOK_SECRET" in house.bot.ctx.refused.sentence("telegram")


SECRETS = [
    "UPPZY_API_KEY",
    "BOT_SECRET",
    "BOT_STATUS_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_CONFIG_TOKEN",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_WEBHOOK_SECRET",
]
SHAPES = {
    "SLACK_BOT_TOKEN": "xoxb-1-abc",
    "SLACK_APP_TOKEN": "xapp-1-abc",
    "SLACK_CONFIG_TOKEN": "xoxe.xoxp-1-abc",
    "TELEGRAM_BOT_TOKEN": "4242:abcdefghij",
}


@pytest.mark.parametrize("spoil", ["{}\n", " {}", "{}\r\n", "{}\t", "{}\nand more"])
@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_is_checked_for_blanks_and_line_ends(tmp_path: Path, name: str, spoil: str) -> None:
    value = SHAPES.get(name, "a-good-one-of-20-characters")
    others = {"SLACK_SIGNING_SECRET": "a-secret"} if name == "SLACK_BOT_TOKEN" else {}
    good = examine(installed(), environ={**others, name: value}, cwd=tmp_path)
    assert good.errors == ()
    found = examine(installed(), environ={**others, name: spoil.format(value)}, cwd=tmp_path)
    assert [problem.name for problem in found.errors] == [name]
    assert value not in str(found.errors)
