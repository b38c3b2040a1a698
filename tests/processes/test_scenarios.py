"""Scenarios drawn from seeds on a real PostgreSQL: nothing lost, nothing done twice without an unknown outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, a_server
from tests.processes.scenarios import Scenario

pytestmark = pytest.mark.needs_package("postgresql")


TOGETHER = 5
"""Scenarios that are played at once: they mostly wait."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server(f"max_connections={30 * TOGETHER}") as server:
        yield server


async def play(seed: int, server: Server, folder: Path) -> tuple[list[str], Counter[str]]:
    with server.database() as url:
        scenario = Scenario(seed, server, url, folder)
        return await scenario.run(), scenario.world.counts


@pytest.mark.parametrize("seed", range(2))
async def test_a_scenario(seed: int, server: Server, tmp_path: Path) -> None:
    wrong, _ = await play(seed, server, tmp_path)
    assert not wrong


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(10))
async def test_three_hundred_scenarios(
    part: int, server: Server, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    broken, sums = {}, Counter[str]()
    for first in range(part * 30, part * 30 + 30, TOGETHER):
        seeds = range(first, first + TOGETHER)
        for seed, (wrong, counts) in zip(
            seeds, await asyncio.gather(*(play(seed, server, tmp_path) for seed in seeds)), strict=True
        ):
            sums += counts
            if wrong:
                broken[seed] = wrong
    record_property("scenarios on PostgreSQL", {"scenarios": 30, "broken": len(broken), **dict(sorted(sums.items()))})
    assert not broken
