"""Telegram at its worst: hostile and half-known updates, refusals in the middle of things."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import bot.supervisor
from adapters.telegram.webhook import SECRET_HEADER
from bot.testing import payload_files
from bot.testing.telegram.platform import person
from bot.testing.telegram.text import JSON
from tests import PAYLOADS
from tests.test_flows_telegram import ANNA, BEN, House, a_house, reply_of, ticks

HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**31, 2**64, 10**30, 1.5, float("nan"), "", "x", "\ud800", "a\x00b", "7" * 70_000),
    *([], {}, [[]], [{}], {"id": "x"}, {"id": 7, "type": "group"}, "\U0001f600" * 5_000),
)
PHOTO = [{"file_id": "A", "file_unique_id": "B", "width": 1, "height": 1}]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(bot.supervisor, "RESTART_AFTER", 0.1)
    monkeypatch.setattr(bot.supervisor, "LONGEST_RESTART", 0.5)
    async with a_house(tmp_path) as made:
        yield made


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List the path of everything inside."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from places(each, (*path, key))


def spoiled(chance: random.Random, update: JSON) -> JSON:
    """Take something out, put something unknown in, or replace something with what nobody expects there."""
    made = copy.deepcopy(update)
    for _ in range(chance.choice([1, 1, 2, 3])):
        *way, last = chance.choice([path for path in places(made) if path != ("update_id",)])
        inside: Any = made
        for key in way:
            inside = inside[key]
        match chance.randrange(4):
            case 0:
                del inside[last]
            case 1 if isinstance(inside, dict):
                inside["tomorrow"] = {"unheard": "of"}
            case _:
                inside[last] = chance.choice(HOSTILE)
        if set(made) == {"update_id"}:
            return made
    return made


async def still_answers(house: House, number: int = 500) -> None:
    who = person(number, "Zoe")
    chat = house.world.private(who)
    await house.world.say(chat, who, "When does the shop open?")
    (answer,) = await house.wait_answers(1, chat)
    assert "nine" in answer["text"]


def set_aside(house: House) -> float:
    return house.count("events_total", channel="telegram", kind="payload", outcome="poison")


async def test_hostile_updates_are_taken_or_set_aside_and_never_answered_with_5xx(tmp_path: Path) -> None:
    """A 5xx would make Telegram bring the update again for a day, and hold up its chat as long."""
    chance = random.Random(5)
    cases = [case.payload for case in payload_files.load(PAYLOADS / "telegram")]
    async with a_house(tmp_path, webhook=True) as house:
        assert house.bot.web.url is not None
        address = house.bot.web.url.rstrip("/") + "/telegram/webhook"
        headers = {"Content-Type": "application/json", SECRET_HEADER: "a_Secret"}
        statuses: Counter[int] = Counter()
        async with aiohttp.ClientSession() as session:
            for number in range(300):
                update = spoiled(chance, chance.choice(cases)) | {"update_id": 10_000 + number}
                body = io.BytesIO(json.dumps(update).encode())
                async with session.post(address, data=body, headers=headers) as answer:
                    statuses[answer.status] += 1
        assert statuses == {200: 300}
        assert 0 < set_aside(house) < 300
        await still_answers(house)


async def test_nested_as_deeply_as_can_be_read_it_still_ends_here(tmp_path: Path) -> None:
    async with a_house(tmp_path, webhook=True) as house:
        assert house.bot.web.url is not None
        address = house.bot.web.url.rstrip("/") + "/telegram/webhook"
        headers = {"Content-Type": "application/json", SECRET_HEADER: "a_Secret"}
        seen = set()
        async with aiohttp.ClientSession() as session:
            for depth in (*range(700, 1000, 4), 5000, 100_000):  # 3.12 and later read deeper than 3.11
                body = io.BytesIO(b'{"update_id": %d, "message": %s%s}' % (depth, b"[" * depth, b"]" * depth))
                async with session.post(address, data=body, headers=headers) as answer:
                    seen.add(answer.status)
        assert seen == {200, 400}
        await still_answers(house)


async def test_a_token_refused_in_the_middle_and_given_back(house: House) -> None:
    """The operator revokes the token by mistake: degraded, nothing lost, and it goes on by itself."""
    await still_answers(house)
    house.telegram.fail("bad_token")
    await house.world.say(house.world.private(ANNA), ANNA, "Can I return a bicycle?")
    await house.telegram.wait_for(lambda: house.bot.ctx.problems.of("telegram"))
    assert "TELEGRAM_BOT_TOKEN" in house.bot.ctx.problems.of("telegram")
    house.telegram.fail(None)
    (answer,) = await house.wait_answers(1, house.world.private(ANNA))
    assert "30 days" in answer["text"]


async def test_a_group_that_moves_while_its_question_is_worked_on(house: House) -> None:
    """The answer comes in the new group, the sign of work ends, and the old message's buttons hold nothing up."""
    house.assistant.set_delay(0.4)
    world, group = house.world, house.world.group("Small", super_=False)
    await world.say(group, ANNA, "@Test_bot when does the shop open?")
    await house.telegram.wait_for(lambda: house.asked())
    fresh = await world.migrate(group, tell=False)
    (answer,) = await house.wait_answers(1, fresh)
    assert "nine" in answer["text"]
    await house.idle()
    house.assistant.set_delay(0.05)
    await world.say(fresh, ANNA, "@Test_bot can I return a bicycle?")
    await house.wait_answers(2, fresh)
    assert len(set(house.sessions())) == 1
    await world.react(fresh, answer["message_id"], ANNA, "👍")
    await house.wait_rated("good")


