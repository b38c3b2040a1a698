"""Slack refuses every post with blocks, Telegram every entity: all answers arrive as text, once, and are rated."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.slack import pacing
from bot import notices
from tests.slack_house import slack_house
from tests.test_flows_telegram import ANNA
from tests.test_flows_telegram import a_house as telegram_house

TABLE = "Here it is:\n\n| A | B |\n|---|---|\n| one | two |\n\nSee `/start` and `main.py`, or **ask** @everyone.\n"
LONG = "\n\n".join(f"**Paragraph {number}.** " + "word " * 300 for number in range(12))
PACE = 0.02


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "invalid_attachments", "invalid_arguments"])
async def test_slack_refuses_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    async with slack_house(tmp_path, socket_mode=True, pace_seconds=PACE) as house:
        house.slack.refuse_blocks = code
        house.assistant.script(contains="table", answer=TABLE)
        house.assistant.script(contains="long", answer=LONG)
        await house.slack.say("U1", "D1", "a table please")
        await house.slack.until(lambda: house.slack.posts)
        await house.slack.say("U1", "C1", "<@U0BOT> a long one")
        await house.slack.until(lambda: len(house.slack.posts) >= 6)
        await house.idle()
        table, *long = house.slack.posts
        assert all(not post["blocks"] and len(post["text"]) <= 4_000 for post in house.slack.posts)
        assert all(word in table["text"] for word in ("one", "two", "/start", "main.py"))
        text = " ".join(post["text"] for post in long)
        assert text.count("word") == 12 * 300
        assert [text.count(f"Paragraph {number}.") for number in range(12)] == [1] * 12
        ids = [post["metadata"]["event_payload"] for post in house.slack.posts]
        assert len({str(payload) for payload in ids}) == len(ids)
        assert house.count("deliveries_plain_total", channel="slack", reason=code) == 2
        assert house.count("turns_total", channel="slack", outcome="answered") == 2
        await house.slack.react("U1", "C1", long[1]["ts"], "-1")
        await house.slack.until(lambda: house.rated() == ["bad"])
        await house.slack.react("U1", "D1", table["ts"], "+1")
        await house.slack.until(lambda: house.rated() == ["bad", "good"])


async def test_slack_refuses_the_blocks_of_notices_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    async with slack_house(tmp_path, socket_mode=True, pace_seconds=PACE) as house:
        house.slack.refuse_blocks = "invalid_blocks"
        await house.slack.say("U1", "D1", "!help")
        await house.slack.until(lambda: any("!new" in post["text"] for post in house.slack.posts))
        await house.slack.ask("U1", "C1", "When can I return a bicycle?")
        await house.slack.until(lambda: any("30 days" in post["text"] for post in house.slack.posts))
        (root,) = [post for post in house.slack.posts if post["channel"] == "C1" and "thread_ts" not in post]
        assert "Person U1 asked with /ask" in root["text"]


async def test_a_thread_that_was_locked_gets_a_notice_in_its_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    async with slack_house(tmp_path, socket_mode=True, pace_seconds=PACE, delay=0.5) as house:
        ts = await house.slack.say("U1", "C1", "<@U0BOT> When can I return a bicycle?")
        await house.slack.until(lambda: house.asked())
        house.slack.locked.add(ts)
        await house.slack.until(lambda: house.slack.posts)
        await house.idle()
        (notice,) = house.slack.posts
        assert "reference" in notice["text"]
        assert "thread_ts" not in notice
        assert "30 days" not in str(notice)


# Telegram


async def test_telegram_refuses_entities(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        house.telegram.methods.refuse_entities = True
        house.assistant.script(contains="table", answer=TABLE)
        house.assistant.script(contains="long", answer=LONG)
        private = house.world.private(ANNA)
        await house.world.say(private, ANNA, "a table please")
        (table,) = await house.wait_answers(1, private)
        assert not [entity for entity in table.get("entities", []) if entity["type"] in ("bot_command", "mention")]
        assert all(word in table["text"].replace("\u2060", "") for word in ("one", "two", "/start", "main.py"))
        group = house.world.group("Team", admin=True)
        await house.world.say(group, ANNA, "@Test_bot a long one")
        await house.wait_answers(5, group)
        await house.idle()
        long = house.answers(group)
        text = " ".join(message["text"] for message in long)
        assert text.count("word") == 12 * 300
        assert [text.count(f"Paragraph {number}.") for number in range(12)] == [1] * 12
        assert house.count("deliveries_plain_total", channel="telegram", reason="entities") == 2
        assert house.count("turns_total", channel="telegram", outcome="answered") == 2
        await house.world.react(group, long[1]["message_id"], ANNA, "👎")
        await house.wait_rated("bad")
        await house.world.click(private, table["message_id"], ANNA, "rate:good")
        await house.wait_rated("bad", "good")


async def test_a_topic_that_was_closed_gets_no_answer_and_the_general_one_only_a_reference(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        house.assistant.set_delay(0.4)
        world, forum = house.world, house.world.group("Forum", forum=True, admin=False)
        thread = world.topic(forum)
        await world.say(forum, ANNA, "@Test_bot when does the shop open?", thread=thread)
        await house.telegram.wait_for(lambda: house.asked())
        forum.closed.add(thread)
        (notice,) = await house.wait_answers(1, forum)
        await house.idle()
        assert len(house.answers(forum)) == 1
        assert "message_thread_id" not in notice
        assert "reply_to_message" not in notice
        assert "nine" not in notice["text"]
        (row,) = await house.rows("SELECT reference, kind FROM dead")
        assert row["reference"] in notice["text"]
        assert row["kind"] == "delivery"


async def test_other_notices_stay_out_of_the_general_topic(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        world, forum = house.world, house.world.group("Forum", forum=True, admin=False)
        thread = world.topic(forum)
        forum.closed.add(thread)
        await world.say(forum, ANNA, "/help@Test_bot", thread=thread)
        await house.telegram.wait_for(lambda: house.telegram.called("sendMessage"))
        await house.idle()
        assert house.answers(forum) == []


async def test_a_second_copy_on_telegram_says_so(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        house.telegram.fail("cut_after_write", method="sendMessage", times=1)
        chat = house.world.private(ANNA)
        await house.world.say(chat, ANNA, "When can I return a bicycle?")
        first, second = await house.wait_answers(2, chat)
        assert second["text"] == f"{first['text']}\n\n{notices.SECOND_COPY}"
        await house.idle()
        assert house.count("deliveries_total", channel="telegram", outcome="resent_unknown") == 1


# Added


async def test_the_greeting_is_said_once_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.turns.notice.MOVE_SECONDS", 0.2)
    async with telegram_house(tmp_path) as house:
        world, group = house.world, house.world.group("Team", admin=False)
        group.member = False
        await world.membership(group, ANNA, "member")
        (greeting,) = await house.wait_answers(1, group)
        assert "mention me" in greeting["text"]
        assert "/ask" in greeting["text"]
        for status in ("left", "member", "administrator"):
            await world.membership(group, ANNA, status)
        await world.membership(world.private(ANNA), ANNA, "member")
        channel = world.group("News", admin=False)
        channel.type, channel.member = "channel", False
        await world.membership(channel, ANNA, "member")
        await house.idle()
        await world.say(group, ANNA, "@Test_bot when does the shop open?")
        await house.wait_answers(2, group)
        assert len(house.answers()) == 2


@pytest.mark.parametrize("moved_first", [True, False])
async def test_a_group_that_moved_is_not_greeted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved_first: bool
) -> None:
    monkeypatch.setattr("bot.turns.notice.MOVE_SECONDS", 0.5)
    async with telegram_house(tmp_path) as house:
        world, old, new = house.world, house.world.group("Team"), house.world.group("Team", admin=False)
        await world.say(old, ANNA, "@Test_bot when does the shop open?")
        await house.wait_answers(1, old)
        service = world.new_message(new, ANNA, migrate_from_chat_id=old.id)

        async def move() -> None:
            await world.updates.push("message", service)

        new.member = False
        if moved_first:
            await move()
        await world.membership(new, ANNA, "member")
        if not moved_first:
            await move()
        await house.idle()
        await house.telegram.wait_for(lambda: house.bot.engine.open_questions == 0)
        while await house.rows("SELECT * FROM turns WHERE state='open'"):
            await asyncio.sleep(0.05)
        assert house.answers(new) == []


@pytest.mark.parametrize("settings", [{"BOT_ACCESS__GREETING": "false"}, {"BOT_ACCESS__TELEGRAM": "listed"}])
async def test_no_greeting_outside_the_policy_or_where_it_is_switched_off(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    async with telegram_house(tmp_path, **settings) as house:
        group = house.world.group("Team", admin=False)
        group.member = False
        await house.world.membership(group, ANNA, "member")
        await house.idle()
        assert await house.rows("SELECT * FROM turns") == []


async def test_slack_greets_the_channel_and_a_failure_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pacing, "SECONDS_PER_POST", PACE)
    monkeypatch.setattr("bot.turns.notice.MOVE_SECONDS", 0.2)
    from bot.testing.slack import payloads

    def joined(channel: str) -> dict[str, Any]:
        event = {"type": "member_joined_channel", "user": "U0BOT", "channel": channel, "channel_type": "C"}
        return payloads.event_callback({**event, "team": "T0LOOP", "inviter": "U1", "event_ts": payloads.next_ts()})

    async with slack_house(tmp_path, socket_mode=True, pace_seconds=PACE) as house:
        for _ in range(2):
            house.slack.send(joined("C1"))
        house.slack.send(joined("CX"))
        await house.slack.until(lambda: house.slack.posts)
        await house.idle()
        turns = "SELECT outcome FROM turns WHERE notice='greeting' ORDER BY outcome"
        while [row["outcome"] for row in await house.bot.db.read(lambda tx: tx.all(turns))] != ["answered", "failed"]:
            await asyncio.sleep(0.05)
        (greeting,) = house.slack.posts
        assert (greeting["channel"], "mention me" in greeting["text"]) == ("C1", True)
        assert await house.bot.db.read(lambda tx: tx.all("SELECT * FROM dead")) == []


# An anonymous administrator


@pytest.mark.parametrize(
    ("title", "anonymous", "votes"),
    [("Boss", {7: "Boss"}, ["group"]), ("", {7: ""}, ["group"]), ("Boss", {7: "Aide"}, ["7"]), ("Boss", {}, ["7"])],
)
async def test_an_anonymous_administrator_asks_and_clicks_as_one_person(
    tmp_path: Path, title: str, anonymous: dict[int, str], votes: list[str]
) -> None:
    """Where Telegram tells; else the click is of a person who did not ask."""
    async with telegram_house(tmp_path, BOT_FEEDBACK__VOTERS="asker") as house:
        world, group = house.world, house.world.group("Team", admin=True)
        group.anonymous = anonymous
        world.private(ANNA)
        ghost = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
        signed = {"author_signature": title} if title else {}
        await world.say(group, ghost, "@Test_bot when does the shop open?", sender_chat=group.public(), **signed)
        (answer,) = await house.wait_answers(1, group)
        await world.click(group, answer["message_id"], ANNA, "rate:bad")
        await house.idle()
        found: list[Any] = []
        while not found:
            await asyncio.sleep(0.05)
            found = await house.rows("SELECT user_id FROM clicks")
        assert [row["user_id"].replace(str(group.id), "group") for row in found] == votes
        if votes == ["group"]:
            await house.wait_rated("bad")
