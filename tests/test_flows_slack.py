"""From what a person does in Slack to what they see, end to end, over HTTP and over Socket Mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.slack import pacing
from bot.assistant.server import AssistantOptions, start
from bot.errors import Unavailable
from bot.testing.slack import payloads
from bot.testing.slack.platform import FakeSlack
from bot.turns import send
from tests.cli.process import Running, uppzy_bot
from tests.slack_house import DOCS, SlackHouse, slack_environment, slack_house

RETURNS = "When can I return a bicycle?"
LONG = "\n\n".join(f"Paragraph {number}. " + "word " * 500 for number in range(12))


PACE = 0.05
"""Seconds between two posts into a channel, for us and for the loopback Slack, where time is not the point."""


@pytest.fixture(params=["http", "socket"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SlackHouse]:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    async with slack_house(tmp_path, socket_mode=request.param == "socket", pace_seconds=PACE) as running:
        yield running


def eyes(house: SlackHouse, channel: str, ts: str) -> list[str]:
    """The bot's reactions on a message now."""
    shown: list[str] = house.slack.channels[channel].messages[ts].get("bot_reactions", [])
    return shown


async def test_a_direct_message(house: SlackHouse) -> None:
    ts = await house.slack.say("U1", "D1", RETURNS)
    (answer,) = await house.answers(1)
    assert answer["channel"] == "D1"
    assert answer["thread_ts"] == ts, "a top-level message is the root of its own thread"
    assert "30 days" in str(answer["blocks"])
    await house.idle()
    await house.slack.until(lambda: eyes(house, "D1", ts) == [])
    assert len(house.slack.made("reactions.add")) == 1
    second = await house.slack.say("U1", "D1", "When does the shop open?")
    (_, answer) = await house.answers(2)
    assert answer["thread_ts"] == second
    assert len(set(house.sessions())) == 1, "the session is the whole direct message"


async def test_a_mention_its_thread_and_who_is_answered_there(house: SlackHouse) -> None:
    ts = await house.slack.say("U1", "C1", f"<@U0BOT> {RETURNS}")
    (answer,) = await house.answers(1)
    assert (answer["channel"], answer["thread_ts"]) == ("C1", ts)
    await house.idle()
    assert house.asked() == [RETURNS], "message and app_mention are one question"
    await house.slack.say("U1", "C1", "And when does the shop open?", ts)
    await house.answers(2)
    for user, text in (("U2", "I wonder too."), ("U1", "<@U2> what do you think?")):
        await house.slack.say(user, "C1", text, ts)
    await house.slack.say("U1", "C1", "Not for the bot at all.")
    await house.slack.say("U2", "C1", "<@U0BOT> may I ask too?", ts)
    await house.answers(3)
    await house.idle()
    assert house.asked() == [RETURNS, "And when does the shop open?", "may I ask too?"]
    assert len(set(house.sessions())) == 1
    assert {post["thread_ts"] for post in house.slack.posts} == {ts}


async def test_the_slash_command(house: SlackHouse) -> None:
    trigger = await house.slack.ask("U1", "C1", RETURNS)
    (answer,) = await house.answers(1)
    root = house.slack.posts[0]
    assert "thread_ts" not in root
    assert RETURNS in str(root["blocks"])
    assert "Person U1" in str(root["blocks"])
    assert (answer["channel"], answer["thread_ts"]) == ("C1", root["ts"])
    house.slack.send(payloads.slash("U1", "C1", RETURNS, trigger), "slash_commands")
    await house.idle()
    assert house.asked() == [RETURNS], "the same trigger is the same question"
    await house.slack.say("U1", "C1", "When does the shop open?", root["ts"])
    await house.answers(2)
    assert len(set(house.sessions())) == 1, "the thread of an /ask is a conversation like any other"
    await house.slack.ask("U1", "C2", "")
    await house.slack.until(lambda: any("!new" in str(post["blocks"]) for post in house.slack.posts))