async def test_an_answer_of_before_a_move_is_rated_without_a_storm_of_calls(house: House) -> None:
    world, group = house.world, house.world.group("Small", super_=False)
    await world.say(group, ANNA, "@Test_bot when does the shop open?")
    (answer,) = await house.wait_answers(1)
    await house.idle()
    await world.migrate(group)
    await world.react(group, answer["message_id"], ANNA, "👎")
    await house.wait_rated("bad")
    await asyncio.sleep(0.5)
    assert len(house.telegram.called("editMessageReplyMarkup")) == 1


async def test_a_topic_deleted_while_its_question_is_worked_on(house: House) -> None:
    house.assistant.set_delay(0.4)
    world, forum = house.world, house.world.group("Forum", forum=True)
    thread = world.topic(forum)
    question = await world.say(forum, ANNA, "@Test_bot when does the shop open?", thread=thread)
    await house.telegram.wait_for(lambda: house.asked())
    forum.topics.clear()
    del world.messages[forum.id, question["message_id"]]
    (answer,) = await house.wait_answers(1, forum)
    assert reply_of(answer) is None
    assert "message_thread_id" not in answer


async def test_a_question_deleted_while_it_is_worked_on(house: House) -> None:
    """Telegram tells no bot of that: the answer comes without being a reply."""
    house.assistant.set_delay(0.4)
    world, group = house.world, house.world.group("Team")
    question = await world.say(group, ANNA, "@Test_bot when does the shop open?")
    await house.telegram.wait_for(lambda: house.asked())
    del world.messages[group.id, question["message_id"]]
    (answer,) = await house.wait_answers(1, group)
    assert reply_of(answer) is None


async def test_an_anonymous_administrator_asks_and_reacts_as_one_person(house: House) -> None:
    """The chat itself stands for them in both, so that their reaction is the asker's."""
    world, group = house.world, house.world.group("Team")
    anonymous = person(1087968824, "Group", "GroupAnonymousBot", is_bot=True)
    await world.say(group, anonymous, "@Test_bot when does the shop open?", sender_chat=group.public())
    (answer,) = await house.wait_answers(1)
    await house.idle()
    reaction = world.reaction(group, answer["message_id"], anonymous, ["👎"])
    del reaction["user"]
    await house.telegram.updates.push("message_reaction", {**reaction, "actor_chat": group.public()})
    await world.react(group, answer["message_id"], BEN, "👍")
    await house.wait_rated("bad")


async def test_several_emoji_and_a_bot_that_reacts(house: House) -> None:
    world, group = house.world, house.world.group("Team")
    await world.say(group, ANNA, "/ask When does the shop open?")
    (answer,) = await house.wait_answers(1)
    await house.idle()
    number = answer["message_id"]
    await world.react(group, number, person(99, "Robot", is_bot=True), "👎")
    await world.react(group, number, ANNA, "👍", "👎")
    await house.telegram.wait_for(lambda: not house.telegram.updates.pending)
    await asyncio.sleep(0.4)
    assert house.rated() == [], "good and bad together are no vote, and a bot has none"
    await world.react(group, number, ANNA, "❤", "🔥")
    await house.wait_rated("good")


async def test_custom_emoji_count_as_the_settings_say(tmp_path: Path) -> None:
    good = '["👍", ":5368324170671202286:"]'
    async with a_house(tmp_path, BOT_FEEDBACK__GOOD=good) as house:
        world, chat = house.world, house.world.private(ANNA)
        await world.say(chat, ANNA, "When does the shop open?")
        (answer,) = await house.wait_answers(1)
        await house.idle()
        await world.react(chat, answer["message_id"], ANNA, ":5368324170671202286:")
        await house.wait_rated("good")


async def test_an_edited_caption_asks_the_new_words(house: House) -> None:
    house.assistant.script(contains="open", answer="old", delay=0.5)
    house.assistant.script(contains="bicycle", answer="new", delay=0.05)
    world, chat = house.world, house.world.private(ANNA)
    message = world.new_message(chat, ANNA, photo=PHOTO, caption="When does the shop open?")
    await house.telegram.updates.push("message", message)
    await house.telegram.wait_for(lambda: house.asked())
    edited = {**message, "caption": "Can I return a bicycle?", "edit_date": message["date"] + 1}
    await house.telegram.updates.push("edited_message", edited)
    await house.wait_answers(1)
    await house.idle()
    assert [answer["text"] for answer in house.answers()] == ["new\n\nI did not read a picture, only your words."]


