"""Every row of the design's bad-input table that concerns the core, over the wire."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from bot.adapter import Part
from bot.assistant.faults import Fault
from bot.errors import ConfigError
from bot.events import Answer, Outbound
from tests.fakes.adapter import FAKE, FakeAdapter
from tests.fakes.channel import FakeChannel, room
from tests.house import House, a_house, fake_config
from tests.postgres import about_sqlite
from tests.started import Bot


@pytest.mark.parametrize(
    ("text", "attached", "said"), [("", False, "in words"), ("", True, "files"), ("x" * 8001, False, "8,000")]
)
async def test_a_question_that_cannot_be_asked_gets_a_notice(
    house: House, text: str, attached: bool, said: str
) -> None:
    await house.channel.say(text, has_attachment=attached)
    await house.channel.wait_for(lambda: house.channel.notices("refusal"))
    assert said in house.channel.notices("refusal")[0].text
    assert house.asked() == []
    assert house.count("turns_total", channel="fake", outcome="refused") == 1


async def test_a_person_outside_the_policy_gets_nothing(house: House) -> None:
    await house.channel.say("Hello?", standing="external", user_id="U9")
    await asyncio.sleep(0.2)
    assert house.channel.visible() == []
    assert house.asked() == []
    assert house.count("events_total", channel="fake", kind="message", outcome="refused") == 1


async def test_a_denied_place_gets_one_notice_a_day_if_so_configured(tmp_path: Path) -> None:
    deny = '["fake:A1:R-1"]'
    async with a_house(tmp_path, BOT_ACCESS__DENY=deny, BOT_ACCESS__REFUSED="daily_notice") as house:
        for _ in range(3):
            await house.channel.say("Hello?", conversation=room())
        await house.channel.wait_for(lambda: house.channel.notices("refusal"))
        await asyncio.sleep(0.2)
        assert len(house.channel.visible()) == 1


async def test_more_questions_than_allowed_in_a_minute_get_one_notice_with_the_time_to_wait(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_LIMITS__PER_PERSON_PER_MINUTE="2") as house:
        for n in range(6):
            await house.channel.say(f"question {n}")
        await house.answers(2)
        await house.idle()
        (notice,) = house.channel.notices("refusal")
        assert "seconds" in notice.text
        assert len(house.asked()) == 2
        assert house.count("turns_total", channel="fake", outcome="limited") == 4


async def test_more_open_turns_than_allowed_are_not_acknowledged_and_readiness_stays(tmp_path: Path) -> None:
    async with a_house(tmp_path, delay=0.5, BOT_LIMITS__OPEN_TURNS="3") as house:
        messages = [house.channel.message(f"question {n}", user_id=f"U{n}") for n in range(5)]
        taken = [await house.channel.deliver(house.channel.payload(message)) for message in messages]
        assert taken == [True, True, True, False, False]
        async with aiohttp.ClientSession() as session, session.get(f"{house.bot.web.url}readyz") as reply:
            assert reply.status == 200
        await house.answers(3)
        await house.idle()
        for message in messages[3:]:  # the platform delivers again
            assert await house.channel.deliver(house.channel.payload(message))
        await house.answers(5)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_refusal_of_the_api_is_a_failure_notice_and_shows_in_readiness(house: House, status: int) -> None:
    house.assistant.faults.add(Fault("status", status=status), endpoint="chat_async", times=1)
    await house.channel.say("Anyone?")
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    assert len(house.asked()) == 1
    async with aiohttp.ClientSession() as session, session.get(f"{house.bot.web.url}readyz") as reply:
        body = await reply.json()
    assert reply.status == 200
    assert body["checks"]["api"] == ("ok" if status == 400 else "degraded")
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    async with aiohttp.ClientSession() as session, session.get(f"{house.bot.web.url}readyz") as reply:
        assert (await reply.json())["checks"]["api"] == "ok"


@pytest.mark.parametrize("fault", [Fault("rate_limited", retry_after="1"), Fault("status", status=503)])
async def test_busy_and_broken_are_waited_for(house: House, fault: Fault) -> None:
    house.assistant.faults.add(fault, endpoint="chat_async", times=2)
    house.assistant.faults.add(fault, endpoint="chat_status", times=2)
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    assert house.channel.notices("failure") == []
    assert house.count("api_retries_total", endpoint="chat_async", reason="unknown") == 0


@pytest.mark.parametrize("kind", ["empty", "failed"])
async def test_an_empty_or_failed_answer_is_a_failure_notice_with_a_reference(house: House, kind: str) -> None:
    house.assistant.faults.add(Fault(kind), endpoint="chat_async", times=1)  # type: ignore[arg-type]  # one of the kinds
    await house.channel.say("Anyone?")
    await house.channel.wait_for(lambda: house.channel.notices("failure"))
    await house.idle()
    (row,) = await house.table("SELECT reference FROM dead")
    assert row["reference"] in house.channel.notices("failure")[0].text


async def test_fifty_thousand_characters_arrive_in_order(house: House) -> None:
    words = [f"w{n}" for n in range(7300)]
    answer = " ".join(words)
    assert len(answer) > 42_000
    house.assistant.script(contains="much", answer=answer)
    await house.channel.say("very much")
    await house.idle()
    assert " ".join(part.text for part in house.channel.answers()).split() == words


async def test_a_poison_payload_is_set_aside_once_and_the_others_go_on(house: House) -> None:
    poison = {"type": "Message", "id": 7}
    assert await house.channel.deliver(poison)
    assert await house.channel.deliver(poison)
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    (letter,) = await house.table("SELECT * FROM dead")
    assert letter["kind"] == "payload"
    assert house.count("events_total", channel="fake", kind="payload", outcome="poison") == 2


@about_sqlite
async def test_a_locked_database_acknowledges_nothing_and_what_comes_again_is_answered_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.bot.db.write(lambda tx: tx.run("PRAGMA busy_timeout=100") * 0)
        lock = sqlite3.connect(tmp_path / "bot.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        payload = house.channel.payload(house.channel.message("When does the shop open?"))
        assert not await house.channel.deliver(payload)
        async with aiohttp.ClientSession() as session, session.get(f"{house.bot.web.url}readyz") as reply:
            assert reply.status == 503
        lock.execute("ROLLBACK")
        lock.close()
        assert await house.channel.deliver(payload)
        await house.answers(1)
        await house.idle()
        assert house.asked() == ["When does the shop open?"]


@about_sqlite
async def test_a_second_bot_on_the_same_database_is_refused(house: House) -> None:
    second = Bot(house.config, channels=[FAKE], adapters={"fake": FakeAdapter(FakeChannel())})
    with pytest.raises(ConfigError, match="BOT_DATABASE_URL"):
        await second.start()


@about_sqlite
async def test_a_database_that_cannot_be_opened_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    config = fake_config("http://127.0.0.1:9/api/v1", tmp_path, BOT_DATABASE_URL=f"sqlite:///{tmp_path}/file/bot.db")
    with pytest.raises(ConfigError, match="BOT_DATABASE_URL"):
        await Bot(config, channels=[FAKE], adapters={"fake": FakeAdapter(FakeChannel())}).start()


async def test_a_very_long_answer_is_rendered_beside_the_event_loop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile one takes seconds, in which nobody else would be answered, or even acknowledged."""
    adapter = house.bot.ctx.adapters["fake"]
    render, threads = adapter.render, dict[int, int]()

    def noted(outbound: Outbound) -> Sequence[Part]:
        if isinstance(outbound, Answer):
            threads[len(outbound.text)] = threading.get_ident()
        return render(outbound)

    monkeypatch.setattr(adapter, "render", noted)
    house.assistant.script(contains="much", answer="|a\n|-\n" * 10_000)
    house.assistant.script(contains="little", answer="Yes.")
    await house.channel.say("How much?")
    await house.channel.say("How little?")
    await house.idle()
    assert threads[4] == threading.get_ident()
    assert threads[max(threads)] != threading.get_ident()
