"""The vault: sealed with a key of the settings, opened by an old key, never without one."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import Misconfigured
from bot.store import vault
from bot.store.sealed import SealedVault
from tests.house import a_house
from tests.postgres import about_sqlite

KEY, NEW = "k" * 32, "n" * 32


@about_sqlite
async def test_what_is_put_is_sealed_and_survives_a_change_of_key(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ENCRYPTION_KEY=KEY) as house:
        await house.bot.host.vault.put("token", "very-secret-token")
        (row,) = await house.table("SELECT * FROM vault WHERE name='token'")
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


async def test_everything_is_encrypted_anew_and_what_changes_meanwhile_is_kept(tmp_path: Path) -> None:
    """`vault rotate` beside a running bot: afterwards the new key alone opens all."""
    async with a_house(tmp_path, BOT_ENCRYPTION_KEY=f"{NEW},{KEY}") as house:
        db = house.bot.db
        old = SealedVault(db, lambda: [SecretStr(KEY)])
        for name in ("one", "two", "three"):
            await old.put(name, f"value-of-{name}")
        await SealedVault(db, lambda: [SecretStr("s" * 32)]).put("strange", "lost")
        rotated = await house.bot.host.vault.rotate()
        assert rotated.closed == ("strange",)
        new = SealedVault(db, lambda: [SecretStr(NEW)])
        assert [await new.get(name) for name in ("one", "two", "three")] == [
            *("value-of-one", "value-of-two", "value-of-three")
        ]
        with pytest.raises(Misconfigured):
            await old.get("one")
        assert not await db.write(partial(vault.replace, name="one", old="what it was before", new="x"))


async def test_taken_once(tmp_path: Path) -> None:
    async with a_house(tmp_path, BOT_ENCRYPTION_KEY=KEY) as house:
        sealed = house.bot.host.vault
        await sealed.put("state:1", "a value")
        assert await sealed.beginning_with("state:") == {"state:1": "a value"}
        assert sorted(await asyncio.gather(*(sealed.take("state:1") for _ in range(5))), key=str) == [
            *(None, None, None, None, "a value")
        ]