async def test_an_album_that_comes_in_two_batches_is_one_question(house: House) -> None:
    world, chat = house.world, house.world.private(ANNA)
    first = world.new_message(chat, ANNA, media_group_id="5", photo=PHOTO, caption="When does the shop open?")
    second = world.new_message(chat, ANNA, media_group_id="5", photo=PHOTO)
    await house.telegram.updates.push("message", first)
    await house.wait_answers(1)
    await house.telegram.updates.push("message", second)
    await house.telegram.wait_for(lambda: not house.telegram.updates.pending)
    await asyncio.sleep(0.3)
    assert len(house.answers()) == 1


async def test_forged_clicks_change_nothing(house: House) -> None:
    """On a person's message, on a notice, on a message that never was, with other data, by a stranger."""
    world, group = house.world, house.world.group("Team")
    question = await world.say(group, ANNA, "/ask When does the shop open?")
    (answer,) = await house.wait_answers(1)
    await world.say(group, ANNA, "/help")
    notice = (await house.wait_answers(2))[-1]
    await house.idle()
    number = answer["message_id"]
    for data in ("", "rate", "rate:", "rate:good:1", "RATE:GOOD", "rate:good\n", "x" * 64, f"rate:bad:{number}"):
        await world.click(group, number, ANNA, data)
    for message in (question, notice):
        await world.click(group, message["message_id"], ANNA, "rate:bad")
    query = world.query(group, number, ANNA, "rate:bad")
    query["message"] = {**query["message"], "message_id": 999_999}
    await house.telegram.updates.push("callback_query", query)
    await house.telegram.wait_for(lambda: not house.telegram.updates.pending)
    await house.telegram.wait_for(lambda: all(world.queries.values()))
    await asyncio.sleep(0.4)
    assert house.rated() == []
    assert ticks(house.answers()[0]) == ["👍", "👎"]


async def test_poison_between_two_of_the_same_chat(house: House) -> None:
    """It is set aside, and the chat goes on in order."""
    world, updates, chat = house.world, house.telegram.updates, house.world.private(ANNA)
    for words in ("When does the shop open?", None, "Can I return a bicycle?"):
        message = world.words(chat, ANNA, words or "poison")
        if words is None:
            message = {**message, "entities": [{"type": "mention", "offset": 90, "length": 5}]}
        number = updates.next_id()
        updates.pending[number] = {"update_id": number, "message": message}
    await updates._notify()
    first, second = await house.wait_answers(2)
    assert ("nine" in first["text"], "30 days" in second["text"]) == (True, True)
    assert set_aside(house) == 1


async def test_what_others_say_is_not_answered(house: House) -> None:
    """Bots, channels, business and guest chats, commands for others, mentions inside code, service messages."""
    world, updates = house.world, house.telegram.updates
    group, chat = world.group("Team"), world.private(ANNA)
    words = "@Test_bot when does the shop open?"
    code = {"entities": [{"type": "code", "offset": 0, "length": 9}]}
    bare = world.words(group, ANNA, words)
    channel = {"id": -100, "type": "channel", "title": "C"}
    ignored: list[tuple[str, JSON]] = [
        ("message", world.words(group, person(99, "Robot", is_bot=True), words)),
        ("message", {**bare, **code}),
        ("message", world.words(group, ANNA, "/ask@Other_bot when?")),
        ("message", {**world.words(group, ANNA, words), "is_automatic_forward": True, "sender_chat": channel}),
        ("message", {**world.words(chat, ANNA, words), "business_connection_id": "b"}),
        ("message", {**world.words(group, ANNA, words), "guest_query_id": "g"}),
        ("message", world.new_message(group, ANNA, new_chat_title="@Test_bot when?")),
        ("message", world.new_message(group, ANNA, pinned_message=bare)),
        ("business_message", {**world.words(chat, ANNA, words), "business_connection_id": "b"}),
        ("guest_message", world.words(group, ANNA, words)),
        ("channel_post", {**world.words(group, ANNA, words), "chat": channel}),
        ("tomorrow", {"chat": group.public()}),
    ]
    for kind, payload in ignored:
        await updates.put({"update_id": updates.next_id(), kind: payload})
    await still_answers(house)
    await house.idle()
    assert house.asked() == ["When does the shop open?"]
    assert set_aside(house) == 0


async def test_ways_to_address_it_that_are_easily_missed(house: House) -> None:
    """A mention after emoji (two UTF-16 units each), in capitals, by id without a name, via another bot."""
    world, group = house.world, house.world.group("Team")
    await world.say(group, ANNA, "😀👩‍👩‍👧 @TEST_BOT when does the shop open?")
    await house.wait_answers(1)
    by_id = {"type": "text_mention", "offset": 3, "length": 4, "user": world.me}
    message = {**world.words(group, ANNA, "😀 Test can I return a bicycle?"), "entities": [by_id]}
    await house.telegram.updates.push("message", message)
    await house.wait_answers(2)
    robot = person(98, "Gif", "gif", is_bot=True)
    await world.say(group, ANNA, "@Test_bot when does the shop open?", via_bot=robot)
    await house.wait_answers(3)
    assert house.asked() == [
        "😀👩‍👩‍👧 when does the shop open?",
        "😀 can I return a bicycle?",
        "when does the shop open?",
    ]
