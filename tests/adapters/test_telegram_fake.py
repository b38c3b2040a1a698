"""The loopback Telegram is as strict as it claims: a test double that takes everything proves nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.testing.telegram.control import ControlledTelegram
from bot.testing.telegram.flood import Flood
from bot.testing.telegram.platform import TOKEN, FakeTelegram, person
from bot.testing.telegram.text import EntityError, check, found

ANNA = person(7, "Anna")
PREVIEW = {"is_disabled": True}


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


async def call(telegram: FakeTelegram, method: str, token: str = TOKEN, **arguments: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{telegram.url}/bot{token}/{method}", json=arguments) as answer,
    ):
        body = await answer.json()
        return answer.status, body.get("result", body)


async def test_a_wrong_token_a_wrong_method_a_wrong_argument(telegram: FakeTelegram) -> None:
    chat = telegram.world.private(ANNA)
    good: dict[str, Any] = {"chat_id": chat.id, "text": "Hi", "link_preview_options": PREVIEW}
    assert (await call(telegram, "getMe", "1:x"))[0] == 401
    assert (await call(telegram, "getMoon"))[0] == 404
    assert (await call(telegram, "sendMessage", **good))[0] == 200
    for wrong in (
        {"chat_id": "seven"},
        {"chat_id": 8},
        {"text": ""},
        {"text": "x" * 4097},
        {"parse_mode": "HTML"},
        {"entities": [{"type": "bold", "offset": 0, "length": 3}]},
        {"entities": [{"type": "loud", "offset": 0, "length": 1}]},
        {"message_thread_id": 5},
        {"reply_parameters": {"message_id": 99}},
        {"reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "y" * 65}]]}},
        {"link_preview_options": None},
    ):
        status, answer = await call(telegram, "sendMessage", **{**good, **wrong})
        assert status == 400, (wrong, answer)


async def test_an_offset_confirms_and_nothing_else_does(telegram: FakeTelegram) -> None:
    chat = telegram.world.private(ANNA)
    for text in ("one", "two", "three"):
        await telegram.world.say(chat, ANNA, text)
    _, first = await call(telegram, "getUpdates")
    assert len(first) == 3
    await asyncio.sleep(0.5)
    assert len((await call(telegram, "getUpdates"))[1]) == 3
    assert len((await call(telegram, "getUpdates"))[1]) == 1, "the same asked again at once is punished"
    _, rest = await call(telegram, "getUpdates", offset=first[1]["update_id"])
    assert [update["message"]["text"] for update in rest] == ["two", "three"]
    assert sorted(telegram.updates.pending) == [first[1]["update_id"], first[2]["update_id"]]
    await call(telegram, "getUpdates", offset=-1)
    assert sorted(telegram.updates.pending) == [first[2]["update_id"]]


async def test_two_receivers_conflict(telegram: FakeTelegram) -> None:
    waiting = asyncio.create_task(call(telegram, "getUpdates", timeout=30))
    await telegram.wait_for(lambda: telegram.updates.polls)
    second = asyncio.create_task(call(telegram, "getUpdates", timeout=1))
    assert (await waiting)[0] == 409
    assert (await second)[0] == 200
    assert (await call(telegram, "setWebhook", url="https://bot.example.org/hook"))[0] == 200
    assert (await call(telegram, "getUpdates"))[0] == 409
    assert (await call(telegram, "setWebhook", url="https://bot.example.org/hook"))[0] == 429


async def test_what_is_not_asked_for_never_comes(telegram: FakeTelegram) -> None:
    chat = telegram.world.private(ANNA)
    message = await telegram.world.say(chat, ANNA, "Hi")
    assert not await telegram.world.react(chat, message["message_id"], ANNA, "👍")
    await call(telegram, "getUpdates", allowed_updates=["message", "message_reaction"])
    assert await telegram.world.react(chat, message["message_id"], ANNA, "👎")
    kinds = [key for update in telegram.updates.pending.values() for key in update if key != "update_id"]
    assert kinds == ["message", "message_reaction"]
    group = telegram.world.group(admin=False)
    there = telegram.world.words(group, ANNA, "Hi")
    assert not await telegram.world.react(group, there["message_id"], ANNA, "👍"), "only administrators are told"


async def test_a_file_is_given_by_the_path_that_getfile_told(telegram: FakeTelegram) -> None:
    small = telegram.world.document(telegram.world.private(ANNA), ANNA, b"words", "a.txt")["document"]
    large = telegram.world.document(telegram.world.private(ANNA), ANNA, b"x" * (20 * 1024 * 1024 + 1), "b")["document"]

    async def fetched(path: str, token: str = TOKEN, method: str = "GET") -> tuple[int, bytes]:
        address = f"{telegram.url}/file/bot{token}/{path}"
        async with aiohttp.ClientSession() as session, session.request(method, address) as answer:
            return answer.status, await answer.read()

    path = telegram.world.files[small["file_id"]].path
    assert (await fetched(path))[0] == 404, "nobody has told it yet"
    status, told = await call(telegram, "getFile", file_id=small["file_id"])
    assert (status, told["file_size"], told["file_path"]) == (200, 5, path)
    assert await fetched(path) == (200, b"words")
    assert (await fetched(path, token="1:x"))[0] == 401
    assert (await fetched(path, method="POST"))[0] == 404
    assert (await fetched(path + "?token=1"))[0] == 404
    assert (await fetched("documents/other.txt"))[0] == 404
    for wrong in (
        {},
        {"file_id": ""},
        {"file_id": small["file_unique_id"]},
        {"file_id": large["file_id"]},
        {"file_id": small["file_id"], "size": 1},
    ):
        assert (await call(telegram, "getFile", **wrong))[0] == 400, wrong
    telegram.fail(500, method="download")
    assert (await fetched(path))[0] == 500


async def test_people_are_known_to_who_met_them(telegram: FakeTelegram) -> None:
    group = telegram.world.group("Team")
    telegram.world.words(group, person(9, "Cem"), "Hello")
    telegram.world.private({**ANNA, "last_name": "Berg"})
    _, anna = await call(telegram, "getChat", chat_id=7)
    assert (anna["type"], anna["first_name"], anna["last_name"]) == ("private", "Anna", "Berg")
    assert "language_code" not in anna
    assert (await call(telegram, "getChat", chat_id=9))[1]["first_name"] == "Cem"
    assert (await call(telegram, "getChat", chat_id=group.id))[1]["title"] == "Team"
    for wrong in ({}, {"chat_id": 8}, {"chat_id": -5}, {"chat_id": "x"}, {"chat_id": 7, "user_id": 7}):
        assert (await call(telegram, "getChat", **wrong))[0] == 400, wrong
    group.member = False
    assert (await call(telegram, "getChat", chat_id=group.id))[0] == 403


def test_flood_control() -> None:
    now = [0.0]
    flood = Flood(clock=lambda: now[0])
    assert [flood.refuse(5) for _ in range(4)] == [None, None, None, 1]
    now[0] = 1.0
    assert flood.refuse(5) is None
    results = []
    for second in range(2, 30):
        now[0] = float(second)
        results.append(flood.refuse(-5))
    assert results[:20] == [None] * 20
    assert results[20] == 40
    assert flood.refusals == 1 + 8
    now[0] = 100.0
    assert [flood.refuse(1000 + number) for number in range(31)].count(None) == 30


def test_entities_are_checked_by_tdlib_itself() -> None:
    check("😀 bold", [{"type": "bold", "offset": 3, "length": 4}])
    for entity in (
        {"type": "bold", "offset": 0, "length": 99},
        {"type": "bold", "offset": 1, "length": 3},
        {"type": "bold", "offset": -1, "length": 3},
        {"type": "text_link", "offset": 0, "length": 2, "url": "javascript:alert(1)"},
    ):
        with pytest.raises(EntityError):
            check("😀 bold", [entity])
    kinds = [entity["type"] for entity in found("@anna_k /start https://e.org #tag a@b.org")]
    assert kinds == ["mention", "bot_command", "url", "hashtag", "email"]
    assert found("@anna_k", [{"type": "code", "offset": 0, "length": 7}]) == []


async def test_done_and_then_cut_is_done(telegram: FakeTelegram) -> None:
    chat = telegram.world.private(ANNA)
    telegram.fail("cut_after_write", method="sendMessage", times=1)
    with pytest.raises(aiohttp.ClientError):
        await call(telegram, "sendMessage", chat_id=chat.id, text="Hi", link_preview_options=PREVIEW)
    assert len(telegram.world.by_bot(chat)) == 1


async def test_the_control_of_the_process() -> None:
    """What the tests that kill the bot use."""
    async with ControlledTelegram() as telegram, aiohttp.ClientSession(telegram.url) as session:
        async with session.post("/control/say", json={"user": 7, "text": "Hi"}) as answer:
            message = await answer.json()
        assert message["text"] == "Hi"
        order = {"user": 7, "chat": 7, "message": message["message_id"], "emoji": ["👍"]}
        async with session.post("/control/react", json=order) as answer:
            assert await answer.json() == {"told": False}
        async with session.post("/control/say", json={"user": 8, "text": "/ask it", "group": True}) as answer:
            assert (await answer.json())["chat"]["type"] == "supergroup"
        await session.post("/control/fail", json={"how": 500, "method": "getMe", "times": 1})
        assert (await call(telegram, "getMe"))[0] == 500
        await session.post("/control/raw", json={"update_id": 1, "message": {}})
        async with session.get("/control/state") as answer:
            state = json.loads(await answer.text())
        assert len(state["pending"]) == 3
        assert state["calls"] == {"getMe": 1}


async def test_the_long_poll_waits(telegram: FakeTelegram) -> None:
    poll = asyncio.create_task(call(telegram, "getUpdates", timeout=30))
    await telegram.wait_for(lambda: telegram.updates.polls)
    await telegram.world.say(telegram.world.private(ANNA), ANNA, "Hi")
    assert len((await poll)[1]) == 1
