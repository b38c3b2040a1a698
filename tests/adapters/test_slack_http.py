"""POST /slack/events: who may speak, and in what shape. And what Bolt would have done wrong on this way."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest

from adapters.slack.http import BadRequest, parse, why_refused
from bot.events import Message
from bot.testing.slack import payloads
from bot.testing.slack.delivery import FORM, sign
from tests.adapters.slack_live import live_slack

BODY = json.dumps(payloads.event_callback(payloads.message("D1", "U1", "hi", "1.000001"))).encode()


@pytest.mark.parametrize("off", [-301, 301, -10_000_000])
async def test_stale_and_early_requests_are_refused(off: int) -> None:
    async with live_slack(socket_mode=False) as live:
        status, _ = await live.slack.delivery.raw(BODY, stamp=str(int(time.time()) + off))
        assert status == 401
        assert live.host.deliveries == []


@pytest.mark.parametrize("off", [-290, 290])
async def test_within_five_minutes_is_fresh(off: int) -> None:
    async with live_slack(socket_mode=False) as live:
        status, _ = await live.slack.delivery.raw(BODY, stamp=str(int(time.time()) + off))
        assert status == 200
        assert len(live.host.events) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=\u00e9"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "\u0661\u0662"},
    ],
)
async def test_unsigned_requests_are_refused(headers: dict[str, str]) -> None:
    """A time stamp that is no number is a 500 in Bolt."""
    async with live_slack(socket_mode=False) as live:
        status, _ = await live.slack.delivery.raw(BODY, headers=headers)
        assert status == 401
        assert live.host.deliveries == []


async def test_the_wrong_secret_is_refused() -> None:
    async with live_slack(socket_mode=False) as live:
        assert (await live.slack.delivery.raw(BODY, secret="another"))[0] == 401
        assert live.host.deliveries == []


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"{not json", "application/json", 400),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"payload=%7Bnot", FORM, 400),
        (b"payload=[1]", FORM, 400),
        (b"a=b", FORM, 400),
        (BODY, "text/plain", 415),
        (BODY, "multipart/form-data; boundary=x", 415),
    ],
)
async def test_malformed_requests_get_our_answer_never_a_500(body: bytes, content_type: str, expected: int) -> None:
    async with live_slack(socket_mode=False) as live:
        status, _ = await live.slack.delivery.raw(body, content_type)
        assert status == expected
        assert live.host.deliveries == []
        assert live.host.set_aside_payloads == []


async def test_a_body_over_the_limit_is_refused() -> None:
    async with live_slack(socket_mode=False) as live:
        assert (await live.slack.delivery.raw(b" " * 1_048_577))[0] == 413
        assert live.host.deliveries == []


async def test_url_verification_and_ssl_check_are_answered() -> None:
    async with live_slack(socket_mode=False) as live:
        challenge = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
        assert await live.slack.delivery.raw(challenge) == (200, "3eZbrw1aB")
        odd = json.dumps({"type": "url_verification", "challenge": "\ud800"}).encode()
        assert await live.slack.delivery.raw(odd) == (200, "?")
        assert await live.slack.delivery.raw(b"ssl_check=1&token=x", FORM) == (200, "")
        assert live.host.deliveries == []


@pytest.mark.parametrize("event", [{"type": "team_join", "user": {"id": "U9"}}, {"type": "from_the_future"}])
async def test_events_nobody_listens_to_are_acknowledged(event: dict[str, object]) -> None:
    """Bolt says 404, and Slack counts a failure."""
    async with live_slack(socket_mode=False) as live:
        assert await live.slack.delivery.request(payloads.event_callback(event)) == 200
        rate_limited = {"type": "app_rate_limited", "team_id": "T0LOOP", "minute_rate_limited": 1, "api_app_id": "A"}
        assert await live.slack.delivery.request(rate_limited) == 200
        assert live.host.deliveries == []


async def test_retries_are_told_by_what_they_are_not_by_their_header() -> None:
    """The first delivery may never have arrived, so a retry header is no reason to drop anything."""
    async with live_slack(socket_mode=False) as live:
        headers = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        for _ in range(3):
            assert (await live.slack.delivery.raw(BODY, headers=headers))[0] == 200
        assert len(live.host.deliveries) == 3
        assert len(live.host.events) == 1


async def test_one_question_as_two_events_has_one_id() -> None:
    async with live_slack(socket_mode=False) as live:
        await live.slack.say("U1", "C1", "<@U0BOT> what is VAT?")
        await live.host.wait_for(lambda: len(live.host.deliveries) == 2)
        first, second = live.host.deliveries
        assert first == second
        assert isinstance(first, Message)


async def test_not_stored_is_503_and_slack_comes_again() -> None:
    async with live_slack(socket_mode=False) as live:
        live.host.fail()
        task = live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))
        await live.host.wait_for(lambda: len(live.host.deliveries) >= 2)
        assert live.host.events == []
        live.host.recover()
        assert await task
        assert len(live.host.events) == 1


async def test_before_the_bot_knows_itself_it_says_503() -> None:
    """Nothing is acknowledged that could not be told from the bot's own words."""
    async with live_slack(socket_mode=False) as live:
        live.slack.fail("auth.test", "hang", times=None)
        second = type(live.adapter)(live.adapter._settings)
        running = asyncio.create_task(second.run(live.host))
        await asyncio.sleep(0)
        assert (await live.slack.delivery.raw(BODY))[0] == 503
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_bolt_reads_the_environment_and_we_do_not_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    """With SLACK_CLIENT_ID set, Bolt switches itself to the OAuth flow with stores on the local disk."""
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "another-app")
    async with live_slack(socket_mode=False) as live:
        assert (await live.slack.delivery.raw(BODY))[0] == 200
        assert len(live.host.events) == 1
        assert len(live.slack.made("auth.test")) == 1, "asked once, at the start, never before an acknowledgement"


async def test_nobodys_words_and_no_token_in_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with live_slack(socket_mode=False) as live:
            await live.slack.say("U1", "D1", "my secret question")
            await live.host.wait_for(lambda: live.host.events)
            await live.post("my secret answer", live.place("D1"))
            live.slack.fail("chat.postMessage", "error:invalid_auth")
            with pytest.raises(Exception, match="invalid_auth"):
                await live.post("my secret answer", live.place("D1"))
            await live.slack.delivery.request({"type": "event_callback", "event": {"type": "message", "user": "U1"}})
    for secret in ("my secret", live.slack.bot_token, live.slack.signing_secret):
        assert secret not in caplog.text


def test_the_signature_is_slacks() -> None:
    """The example of Slack's own page on verifying requests."""
    secret, stamp = "8f742231b10e8888abcd99yyyzzz85a5", "1531420618"
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert why_refused(secret, body, signature, stamp, 1531420618.0) == ""
    assert sign(secret, body, stamp) == signature
    assert why_refused(secret, body + b" ", signature, stamp, 1531420618.0) == "signature"
    assert why_refused(secret, body, signature, stamp, 1531420618.0 + 301) == "stale"
    assert why_refused(secret, body, "", stamp, 1531420618.0) == "unsigned"


def test_a_form_is_an_interaction_or_a_command() -> None:
    assert parse(b"payload=%7B%22type%22%3A%22block_actions%22%7D", FORM) == {"type": "block_actions"}
    assert parse(b"command=%2Fask&text=a+b&text=c", FORM) == {"command": "/ask", "text": "a b"}
    with pytest.raises(BadRequest):
        parse(b"text=a", FORM)
