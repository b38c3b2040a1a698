"""Socket Mode: tickets, renewal, cuts, and nothing lost on the way."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack import socket as socket_module
from adapters.slack.adapter import SlackAdapter
from adapters.slack.config import SlackSettings
from bot.errors import Misconfigured
from bot.events import Message
from bot.testing.host import FakeHost
from bot.testing.slack import payloads
from bot.testing.slack.platform import FakeSlack
from tests.adapters.slack_live import live_slack


async def test_two_connections_and_no_http() -> None:
    async with live_slack() as live:
        assert live.slack.sockets.count == 2
        assert live.host.routes == {}


async def test_renewal_keeps_one_open() -> None:
    """Slack asks both at once to go: they are renewed one after the other, each opened before the old one closes."""
    async with live_slack() as live:
        old = list(live.slack.sockets._open)
        await live.slack.sockets.renew("warning")
        await live.slack.until(lambda: live.slack.sockets.count == 4)
        for link in old:
            await link.close()
        await live.slack.until(lambda: live.slack.sockets.count == 2)
        assert live.slack.sockets.fewest is not None
        assert live.slack.sockets.fewest >= 2, "there was a moment with fewer than two"
        assert await live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))


async def test_the_old_socket_is_listened_to_while_it_lasts() -> None:
    async with live_slack() as live:
        (old, _) = live.slack.sockets._open
        await live.slack.sockets.renew("warning", count=1)
        await live.slack.until(lambda: live.slack.sockets.handed_out == 3)
        live.slack.sockets._open = [old]
        assert await live.slack.sockets.push(
            payloads.event_callback(payloads.message("D1", "U1", "late", payloads.next_ts())), "events_api"
        )


async def test_too_many_connections_closes_the_old_one_first() -> None:
    async with live_slack() as live:
        await live.slack.sockets.renew("too_many_websockets", count=1)
        await live.slack.until(lambda: live.slack.sockets.handed_out == 3)
        await live.slack.until(lambda: live.slack.sockets.count == 2)
        assert live.slack.sockets.most == 2


async def test_a_refused_ticket_costs_one_attempt() -> None:
    """slack_sdk 3.47 tries the same refused ticket again for ever."""
    async with FakeSlack() as slack, FakeHost() as host:
        slack.sockets.refuse_tickets(3)
        running = _run(slack, host)
        await slack.until(lambda: slack.sockets.count == 2)
        assert slack.sockets.handed_out == 5
        await _stop(running)


async def test_a_limited_ticket_office_is_asked_again_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSlack() as slack, FakeHost() as host:
        slack.fail("apps.connections.open", "rate_limited", times=1, retry_after=0.3)
        running = _run(slack, host)
        await slack.until(lambda: slack.sockets.count == 2)
        first, second, *_ = slack.made("apps.connections.open")
        assert second.at - first.at >= 0.3
        await _stop(running)


async def test_a_wrong_app_token_ends_run_with_what_to_do() -> None:
    async with FakeSlack() as slack, FakeHost() as host:
        slack.fail("apps.connections.open", "error:invalid_auth", times=None)
        with pytest.raises(Misconfigured):
            await asyncio.wait_for(_adapter(slack).run(host), 20)


async def test_socket_mode_turned_off_ends_run_with_what_to_do() -> None:
    async with FakeSlack() as slack, FakeHost() as host:
        running = _run(slack, host)
        await slack.until(lambda: slack.sockets.count == 2)
        await slack.sockets.renew("link_disabled", count=1)
        with pytest.raises(Misconfigured, match="turned off"):
            await asyncio.wait_for(running, 20)


async def test_every_envelope_is_acknowledged_known_or_not() -> None:
    async with live_slack() as live:
        for payload, kind in (
            (payloads.event_callback({"type": "team_join"}), "events_api"),
            ({"type": "view_closed", "view": {}}, "interactive"),
            ({"type": "options_we_never_asked_for"}, "interactive"),
            ({}, "something_new"),
        ):
            assert await live.slack.sockets.push(payload, kind, seconds=20)
        assert live.host.deliveries == []


async def test_noise_on_the_socket_does_no_harm() -> None:
    async with live_slack() as live:
        for text in ("not json", "[1, 2]", '{"type": "hello"}', '{"envelope_id": 7}', "{" * 10_000):
            await live.slack.sockets.send_raw(text)
        assert await live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))
        assert len(live.host.events) == 1


async def test_a_socket_cut_in_the_middle_of_an_envelope() -> None:
    """Stored but not acknowledged: Slack sends it again over another connection, and it is the same event."""
    async with live_slack() as live:
        live.host.hold = asyncio.Event()
        task = live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))
        await live.host.wait_for(lambda: live.host.deliveries)
        await live.slack.sockets.cut()
        await live.slack.until(lambda: live.slack.sockets.count == 2)
        live.host.recover()
        assert await task
        await live.host.wait_for(lambda: len(live.host.deliveries) >= 2)
        assert len(live.host.events) == 1


async def test_not_stored_is_not_acknowledged_and_comes_again() -> None:
    async with live_slack() as live:
        live.slack.sockets.ack_seconds = 0.3
        live.host.fail()
        task = live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))
        await live.host.wait_for(lambda: live.host.deliveries)
        await asyncio.sleep(0.1)
        live.slack.sockets.ack_seconds = 20.0
        live.host.recover()
        assert await task
        assert len(live.host.events) == 1


async def test_twenty_questions_at_once_over_two_sockets_with_cuts() -> None:
    """Nothing is lost, and each keeps the platform's time, by which the core orders."""
    async with live_slack() as live:
        stamps = [payloads.next_ts() for _ in range(20)]
        tasks = [
            live.slack.event(payloads.message("D1", "U1", f"question {number}", ts)) for number, ts in enumerate(stamps)
        ]
        await live.slack.sockets.cut(1)
        await asyncio.gather(*tasks)
        await live.host.wait_for(lambda: len(live.host.events) == 20)
        asked = [event for event in live.host.events if isinstance(event, Message)]
        ordered = sorted(asked, key=lambda event: event.sent_at)
        assert [event.ref.message_id for event in ordered] == stamps


async def test_stopping_lets_what_is_in_hand_be_stored_and_acknowledged() -> None:
    async with FakeSlack() as slack, FakeHost() as host:
        running = _run(slack, host)
        await slack.until(lambda: slack.sockets.count == 2)
        host.hold = asyncio.Event()
        task = slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))
        await host.wait_for(lambda: host.deliveries)
        running.cancel()
        await asyncio.sleep(0.1)
        host.recover()
        assert await asyncio.wait_for(task, 20)
        await asyncio.gather(running, return_exceptions=True)
        assert len(host.events) == 1
        assert slack.sockets.count == 0


async def test_while_nobody_listens_it_tries_again_with_growing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_module, "FIRST_WAIT", 0.05)
    async with live_slack() as live:
        await live.slack.refuse()
        await asyncio.sleep(0.3)
        await live.slack.listen()
        await live.slack.until(lambda: live.slack.sockets.count == 2)
        assert await live.slack.event(payloads.message("D1", "U1", "hi", payloads.next_ts()))


def _adapter(slack: FakeSlack) -> SlackAdapter:
    settings = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
    }
    return SlackAdapter(SlackSettings.model_validate(settings))


def _run(slack: FakeSlack, host: FakeHost) -> asyncio.Task[None]:
    return asyncio.create_task(_adapter(slack).run(host))


async def _stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
