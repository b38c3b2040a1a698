"""Forgetting a person leaves nothing: no row, and no byte in the files; exporting shows all of it before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from bot import notices
from bot.store import open_admin
from tests.fakes.channel import ACCOUNT, NAME, room
from tests.house import a_house
from tests.postgres import a_server

SECRET = "Zebrafisch"
"""A word that nothing else says."""


Files: TypeAlias = Callable[[], list[Path]]


def found_in(files: Files, words: list[str]) -> dict[str, list[str]]:
    """Search the bytes of the database's files."""
    held = {path.name: path.read_bytes() for path in files()}
    return {name: hit for name, text in held.items() if (hit := [word for word in words if word.encode() in text])}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_package("postgresql"))])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Files]]:
    """Yield the address of a database, and what lists the files that hold its rows."""
    if request.param == "sqlite":
        yield (
            f"sqlite:///{tmp_path}/bot.db",
            lambda: [one for one in tmp_path.iterdir() if one.name.startswith("bot.db")],
        )
        return
    with a_server() as server, server.database() as url:

        def files() -> list[Path]:
            server.execute("CHECKPOINT")  # what is in memory alone is in no file yet
            return [path for path in (server.data / "base").rglob("*") if path.is_file()]

        yield url, files


async def test_nothing_is_left_in_the_files(database: tuple[str, Files], tmp_path: Path) -> None:
    """Beside a running bot: questions, answers, reasons, reactions, an invitation and a wrong code of one person."""
    url, files = database
    async with a_house(tmp_path, BOT_DATABASE_URL=url) as house:
        house.assistant.script(contains="when", answer=f"At nine, says the {SECRET}answer.", delay=0.0)
        for number in range(30):  # so many that pages are split and given back
            await house.channel.say(f"When? {SECRET}question{number} " + "x" * 300, user_id="U77", locale="de")
        answers = await house.answers(30)
        await house.channel.react(answers[0].ref, "👎", user_id="U77", button=True)
        await house.channel.wait_for(lambda: house.channel.notices("why"))
        why = house.channel.notices("why")[0]
        await house.channel.say(f"{SECRET}reason", user_id="U77", in_reply_to=why.ref)
        async with open_admin(url) as admin:
            code = (await admin.invite(NAME, "", uses=1, seconds=60))["code"]
        for sent in ("x" * 32, code):
            await house.channel.command("start", sent, user_id="U77", standing="external")
        await house.channel.wait_for(lambda: any(n.text == notices.INVITED for n in house.channel.notices()))
        await house.channel.say(f"When? {SECRET}other", conversation=room("t1"), user_id="U78")
        await house.answers(31)
        await house.idle()
        words = [f"{SECRET}question", f"{SECRET}reason", f"{SECRET}answer"]
        assert found_in(files, words), "the search finds what is there"
        async with open_admin(url) as admin:
            held = await admin.export(NAME, ACCOUNT, "U77")
            assert {"turns", "steps", "receipts", "clicks", "comments", "invited", "guesses"} <= held.keys()
            text = json.dumps(held)
            assert all(word in text for word in words)
            assert f"{SECRET}other" not in text, "nothing of other people"
            assert (await admin.forget(NAME, ACCOUNT, "U77"))["turns"] >= 30
            assert await admin.export(NAME, ACCOUNT, "U77") == {}
        left = found_in(files, [f"{SECRET}question", f"{SECRET}reason", '"U77"'])
        assert left == {}
        assert found_in(files, [f"{SECRET}other"]), "what is another's stays"
