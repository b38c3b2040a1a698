"""What only the running bot can know of a channel reaches `doctor`, which is a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.adapter import Check, Want
from bot.doctor import also_seen
from bot.store.admin import Admin
from tests.house import a_house


async def test_a_warning_of_the_running_bot_is_told_with_its_time(tmp_path: Path) -> None:
    warning = Check(
        check="fake groups", status="warn", detail="No rights in R-1.", fix="Make the bot an administrator."
    )
    async with a_house(tmp_path) as house:

        async def check(wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
            return [Check(check="fake token", status="ok", detail="fine"), warning]

        house.bot.ctx.adapters["fake"].check = check  # type: ignore[method-assign]  # a channel that has seen something
        await house.bot.supervisor.check_channels()
        at, noted = await Admin(house.bot.db).noted_checks("fake")
        seen = [Check(**check) for check in noted]
        (told,) = also_seen([Check(check="fake token", status="ok", detail="fine")], at, seen)
        assert told.check == "fake groups"
        assert told.detail.startswith("No rights in R-1. (as the running bot saw it at 20")
        assert told.fix == warning.fix
        assert also_seen([warning], at, seen) == []
        assert await Admin(house.bot.db).noted_checks("other") == (0.0, [])
