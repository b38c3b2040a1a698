"""What Telegram's apps make several messages of, end to end: one question, one answer, whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import notices
from bot.testing.telegram.platform import person
from tests.test_flows_telegram import ANNA, BEN, House, a_house

PASTE = "Please check this contract. " + "Clause text goes on and on. " * 300
FORWARDED = {"type": "hidden_user", "sender_user_name": "Digest", "date": 1756600000}
FIELD = Path(__file__).parents[2] / "shared" / "checks" / "field"


@pytest.fixture(params=["polling", "webhook"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path, webhook=request.param == "webhook", BOT_INPUT__JOIN_SECONDS="5") as made:
        yield made


async def test_one_long_paste_is_one_question(house: House) -> None:
    """f05: 7,331 characters, sent by the app as 4,096 and 3,235 within the same second."""
    text = PASTE[:7331]
    pieces = await house.world.paste(house.world.private(ANNA), ANNA, text)
    assert [len(piece["text"]) for piece in pieces] == [4096, 3235]
    await house.wait_answers(1)
    await house.idle()
    assert house.asked() == [text]
    assert len(house.answers()) == 1
    assert house.count("joined_total", channel="telegram", kind="paste") == 1


async def test_a_paste_over_the_limit_gets_one_notice(house: House) -> None:
    await house.world.paste(house.world.private(ANNA), ANNA, "x" * 10_000)
    await house.wait_answers(1)
    await house.idle()
    assert [answer["text"] for answer in house.answers()] == [notices.too_long(8000)]
    assert house.asked() == []


async def test_pastes_of_two_people_at_once_are_two_questions(house: House) -> None:
    """Private chats share one numbering of messages: those of others come between."""
    anna, ben = house.world.private(ANNA), house.world.private(BEN)
    for number in range(2):
        for chat, who in ((anna, ANNA), (ben, BEN)):
            await house.world.say(chat, who, f"{who['id']}{number}" * (2048 if number == 0 else 10))
    await house.wait_answers(2)
    await house.idle()
    assert sorted(house.asked()) == ["70" * 2048 + "71" * 10, "80" * 2048 + "81" * 10]


async def test_an_album_is_one_question_whichever_piece_has_the_words(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="1") as house:
        await house.world.album(house.world.private(ANNA), ANNA, ["", "What are these?", ""])
        await house.wait_answers(1)
        await house.idle()
        assert len(house.asked()) == 1
        assert "What are these?" in house.asked()[0]
        assert len(house.answers()) == 1
        assert house.count("joined_total", channel="telegram", kind="album") == 2


async def test_an_album_without_words_gets_one_notice(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="0.3") as house:
        await house.world.album(house.world.private(ANNA), ANNA, ["", "", ""])
        await house.wait_answers(1)
        await house.idle()
        assert [answer["text"] for answer in house.answers()] == [notices.ONLY_ATTACHMENT]


@pytest.mark.parametrize("admin", [True, False])
async def test_in_privacy_mode_a_piece_is_not_asked(tmp_path: Path, admin: bool) -> None:
    """An administrator is shown the rest; without that right nobody will ever see it."""
    async with a_house(tmp_path, BOT_INPUT__JOIN_SECONDS="1") as house:
        group = house.world.group("Team", admin=admin)
        await house.world.say(group, ANNA, "@Test_bot when does the shop open?")
        await house.wait_answers(1)  # by now it is known what we are in this group
        await house.world.paste(group, ANNA, "@Test_bot " + PASTE[:6000])
        await house.wait_answers(2)
        await house.idle()
        if admin:
            assert house.asked()[1] == PASTE[:6000].strip()
        else:
            assert len(house.asked()) == 1
            assert house.answers()[1]["text"] == notices.REST_HIDDEN


async def test_a_comment_and_its_forward_are_one_question(house: House) -> None:
    """f17: the comment has the lower id and comes first."""
    chat = house.world.private(ANNA)
    house.assistant.set_delay(1.0)
    await house.world.say(chat, ANNA, "Are any companies discussed here besides X?")
    await house.world.say(chat, ANNA, "Today we talk to Acme and Globex …", forward_origin=FORWARDED)
    await house.wait_answers(1)
    await house.idle()
    assert len(house.answers()) == 1
    assert "Are any companies discussed here besides X?" in house.asked()[-1]
    assert "Today we talk to Acme and Globex …" in house.asked()[-1]


async def test_an_edit_of_the_second_part_is_an_edit_of_the_question(house: House) -> None:
    house.assistant.set_delay(1.0)
    _, second = await house.world.paste(house.world.private(ANNA), ANNA, PASTE[:5000])
    await house.telegram.wait_for(lambda: len(house.asked()) == 1)
    await house.world.edit(second, "in short.")
    await house.wait_answers(1)
    await house.idle()
    assert house.asked()[-1] == PASTE[:4096] + "in short."
    assert len(house.answers()) == 1


@pytest.mark.skipif(not FIELD.exists(), reason="the handed inputs are not beside this checkout")
async def test_the_handed_forward_is_one_turn(house: House) -> None:
    house.assistant.set_delay(1.0)
    house.world.private(person(42, "Ann"))
    for update in json.loads((FIELD / "f17_forward_and_comment.json").read_text()):
        await house.telegram.updates.put({**update, "update_id": house.telegram.updates.next_id()})
    await house.wait_answers(1)
    await house.idle()
    assert len(house.answers()) == 1
    assert "Acme and Globex" in house.asked()[-1]
    assert "besides X?" in house.asked()[-1]
