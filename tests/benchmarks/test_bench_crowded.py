"""A thread with 5,000 earlier questions, an answer with 5,000 voters, beside ones with next to none: seven pairs."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from bot.telemetry.logging import configure
from tests.benchmarks.compare import ENOUGH, order
from tests.benchmarks.load import cpu, p
from tests.bot.test_constant_work import THREAD, with_history

MANY, FEW = 5_000, 1


async def measured(folder: Path, before: int, *, questions: int, voters: int) -> dict[str, float]:
    """Ask and vote where so much was asked and voted before; CPU and acknowledgement of one, in ms."""
    async with with_history(folder, before, before) as (house, answer):
        channel, acknowledged = house.channel, list[float]()

        async def of_each(name: str, count: int) -> dict[str, float]:
            acknowledged.clear()
            used = cpu()
            for number in range(count):
                began = time.monotonic()
                if name == "question":
                    await channel.say(f"question {number}", conversation=THREAD, user_id=f"Q{number}")
                    acknowledged.append((time.monotonic() - began) * 1000)
                    await house.answers(number + 2)
                else:
                    await channel.react(answer.ref, "👍", user_id=f"N{number}")
                    acknowledged.append((time.monotonic() - began) * 1000)
            return {
                f"{name}_cpu_ms": (cpu() - used) * 1000 / count,
                f"{name}_ack_p50_ms": p(acknowledged, 0.5),
                f"{name}_ack_p99_ms": p(acknowledged, 0.99),
            }

        return {**await of_each("vote", voters), **await of_each("question", questions)}


@pytest.mark.bench
@pytest.mark.timeout(900)
async def test_figures_of_a_crowd(tmp_path: Path) -> None:
    configure(level="error")
    found: dict[str, list[dict[str, float]]] = {"A": [], "B": []}
    for number, turn in enumerate(order(ENOUGH)):
        for side in turn:
            before = MANY if side == "A" else FEW
            found[side].append(await measured(tmp_path / f"{number}{side}", before, questions=30, voters=600))
    print()
    for name in found["A"][0]:
        with_many, with_few = ([one[name] for one in found[side]] for side in "AB")
        ratios = sorted(many / few for many, few in zip(with_many, with_few, strict=True))
        print(
            f"{name}: {statistics.median(with_many):.2f} with {MANY:,}, {statistics.median(with_few):.2f} with"
            f" {FEW}: ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


async def test_the_harness_counts_both(tmp_path: Path) -> None:
    figures = await measured(tmp_path / "few", 3, questions=2, voters=3)
    assert sorted(figures) == [
        *(f"question_{name}" for name in ("ack_p50_ms", "ack_p99_ms", "cpu_ms")),
        *(f"vote_{name}" for name in ("ack_p50_ms", "ack_p99_ms", "cpu_ms")),
    ]
    assert min(figures.values()) > 0
