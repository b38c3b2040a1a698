"""A lane that may be another process's by now: nothing more is done for it here."""

from __future__ import annotations

import asyncio

import pytest

from bot.engine.ownership import LaneLost, act_for, is_lost, must_hold


class Right:
    """A right that is lost when told."""

    def __init__(self) -> None:
        self.holds = True


async def test_only_the_task_that_acts_for_a_lane_is_concerned() -> None:
    right = Right()

    async def beside() -> bool:
        return is_lost()

    async def lane() -> bool:
        act_for(right)
        must_hold()
        right.holds = False
        with pytest.raises(LaneLost):
            must_hold()
        return await asyncio.create_task(beside())  # what removes progress goes on when the lane is left

    assert not await asyncio.create_task(lane())
    assert not is_lost()
    must_hold()