async def test_where_the_bot_is_no_member_the_answer_is_a_direct_message(house: SlackHouse) -> None:
    await house.slack.ask("U1", "CX", RETURNS)
    await house.answers(1, "D1")
    said = payloads.next_ts()
    house.slack.channels["CX"].messages[said] = payloads.message("CX", "U2", "When does the shop open?", said)
    await house.slack.shortcut("U1", "CX", said)
    await house.answers(2, "D1")
    assert {post["channel"] for post in house.slack.posts} == {"D1"}


async def test_the_message_shortcut(house: SlackHouse) -> None:
    ts = await house.slack.say("U2", "C1", RETURNS)
    await house.slack.shortcut("U1", "C1", ts)
    (answer,) = await house.answers(1)
    assert (answer["channel"], answer["thread_ts"]) == ("C1", ts)
    assert house.asked() == [RETURNS]


async def test_the_shortcut_on_what_somebody_has_asked_already(house: SlackHouse) -> None:
    """Each who chooses it is answered, and once: where the bot is no member, in their own direct message."""
    said = payloads.next_ts()
    house.slack.channels["CX"].messages[said] = payloads.message("CX", "U3", RETURNS, said)
    await house.slack.shortcut("U1", "CX", said)
    await house.answers(1, "D1")
    await house.slack.shortcut("U2", "CX", said)
    await house.answers(1, "D2")
    ts = await house.slack.say("U1", "C1", f"<@U0BOT> {RETURNS}")
    await house.answers(1, "C1")
    chosen = payloads.shortcut("U2", "C1", house.slack.channels["C1"].messages[ts], house.slack.trigger())
    for _ in range(2):
        house.slack.send(chosen, "interactive")  # the same trigger is the same choice
    assert [one["thread_ts"] for one in await house.answers(2, "C1")] == [ts, ts]
    await house.idle()
    assert len(house.asked()) == 4


async def test_a_long_answer_and_feedback_on_any_part(house: SlackHouse) -> None:
    house.assistant.script(contains="long", answer=LONG)
    ts = await house.slack.say("U1", "D1", "A long story, please.")
    await house.answers(1)
    parts = [post["ts"] for post in house.slack.posts]
    assert len(parts) >= 3
    assert {post["thread_ts"] for post in house.slack.posts} == {ts}
    shown = " ".join(str(post["blocks"]) for post in house.slack.posts)
    places = [shown.index(f"Paragraph {number}.") for number in range(12)]
    assert places == sorted(places)
    await house.slack.react("U1", "D1", parts[1], "+1::skin-tone-3")
    await house.slack.until(lambda: house.rated() == ["good"])
    await house.slack.react("U1", "D1", parts[1], "+1::skin-tone-3", added=False)
    await house.slack.react("U1", "D1", parts[0], "thumbsdown")
    await house.slack.until(lambda: house.rated() == ["good", "bad"])
    await house.slack.react("U1", "D1", parts[0], "eyes")
    await house.slack.react("U1", "D1", parts[0], "thumbsdown", added=False)
    await house.slack.until(lambda: house.count("feedback_total", channel="slack", rating="bad", outcome="retracted"))
    assert house.rated() == ["good", "bad"]


async def test_the_button_and_the_form_behind_it(house: SlackHouse) -> None:
    await house.slack.say("U1", "C1", f"<@U0BOT> {RETURNS}")
    (answer,) = await house.answers(1)
    await house.slack.click("U2", "C1", answer["ts"], "bad")
    await house.slack.click("U1", "C1", answer["ts"], "bad")
    await house.slack.until(lambda: house.slack.views)
    await house.slack.until(lambda: house.rated() == ["bad"])
    await house.slack.submit("U1", "It is about cars, not bicycles.")
    await house.slack.until(lambda: house.slack.counts["acknowledged"] and house.slack.nothing_under_way)
    await house.slack.click("U1", "C1", answer["ts"], "bad")
    await house.idle()
    assert len(house.slack.views) == 1, "the asker alone is asked why, and once"
    stored = await house.bot.db.read(lambda tx: tx.all("SELECT * FROM comments"))
    assert ["cars, not bicycles" in row["text"] for row in stored] == [True]


