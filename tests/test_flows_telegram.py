"""Telegram end to end: people in the loopback Telegram, the real SDK, the whole core, the embedded assistant.

The requests on the wire are printed: `pytest tests/test_flows_telegram.py -s`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import bot.turns.progress
from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.config import CHANNEL
from adapters.telegram.pacing import PaceLimits
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from bot.config import Config, load
from bot.notices import SECOND_COPY
from bot.telemetry.metrics import Metrics
from bot.testing.telegram.platform import BOT_ID, FakeTelegram, person
from bot.testing.telegram.text import JSON
from bot.testing.telegram.world import Chat, World
from tests.adapters.telegram_wire import soon
from tests.started import Bot

PUBLIC = "https://bot.example.org"
ANNA, BEN = person(7, "Anna", "anna"), person(8, "Ben", "ben")
FAST = PaceLimits(chat_seconds=0.02, group_seconds=0.5, overall_seconds=0.005)
DOCS = {"faq.md": "# Returns\n\nYou can return a bicycle within 30 days.\n\n# Opening\n\nThe shop opens at nine.\n"}


@dataclass
class House:
    """What a test holds in its hands."""

    telegram: FakeTelegram
    assistant: RunningAssistant
    config: Config
    bot: Bot
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def world(self) -> World:
        return self.telegram.world

    async def restart(self) -> None:
        await self.bot.stop()
        self.bot = make_bot(self.config, self.metrics)
        await begin(self)

    def answers(self, chat: Chat | None = None) -> list[JSON]:
        """List what the bot has sent and not deleted, without notices of progress."""
        return self.world.by_bot(chat)

    async def wait_answers(self, count: int, chat: Chat | None = None) -> list[JSON]:
        await self.telegram.wait_for(lambda: len(self.answers(chat)) >= count)
        return self.answers(chat)

    def asked(self) -> list[str]:
        return [entry.body["message"] for entry in self.assistant.requests.of("chat_async")]

    def sessions(self) -> list[str]:
        return [entry.body["session_id"] for entry in self.assistant.requests.of("chat_async")]

    def rated(self) -> list[tuple[str, str]]:
        return [(entry.body["request_id"], entry.body["feedback"]) for entry in self.assistant.requests.of("feedback")]

    async def wait_rated(self, *ratings: str) -> None:
        await self.telegram.wait_for(lambda: [rating for _, rating in self.rated()] == list(ratings))

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"uppzy_bot_{name}", labels) or 0.0

    async def idle(self) -> None:
        """Wait until nothing is open and Telegram has nothing left for us."""
        await self.telegram.wait_for(lambda: self.bot.engine.open_questions == 0 and not self.telegram.updates.pending)

    async def rows(self, sql: str) -> list[Any]:
        return await self.bot.db.read(lambda tx: tx.all(sql))

    def wire(self) -> str:
        return "\n".join(f"    {call}" for call in self.telegram.calls if call.method != "getUpdates")


def make_bot(config: Config, metrics: Metrics) -> Bot:
    (settings,) = config.accounts["telegram"]
    adapter = TelegramAdapter(settings, limits=FAST, make_backoff=soon)  # type: ignore[arg-type] # CHANNEL's own
    return Bot(config, adapters={"telegram": adapter}, metrics=metrics)


async def begin(house: House) -> None:
    polls = len(house.telegram.called("getUpdates"))
    await house.bot.start()
    assert house.bot.web.url is not None
    house.telegram.updates.public[PUBLIC] = house.bot.web.url.rstrip("/")
    (settings,) = house.config.accounts["telegram"]
    if settings.webhook_url is None:  # type: ignore[attr-defined] # CHANNEL's own settings
        await house.telegram.wait_for(lambda: len(house.telegram.called("getUpdates")) > polls)
    else:
        await house.telegram.wait_for(lambda: house.telegram.updates.webhook)


@asynccontextmanager
async def a_house(folder: Path, *, webhook: bool = False, delay: float = 0.05, **more: str) -> AsyncIterator[House]:
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    for name, text in DOCS.items():
        (docs / name).write_text(text)
    async with FakeTelegram() as telegram:
        assistant = await start(AssistantOptions(docs=docs, port=0, delay=delay))
        hook = {"TELEGRAM_WEBHOOK_URL": f"{PUBLIC}/telegram/webhook", "TELEGRAM_WEBHOOK_SECRET": "a_Secret"}
        environ = {
            "UPPZY_BASE_URL": assistant.base_url,
            "UPPZY_API_KEY": "demo",
            "UPPZY_TENANT_ID": "demo",
            "UPPZY_SITE_ID": "demo",
            "BOT_DATABASE_URL": f"sqlite:///{folder}/bot.db",
            "BOT_HTTP_PORT": "0",
            "BOT_FEEDBACK__SETTLE_SECONDS": "0.2",
            **telegram.environment(**(hook if webhook else {})),
            **more,
        }
        metrics = Metrics()
        config = load([CHANNEL], environ=environ, cwd=folder)
        house = House(telegram, assistant, config, make_bot(config, metrics), metrics)
        await begin(house)
        try:
            yield house
        finally:
            await house.bot.stop()
            await assistant.close()
            print(f"\n  on the wire:\n{house.wire()}")


@pytest.fixture(params=["polling", "webhook"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, webhook=request.param == "webhook") as made:
        yield made


def reply_of(message: JSON) -> int | None:
    replied = message.get("reply_to_message")
    return replied["message_id"] if replied else None


def ticks(message: JSON) -> list[str]:
    return [button["text"] for button in message["reply_markup"]["inline_keyboard"][0]]


async def test_a_private_question(house: House) -> None:
    chat = house.world.private(ANNA)
    question = await house.world.say(chat, ANNA, "How long do I have to return a bicycle?")
    (answer,) = await house.wait_answers(1)
    assert "30 days" in answer["text"]
    assert reply_of(answer) == question["message_id"]
    assert ticks(answer) == ["👍", "👎"]
    await house.idle()
    key = (chat.id, question["message_id"])
    await house.telegram.wait_for(lambda: house.world.reactions[key].get(BOT_ID) == [])
    assert any("emoji" in call.arguments["reaction"] for call in house.telegram.called("setMessageReaction"))
    assert house.telegram.called("sendChatAction")
    await house.world.say(chat, ANNA, "And when does the shop open?")
    await house.wait_answers(2)
    assert len(set(house.sessions())) == 1, "a private chat is one session"


async def test_in_a_group_it_answers_who_addresses_it(house: House) -> None:
    world, group = house.world, house.world.group("Team")
    await world.say(group, ANNA, "Lunch?")
    first = await world.say(group, ANNA, "@test_bot when does the shop open?")
    (answer,) = await house.wait_answers(1)
    assert "nine" in answer["text"]
    assert reply_of(answer) == first["message_id"]
    await world.say(group, ANNA, "Can I return a bicycle?", reply_to=answer["message_id"])
    await house.wait_answers(2)
    await world.say(group, BEN, "/ask@Test_bot When does the shop open?")
    await world.say(group, BEN, "/ask@Other_bot What is it?")
    await house.wait_answers(3)
    await house.idle()
    assert house.asked() == [
        "when does the shop open?",
        "Can I return a bicycle?",
        "When does the shop open?",
    ]
    anna, again, ben = house.sessions()
    assert anna == again != ben, "in a group each person has a session"


async def test_in_topics_it_answers_there(house: House) -> None:
    world, forum = house.world, house.world.group("Forum", forum=True)
    thread = world.topic(forum)
    await world.say(forum, ANNA, "@Test_bot when does the shop open?", thread=thread)
    (answer,) = await house.wait_answers(1)
    assert answer["message_thread_id"] == thread
    await world.say(forum, BEN, "/ask Can I return a bicycle?", thread=thread)
    await house.wait_answers(2)
    await world.say(forum, BEN, "@Test_bot when does the shop open?")
    general = (await house.wait_answers(3))[-1]
    assert "message_thread_id" not in general
    one, two, other = house.sessions()
    assert one == two != other, "a topic is one session"
    chat = world.private(ANNA)
    inner = world.topic(chat)
    await world.say(chat, ANNA, "When does the shop open?", thread=inner)
    (private,) = await house.wait_answers(1, chat)
    assert private["message_thread_id"] == inner


async def test_a_long_answer_and_reactions_on_any_part_of_it(house: House) -> None:
    words = [f"word{number:05}" for number in range(1300)]
    paragraphs = [" ".join(words[n : n + 50]) for n in range(0, len(words), 50)]
    house.assistant.script(contains="long", answer="\n\n".join(paragraphs))
    world, chat = house.world, house.world.private(ANNA)
    await world.say(chat, ANNA, "A long one please")
    await house.telegram.wait_for(lambda: any("reply_markup" in part for part in house.answers()))
    parts = house.answers()
    assert len(parts) >= 3
    assert " ".join(part["text"] for part in parts).split() == words
    assert ["reply_markup" in part for part in parts] == [False] * (len(parts) - 1) + [True]
    await house.idle()
    second = parts[1]["message_id"]
    await world.react(chat, second, ANNA, "👍")
    await house.wait_rated("good")
    await house.telegram.wait_for(lambda: ticks(house.answers()[-1]) == ["👍 ✓", "👎"])
    await world.react(chat, second, ANNA, "👎")
    await house.wait_rated("good", "bad")
    await house.telegram.wait_for(lambda: ticks(house.answers()[-1]) == ["👍", "👎 ✓"])
    await world.react(chat, second, ANNA)
    retracted = {"channel": "telegram", "rating": "bad", "outcome": "retracted"}
    await house.telegram.wait_for(lambda: ticks(house.answers()[-1]) == ["👍", "👎"])
    await house.telegram.wait_for(lambda: house.count("feedback_total", **retracted) == 1)
    assert len({request for request, _ in house.rated()}) == 1


async def test_buttons_and_why(house: House) -> None:
    world, group = house.world, house.world.group("Team", admin=False)
    await world.say(group, ANNA, "/ask@Test_bot When does the shop open?")
    (answer,) = await house.wait_answers(1)
    await house.idle()
    query = await world.click(group, answer["message_id"], ANNA, "rate:good")
    await house.wait_rated("good")
    await house.telegram.wait_for(lambda: ticks(house.answers()[0]) == ["👍 ✓", "👎"])
    assert world.queries[query], "the click is answered"
    await world.click(group, answer["message_id"], BEN, "rate:bad")
    await world.click(group, answer["message_id"], ANNA, "rate:bad")
    why = (await house.wait_answers(2))[-1]
    await house.wait_rated("good", "bad")
    assert reply_of(why) == answer["message_id"]
    assert why["forced"] == {"force_reply": True, "selective": True}
    await world.say(group, ANNA, "It is wrong on Sundays", reply_to=why["message_id"])
    await house.idle()
    await asyncio.sleep(0.3)
    assert house.asked() == ["When does the shop open?"], "the reason is no question"
    assert len(house.answers()) == 2, "the other person was not asked why"


async def test_a_forged_click_rates_only_the_message_it_came_from(house: House) -> None:
    world, chat = house.world, house.world.private(ANNA)
    for text in ("When does the shop open?", "Can I return a bicycle?"):
        await world.say(chat, ANNA, text)
    first, second = await house.wait_answers(2)
    await house.idle()
    await world.click(chat, second["message_id"], ANNA, f"rate:bad:{chat.id}:{first['message_id']}")
    await world.click(chat, second["message_id"], ANNA, "rate:good")
    await house.wait_rated("good")
    await house.telegram.wait_for(lambda: ticks(house.answers()[1]) == ["👍 ✓", "👎"])
    assert ticks(house.answers()[0]) == ["👍", "👎"]


async def test_a_reaction_that_overtakes_its_answer_counts(house: House) -> None:
    """The person sees the answer, and reacts, before Telegram has told us its message id."""
    world, chat = house.world, house.world.private(ANNA)
    house.telegram.held["sendMessage"] = asyncio.Event()
    await world.say(chat, ANNA, "When does the shop open?")
    (answer,) = await house.wait_answers(1)
    await world.react(chat, answer["message_id"], ANNA, "👍")
    await house.telegram.wait_for(lambda: not house.telegram.updates.pending)
    house.telegram.held.pop("sendMessage").set()
    await house.wait_rated("good")


async def test_the_same_update_twice_is_one_answer(house: House) -> None:
    world, chat = house.world, house.world.private(ANNA)
    update = {
        "update_id": house.telegram.updates.next_id(),
        "message": world.words(chat, ANNA, "When does the shop open?"),
    }
    assert await house.telegram.updates.deliver(update)
    assert await house.telegram.updates.deliver(update)
    await house.wait_answers(1)
    await house.idle()
    assert await house.telegram.updates.deliver(update)
    await asyncio.sleep(0.2)
    assert len(house.answers()) == 1
    assert house.count("events_total", channel="telegram", kind="message", outcome="duplicate") == 2


async def test_a_send_nobody_knows_of_is_repeated_once_and_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.send.LOOK_AFTER", 0.1)
    house.telegram.fail("cut_after_write", method="sendMessage", times=1)
    await house.world.say(house.world.private(ANNA), ANNA, "When does the shop open?")
    first, second = await house.wait_answers(2)
    await house.idle()
    assert second["text"] == f"{first['text']}\n\n{SECOND_COPY}"
    assert len(house.telegram.called("sendMessage")) == 2
    assert house.count("deliveries_total", channel="telegram", outcome="resent_unknown") == 1
    assert house.asked() == ["When does the shop open?"]


async def test_one_unreadable_update_among_fifty(house: House) -> None:
    world, updates = house.world, house.telegram.updates
    for number in range(50):
        who = person(100 + number, f"P{number}")
        message: JSON = world.words(world.private(who), who, f"When does the shop open? {number}")
        if number == 20:
            message = {**message, "message_id": "x"}
        await updates.put({"update_id": updates.next_id(), "message": message})
    await house.wait_answers(49)
    await house.idle()
    assert len(house.answers()) == 49
    assert house.count("events_total", channel="telegram", kind="payload", outcome="poison") == 1
    assert len(house.telegram.called("getUpdates")) < 60


async def test_a_server_that_refuses_every_entity(house: House) -> None:
    house.telegram.methods.refuse_entities = True
    house.assistant.script(contains="shop", answer="It opens at **nine**. Ask @everyone_in_group or `@channel_two`.")
    await house.world.say(house.world.private(ANNA), ANNA, "When does the shop open?")
    (answer,) = await house.wait_answers(1)
    assert answer["text"].startswith("It opens at nine.")
    assert not [entity for entity in answer.get("entities", []) if entity["type"] == "mention"]


async def test_a_group_that_becomes_a_supergroup_keeps_its_session_and_feedback(house: House) -> None:
    world, group = house.world, house.world.group("Small", super_=False)
    await world.say(group, ANNA, "@Test_bot when does the shop open?")
    (answer,) = await house.wait_answers(1)
    await house.idle()
    fresh = await world.migrate(group)
    await world.say(fresh, ANNA, "@Test_bot can I return a bicycle?")
    await house.wait_answers(1, fresh)
    assert len(set(house.sessions())) == 1
    await world.react(group, answer["message_id"], ANNA, "👍")
    await house.wait_rated("good")


async def test_who_blocks_the_bot_is_left_alone(house: House) -> None:
    world, chat = house.world, house.world.private(ANNA)
    house.assistant.set_delay(0.5)
    await world.say(chat, ANNA, "When does the shop open?")
    await house.telegram.wait_for(lambda: house.asked())
    await world.membership(chat, ANNA, "kicked")
    await house.idle()
    assert house.answers() == []
    await world.membership(chat, ANNA, "member")
    house.assistant.set_delay(0.05)
    await world.say(chat, ANNA, "Can I return a bicycle?")
    (answer,) = await house.wait_answers(1)
    assert "30 days" in answer["text"]


async def test_commands(house: House) -> None:
    world, chat = house.world, house.world.private(ANNA)
    await world.say(chat, ANNA, "/start")
    (hello,) = await house.wait_answers(1)
    assert "/new" in hello["text"]
    await world.say(chat, ANNA, "When does the shop open?")
    await house.wait_answers(2)
    await world.say(chat, ANNA, "/new")
    await house.wait_answers(3)
    await world.say(chat, ANNA, "/ask Can I return a bicycle?")
    await house.wait_answers(4)
    one, two = house.sessions()
    assert one != two


async def test_what_is_no_question_gets_a_notice(house: House) -> None:
    world = house.world
    photo = [{"file_id": "A", "file_unique_id": "B", "width": 1, "height": 1}]
    for sender, group, caption in (
        (BEN, "1", None),
        (BEN, "1", None),
        (ANNA, "2", "When does the shop open?"),
        (ANNA, "2", None),
    ):
        extra = {"caption": caption} if caption else {}
        message = world.new_message(world.private(sender), sender, media_group_id=group, photo=photo, **extra)
        await house.telegram.updates.push("message", message)
    await house.wait_answers(2)
    await house.idle()
    await asyncio.sleep(0.3)
    texts = [answer["text"] for answer in house.answers()]
    assert len(texts) == 2
    assert sum("files" in text for text in texts) == 1
    assert sum("I did not read a picture (2), only your words." in text for text in texts) == 1
    assert house.asked() == ["When does the shop open?"]


async def test_an_edit_before_the_answer_asks_the_new_words(house: House) -> None:
    house.assistant.script(contains="open", answer="old", delay=0.5)
    house.assistant.script(contains="bicycle", answer="new", delay=0.05)
    world, chat = house.world, house.world.private(ANNA)
    message = await world.say(chat, ANNA, "When does the shop open?")
    await house.telegram.wait_for(lambda: house.asked())
    await world.edit(message, "Can I return a bicycle?")
    await house.wait_answers(1)
    await house.idle()
    assert [answer["text"] for answer in house.answers()] == ["new"]


async def test_progress_is_seen_and_gone_after_a_restart_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.turns.progress, "FIRST_NOTICE_AFTER", 0.2)
    house.assistant.set_delay(2.5)
    world, chat = house.world, house.world.private(ANNA)
    question = await world.say(chat, ANNA, "When does the shop open?")
    (notice,) = await house.wait_answers(1)
    assert "working" in notice["text"]
    assert "reply_markup" not in notice
    while not await house.rows("SELECT 1 FROM steps WHERE kind='progress' AND number=1 AND done_at IS NOT NULL"):
        await asyncio.sleep(0.02)
    await house.restart()
    await house.telegram.wait_for(lambda: any("nine" in answer["text"] for answer in house.answers()))
    await house.telegram.wait_for(lambda: (chat.id, notice["message_id"]) in world.deleted)
    key = (chat.id, question["message_id"])
    await house.telegram.wait_for(lambda: world.reactions[key].get(BOT_ID) == [])
    await house.idle()
    assert len(house.answers()) == 1


async def test_too_much_open_is_declined_and_comes_again(tmp_path: Path) -> None:
    """`open_turns`: the batch is not confirmed, or the webhook says 503; nothing is lost."""
    async with a_house(tmp_path, delay=0.2, BOT_LIMITS__OPEN_TURNS="3") as house:
        for number in range(12):
            who = person(100 + number, f"P{number}")
            await house.world.say(house.world.private(who), who, "When does the shop open?")
        await house.wait_answers(12)
        await house.idle()
        assert len(house.answers()) == 12
