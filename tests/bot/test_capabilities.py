"""The core copes with a channel that cannot do everything; `ChannelSpec.lacks` says what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_args

import pytest

from bot.adapter import Capability
from bot.turns import progress
from tests.fakes.channel import room
from tests.house import a_house

EVERYTHING = frozenset(get_args(Capability))


@pytest.mark.parametrize(
    "lacks", [{one} for one in sorted(EVERYTHING)] + [EVERYTHING], ids=lambda lacks: "-".join(sorted(lacks))
)
async def test_a_question_is_answered_whatever_the_channel_lacks(tmp_path: Path, lacks: set[Capability]) -> None:
    async with a_house(tmp_path, lacks=lacks) as house:
        await house.channel.say("When does the shop open?")
        (answer,) = await house.answers(1)
        assert "nine" in answer.text
        assert answer.buttons == ("buttons" not in lacks)
        await house.idle()
        await house.restart()
        await house.channel.say("Can I return a bicycle?")
        await house.answers(2)
        await house.idle()
        assert house.count("turns_total", channel="fake", outcome="answered") == 2


async def test_where_nothing_can_be_deleted_one_notice_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one could not replace the first, and both would stand for ever."""
    monkeypatch.setattr(progress, "FIRST_NOTICE_AFTER", 0.1)
    async with a_house(tmp_path, lacks={"deletions"}, delay=1.0, BOT_POLL_BUDGET="0.3") as house:
        await house.channel.say("When does the shop open?")
        await house.answers(1)
        await house.idle()
        assert len(house.channel.notices("progress")) == 1
    (tmp_path / "other").mkdir()
    async with a_house(tmp_path / "other", delay=1.0, BOT_POLL_BUDGET="0.3") as house:
        await house.channel.say("When does the shop open?")
        await house.answers(1)
        await house.idle()
        await house.channel.wait_for(lambda: not house.channel.notices("progress"))


@pytest.mark.parametrize(
    ("lacks", "told"),
    [(set(), True), ({"buttons"}, True), ({"buttons", "reactions"}, False)],
    ids=["nothing", "buttons", "both"],
)
async def test_help_speaks_of_rating_only_where_people_can(tmp_path: Path, lacks: set[Capability], told: bool) -> None:
    async with a_house(tmp_path, lacks=lacks) as house:
        await house.channel.say("!help")
        await house.channel.wait_for(lambda: house.channel.notices("info"))
        while await house.table("SELECT 1 FROM turns WHERE state='open'"):
            await asyncio.sleep(0.02)
        texts = [notice.text for notice in house.channel.notices("info")]  # of more than one message, if it is long
        assert ("👎" in " ".join(texts)) == told


async def test_an_ask_is_answered_beside_its_root_where_there_are_no_threads(tmp_path: Path) -> None:
    cases: list[set[Capability]] = [{"threads"}, set()]
    for lacks in cases:
        folder = tmp_path / "-".join(["with", *lacks])
        folder.mkdir()
        async with a_house(folder, lacks=lacks) as house:
            await house.channel.command("ask", "When does the shop open?", conversation=room())
            (answer,) = await house.answers(1)
            (root,) = [sent for sent in house.channel.visible() if sent.kind == "question"]
            assert answer.conversation.thread_id == (None if lacks else root.ref.message_id)
            await house.idle()
            await house.channel.wait_for(lambda house=house: house.channel.working == set())  # type: ignore[misc]