async def test_the_same_event_three_times_and_as_two_events(house: SlackHouse) -> None:
    ts = payloads.next_ts()
    event = payloads.message("C1", "U1", f"<@U0BOT> {RETURNS}", ts)
    house.slack.channels["C1"].messages[ts] = dict(event)
    first = payloads.event_callback(event)
    second = payloads.event_callback(payloads.mention("C1", "U1", f"<@U0BOT> {RETURNS}", ts))
    await asyncio.gather(*(house.slack.send(payload) for payload in (first, first, second, first)))
    await house.answers(1)
    await house.idle()
    assert house.asked() == [RETURNS]
    assert len(house.slack.posts) == 1


async def test_a_connection_dropped_after_slack_stored_the_post(
    house: SlackHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    if house.slack.events_url is None:
        monkeypatch.setattr(send, "LOOK_AFTER", 0.5)  # once with the true time is enough
    house.slack.fail("chat.postMessage", "drop")
    await house.slack.say("U1", "D1", RETURNS)
    await house.slack.until(lambda: house.count("deliveries_total", channel="slack", outcome="reconciled"))
    await house.idle()
    assert len(house.slack.posts) == 1
    assert len(house.slack.made("chat.postMessage")) == 1


async def test_retry_after_on_the_second_part_at_slacks_own_pace(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=True) as house:
        house.assistant.script(contains="long", answer=LONG)
        house.slack.fail("chat.postMessage", "rate_limited", retry_after=3, skip=1)
        await house.slack.say("U1", "D1", "A long story, please.")
        await house.answers(1)
        calls = house.slack.made("chat.postMessage")
        refused = next(index for index, call in enumerate(calls) if call.error)
        assert refused == 1
        assert calls[2].at - calls[1].at >= 3.0, "sooner than Slack allowed"
        shown = " ".join(str(post["blocks"]) for post in house.slack.posts)
        places = [shown.index(f"Paragraph {number}.") for number in range(12)]
        assert places == sorted(places)


async def test_changed_messages_bring_no_second_answer(house: SlackHouse) -> None:
    """Our own posts and the counters of the thread come back as events too: the loopback Slack echoes."""
    ts = await house.slack.say("U1", "C1", f"<@U0BOT> {RETURNS}")
    await house.answers(1)
    await house.slack.unfurl("C1", ts)
    await house.slack.unfurl("C1", house.slack.posts[0]["ts"])
    await house.idle()
    assert house.asked() == [RETURNS]
    assert len(house.slack.posts) == 1


async def test_edits_and_deletions(house: SlackHouse) -> None:
    house.assistant.set_delay(1.0)
    ts = await house.slack.say("U1", "D1", "When dose the shop opne?")
    await house.slack.until(lambda: house.asked())
    await house.slack.edit("D1", ts, "When does the shop open?")
    gone = await house.slack.say("U2", "D2", RETURNS)
    await house.slack.until(lambda: RETURNS in house.asked())
    await house.slack.erase("D2", gone)
    await house.answers(1, "D1")
    await house.idle()
    assert house.asked().count("When does the shop open?") == 1
    assert not house.slack.answers("D2")
    assert len(house.slack.answers("D1")) == 1
    assert house.count("turns_total", channel="slack", outcome="cancelled") == 1


async def test_a_deleted_root_with_replies_is_a_deleted_question(house: SlackHouse) -> None:
    """Slack then sends no message_deleted, but a message_changed with a tombstone."""
    house.assistant.set_delay(1.0)
    ts = await house.slack.say("U1", "C1", f"<@U0BOT> {RETURNS}")
    await house.slack.say("U2", "C1", "I wonder too.", ts)
    await house.slack.until(lambda: house.asked())
    await house.slack.erase("C1", ts)
    assert house.slack.channels["C1"].messages[ts]["subtype"] == "tombstone"
    await house.idle()
    assert house.slack.posts == []
    assert house.count("turns_total", channel="slack", outcome="cancelled") == 1


async def test_an_edit_that_adds_the_mention_is_a_question(house: SlackHouse) -> None:
    ts = await house.slack.say("U1", "C1", RETURNS)
    await house.slack.edit("C1", ts, f"<@U0BOT> {RETURNS}")
    (answer,) = await house.answers(1)
    assert answer["thread_ts"] == ts


async def test_while_the_store_fails_nothing_is_acknowledged(
    house: SlackHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.slack.sockets.ack_seconds = 1.0
    write, failing = house.bot.db.write, True

    async def write_or_fail(work: Any, **how: Any) -> Any:
        if failing:
            raise Unavailable("The disk is full.")
        return await write(work, **how)

    monkeypatch.setattr(house.bot.db, "write", write_or_fail)
    ts = payloads.next_ts()
    house.slack.channels["D1"].messages[ts] = payloads.message("D1", "U1", RETURNS, ts)
    task = house.slack.event(payloads.message("D1", "U1", RETURNS, ts))
    await house.slack.until(lambda: house.slack.counts["deliveries"] >= 2)
    assert not task.done()
    assert house.asked() == []
    failing = False
    assert await task
    await house.answers(1)
    await house.idle()
    assert house.asked() == [RETURNS]


async def test_typed_commands(house: SlackHouse) -> None:
    await house.slack.say("U1", "D1", RETURNS)
    await house.answers(1)
    await house.slack.say("U1", "D1", "!new")
    await house.slack.until(lambda: any("new conversation" in post["text"] for post in house.slack.posts))
    await house.slack.say("U1", "D1", "!ask When does the shop open?")
    await house.answers(2)
    assert house.asked() == [RETURNS, "When does the shop open?"]
    assert len(set(house.sessions())) == 2
    await house.slack.say("U1", "C1", "<@U0BOT> !help")
    await house.slack.until(lambda: any("!ask" in str(post["blocks"]) for post in house.slack.posts))


async def test_who_and_what_gets_no_answer(house: SlackHouse) -> None:
    bot = {"user": "U7BOT", "bot_id": "B7"}
    for event, envelope in (
        (payloads.mention("C1", "UEXT", "<@U0BOT> hi", payloads.next_ts(), user_team="T0OTHER"), True),
        ({**payloads.mention("C1", "U7BOT", "<@U0BOT> ping", payloads.next_ts()), **bot}, False),
        ({**payloads.message("D1", "U7BOT", "ping", payloads.next_ts()), **bot}, False),
    ):
        assert await house.slack.event(event, is_ext_shared_channel=envelope)
    file_only = payloads.message("D1", "U1", "", payloads.next_ts(), subtype="file_share", files=[{"id": "F1"}])
    assert await house.slack.event(file_only)
    await house.slack.until(lambda: any("cannot read files" in post["text"] for post in house.slack.posts))
    await house.idle()
    assert house.asked() == []
    assert len(house.slack.posts) == 1


async def test_generated_text_pings_nobody(house: SlackHouse) -> None:
    nasty = "<!channel> <!here> <@U2> <#C1> [look](https://evil.example/) ~~<!everyone>~~"
    house.assistant.script(contains="ping", answer=f"{nasty}\n\n# {nasty}\n\n| a |\n|-|\n| {nasty.replace('|', '')} |")
    await house.slack.ask("U1", "C1", f"ping {nasty}")
    await house.answers(1)
    assert house.slack.violations == []


async def test_the_home_tab(house: SlackHouse) -> None:
    await house.slack.say("U1", "D1", RETURNS)
    await house.slack.say("U2", "D2", "When does the shop open?")
    await house.answers(2)
    await house.idle()
    await house.slack.open_home("U1")
    await house.slack.until(lambda: "U1" in house.slack.homes)
    page = str(house.slack.homes["U1"])
    assert RETURNS in page
    assert "shop open" not in page, "nothing of other people's"
    (answer,) = house.slack.answers("D1")
    assert f"archives/D1/p{answer['ts'].replace('.', '')}" in page


async def test_twenty_questions_at_once_keep_their_order_per_thread(house: SlackHouse) -> None:
    house.assistant.set_delay(0.01)
    roots = [await house.slack.say("U1", channel, "Nobody asked.") for channel in ("C1", "C2")]
    await house.slack.until(lambda: house.slack.nothing_under_way)
    said = [
        (channel, root, f"question {number}")
        for number in range(10)
        for channel, root in zip(("C1", "C2"), roots, strict=True)
    ]
    for channel, root, text in said:
        await house.slack.say("U1", channel, f"<@U0BOT> {text}", root)
    await house.answers(20)
    await house.idle()
    asked: dict[str, list[str]] = {}
    for session, text in zip(house.sessions(), house.asked(), strict=True):
        asked.setdefault(session, []).append(text)
    firsts = [texts[0] for texts in asked.values()]
    assert all("Nobody asked." in text and text.endswith("question 0") for text in firsts), "the thread goes along once"
    assert [texts[1:] for texts in asked.values()] == [[f"question {number}" for number in range(1, 10)]] * 2


async def test_an_agent_stops_when_told(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=True, agent=True, delay=1.0) as house:
        ts = await house.slack.say("U1", "D1", RETURNS)
        await house.slack.until(lambda: house.asked())
        await house.slack.until(lambda: house.slack.statuses)
        await house.slack.stop_session("U1", "D1", ts)
        await house.slack.until(lambda: house.count("turns_total", channel="slack", outcome="cancelled"))
        await house.slack.until(lambda: house.slack.statuses[-1]["status"] == "active")
        assert house.slack.statuses[0]["title"] == RETURNS
        assert house.slack.posts == []


async def test_the_agent_offers_the_sites_own_questions(tmp_path: Path) -> None:
    async with slack_house(tmp_path, socket_mode=True, agent=True) as house:
        address = f"{house.assistant.base_url}/m2m/sites/demo/widget-config"
        asks = aiohttp.ClientSession(headers={"X-API-Key": "demo"})
        async with asks as session, session.patch(address, json={"suggestedQuestion1": RETURNS}) as reply:
            assert reply.status == 200
        await house.slack.open_home("U1", "messages")
        await house.slack.until(lambda: house.slack.prompts)
        assert house.slack.prompts[0]["channel_id"] == "D1"
        assert house.slack.prompts[0]["prompts"] == [{"title": RETURNS, "message": RETURNS}]


async def test_sockets_cut_in_the_middle_of_a_burst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    async with slack_house(tmp_path, socket_mode=True, pace_seconds=PACE) as house:
        house.assistant.set_delay(0.01)
        house.slack.sockets.refuse_tickets(1)
        for number in range(10):
            await house.slack.say("U1", "D1", f"question {number}")
            if number in (3, 6):
                await house.slack.sockets.cut(1)
        await house.answers(10)
        await house.idle()
        assert sorted(house.asked()) == sorted(f"question {number}" for number in range(10))


async def test_from_an_empty_workspace_to_the_first_answer(tmp_path: Path) -> None:
    """The README's steps, with the real commands: make the app, set the tokens, look, run, ask."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "faq.md").write_text(DOCS["faq.md"])
    assistant = await start(AssistantOptions(docs=docs, port=0, delay=0.05))
    async with FakeSlack(agent=True, echo=True, pace_seconds=1.0) as slack:
        tokens = slack_environment(slack, assistant.base_url, tmp_path, socket_mode=True)
        command = await asyncio.to_thread(
            lambda: uppzy_bot(
                *("manifest", "slack", "--apply"),
                cwd=tmp_path,
                SLACK_CONFIG_TOKEN=slack.config_token,
                SLACK_API_URL=slack.api_url,
            )
        )
        assert command.returncode == 0, command.stderr
        assert "install it" in command.stdout
        assert slack.manifests["A0NEW"]["settings"]["socket_mode_enabled"]
        bot = Running("run", cwd=tmp_path, **tokens)
        try:
            await slack.until(lambda: slack.sockets.count == 2, timeout=60)
            ts = await slack.say("U1", "D1", RETURNS)
            await slack.until(lambda: slack.answers("D1"), timeout=60)
            assert slack.answers("D1")[0]["thread_ts"] == ts
        finally:
            code = await asyncio.to_thread(bot.stop)
        print("".join(bot.stderr))
        assert code == 0
        assert slack.violations == []
        logged = "".join(bot.stdout + bot.stderr)
        for secret in (slack.bot_token, slack.app_token, RETURNS):
            assert secret not in logged
    await assistant.close()
