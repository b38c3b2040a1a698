"""The vault: sealed with a key of the settings, opened by an old key, never without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Misconfigured
from tests.house import a_house

KEY, NEW = "k" * 32, "n" * 32


async def test_what_is_put_is_sealed_and_survives_a_change_of_key(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ENCRYPTION_KEY=KEY) as house:
        await house.bot.host.vault.put("token", "very-secret-token")
        (row,) = await house.table("SELECT * FROM vault")
        assert "very-secret-token" not in row["value"]
    (second := tmp_path / "second").mkdir()
    (second / "bot.db").write_bytes((tmp_path / "bot.db").read_bytes())
    async with a_house(second, BOT_ENCRYPTION_KEY=f"{NEW},{KEY}") as house:
        assert await house.bot.host.vault.get("token") == "very-secret-token"
        await house.bot.host.vault.put("token", None)
        assert await house.bot.host.vault.get("token") is None


async def test_without_a_key_nothing_is_stored(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        with pytest.raises(Misconfigured, match="BOT_ENCRYPTION_KEY"):
            await house.bot.host.vault.put("token", "x")
        assert await house.bot.host.vault.get("token") is None
