"""`trace REF` of questions that came to no good end."""

from __future__ import annotations

from pathlib import Path

from bot.cli.trace import story
from bot.store.admin import Admin
from tests.house import a_house


async def test_a_refused_connection_is_named_where_it_happened(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/api/v1"
    async with a_house(tmp_path, UPPZY_BASE_URL=nobody, BOT_GIVE_UP="1.5") as house:
        await house.channel.say("When does the shop open?")
        await house.channel.wait_for(lambda: house.channel.notices("failure"))
        await house.idle()
        (row,) = await house.table("SELECT reference FROM turns")
        (letter,) = await house.table("SELECT reason FROM dead")
        found = await Admin(house.bot.db).trace(row["reference"])
        assert found is not None
        *_, submit, verdict, failure, end = story(found)
        assert submit.endswith("tried, and it certainly did not happen: the API took the question [submit:0]")
        assert verdict.endswith("[verdict]")
        assert failure.endswith("[failure:0]")
        for told in (end, letter["reason"]):
            assert "The API could not be reached for a question (connection refused)" in told
