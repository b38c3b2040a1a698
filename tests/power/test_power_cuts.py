"""The power fails at seeded moments under load: what was acknowledged is answered once afterwards.

A kill shows nothing of it, for the page cache survives a process. Bounds: the disk keeps what it says it has synced,
and a sector is written whole or not at all.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.power.bugs import BUGS
from tests.power.outage import Figures, outages

pytestmark = [
    pytest.mark.needs_package("gcc", "libc6-dev"),
    pytest.mark.skipif(sys.platform != "linux", reason="the shim is preloaded as Linux does it"),
]

ALL_MOMENTS = 77
"""A seed whose three cuts come at each moment once, and keep each kind of what was not synced once."""
FINDS = dict.fromkeys(BUGS, 1)
"""Which seed finds a deliberate bug with its first cut."""


def judge(figures: Figures) -> None:
    print("\npower cuts:", " · ".join(f"{name} {number:g}" for name, number in figures.counts().items()))
    assert figures.broken == 0
    assert figures.disk["syncs"] > figures.asked, "the shim has not seen the commits"


@pytest.mark.timeout(600)
async def test_power_cuts_lose_and_double_nothing(tmp_path: Path) -> None:
    figures = await outages(tmp_path, ALL_MOMENTS, cuts=3, questions=6)
    judge(figures)
    assert figures.cuts == 3
    assert {count for what, count in figures.seen.items()} == {1}
    assert len(figures.seen) == 6


@pytest.mark.timeout(600)
async def test_each_deliberate_bug_is_found_by_one_cut(tmp_path: Path) -> None:
    """Four machines at a time: most of it is waiting."""
    async with asyncio.TaskGroup() as together:
        for number, bug in enumerate(BUGS):
            folder = tmp_path / str(number)
            folder.mkdir()
            together.create_task(found(bug, folder), name=bug)


async def found(bug: str, folder: Path) -> None:
    figures = await outages(folder, FINDS[bug], cuts=1, questions=6, bug=bug)
    print(f"\n{bug}, seed {FINDS[bug]}:", " · ".join(f"{name} {number:g}" for name, number in figures.counts().items()))
    assert figures.broken > 0, f"nothing noticed: {bug}"
    assert figures.violations == figures.given_up == 0


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(20))
async def test_two_hundred_power_cuts(
    seed: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    figures = await outages(tmp_path, seed, cuts=10, questions=6)
    record_property("power cuts", figures.counts())
    judge(figures)
    assert figures.cuts == 10
