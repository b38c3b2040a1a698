"""What is measured of a contestant, each time in a fresh process and folder. Times of figures in milliseconds."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.benchmarks.peers.contestants import Contestant, started
from tests.benchmarks.peers.world import Asked, World

PER_SECOND: Final = 20.0
PATIENCE: Final = 45.0
"""Seconds after the last question in which its answer must be seen."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: seconds of the paced run and of its warm-up, turns at saturation, turns in flight."""

    warm: float = 15.0
    seconds: float = 20.0
    saturated: int = 2000
    open_at_once: int = 300
    waiting: int = 1000


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run, and its raw samples."""

    figures: dict[str, float]
    samples: list[dict[str, Any]]


Run: TypeAlias = Callable[[Contestant, Path, Size], Awaitable[Result]]


def log_normal(chance: random.Random) -> float:
    """Seconds of an answer: half of them take less than four."""
    return min(15.0, max(1.0, chance.lognormvariate(1.4, 0.5)))


async def paced(contestant: Contestant, folder: Path, size: Size) -> Result:
    """20 questions a second, whatever comes of those before (open loop); answers take 1-15 s."""
    world = World(contestant.platform, log_normal)
    async with started(contestant, world, folder) as crew:
        await _offer(world, size.warm)
        used = crew.running.cpu()
        asked = await _offer(world, size.seconds)
        used = crew.running.cpu() - used
        figures = {
            "cpu_ms_per_turn": used * 1000 / len(asked),
            "polls_per_turn": statistics.mean(a.polls for a in asked),
        }
        return Result({**figures, **_times(asked), "rss_mb": crew.running.megabytes()}, [asdict(one) for one in asked])


async def saturated(contestant: Contestant, folder: Path, size: Size) -> Result:
    """As fast as it goes: so many turns are always open; answers take 0.2 s and are there at the first poll."""
    world = World(contestant.platform, lambda _: 0.2)
    async with started(contestant, world, folder, poll_seconds=0.25) as crew:
        await _offer(world, 2.0)
        places, tasks = asyncio.Semaphore(size.open_at_once), set()
        began, used, asked = time.monotonic(), crew.running.cpu(), []

        async def turn(one: Asked, payload: dict[str, Any]) -> None:
            await world.deliver(one, payload)
            await _until(lambda: one.seen, PATIENCE)
            places.release()

        for _ in range(size.saturated):
            await places.acquire()
            one, payload = world.question()
            asked.append(one)
            tasks.add(asyncio.create_task(turn(one, payload)))
        await asyncio.gather(*tasks)
        used, seconds = crew.running.cpu() - used, time.monotonic() - began
    answered = [one for one in asked if one.seen]
    figures = {
        "turns_per_second": len(answered) / seconds, "cpu_ms_per_turn": used * 1000 / max(1, len(answered)),
        "polls_per_turn": statistics.mean(one.polls for one in asked), "unanswered": len(asked) - len(answered),
    }  # fmt: skip
    return Result(figures, [asdict(one) for one in asked])


async def waiting(contestant: Contestant, folder: Path, size: Size) -> Result:
    """So many questions wait for answers that do not come; then the memory."""
    world = World(contestant.platform, lambda _: 3600.0)
    async with started(contestant, world, folder) as crew:
        await asyncio.sleep(2)
        before = crew.running.megabytes()
        tasks = []
        for _ in range(size.waiting):
            tasks.append(asyncio.create_task(world.deliver(*world.question())))
            await asyncio.sleep(0.005)
        await _until(lambda: all(one.submitted for one in world.asked.values()), PATIENCE)
        await asyncio.sleep(3)
        used, began, after = crew.running.cpu(), time.monotonic(), crew.running.megabytes()
        await asyncio.sleep(5)
        share = (crew.running.cpu() - used) * 100 / (time.monotonic() - began)
        for task in tasks:
            task.cancel()
    each = (after - before) * 1000 / size.waiting
    return Result({"idle_mb": before, "rss_mb": after, "kb_per_waiting": each, "cpu_percent": share}, [])


async def killed(contestant: Contestant, folder: Path, _: Size) -> Result:
    """100 questions, and a kill -9 in their midst; started again after a second. The platform delivers again what was
    not acknowledged."""
    world = World(contestant.platform, lambda _: 3.0)
    async with started(contestant, world, folder) as crew:
        offering = asyncio.create_task(_offer(world, 100 / PER_SECOND, patience=60.0))
        await asyncio.sleep(2.7)
        crew.running.kill()
        await asyncio.sleep(1.0)
        await crew.start()
        asked = await offering
    return Result(_fates(asked), [asdict(one) for one in asked])


async def repeated(contestant: Contestant, folder: Path, _size: Size) -> Result:
    """40 questions, each of them delivered twice, as platforms do."""
    world = World(contestant.platform, lambda _: 1.5)
    async with started(contestant, world, folder):
        asked = []
        for _ in range(40):
            one, payload = world.question()
            asked.append(one)
            await world.deliver(one, payload)
            await asyncio.sleep(0.1)
            await world.deliver(one, payload)
        await _until(lambda: all(one.seen for one in asked), PATIENCE)
        await asyncio.sleep(3)
    return Result(_fates(asked), [asdict(one) for one in asked])


async def in_order(contestant: Contestant, folder: Path, _size: Size) -> Result:
    """15 conversations with three questions each, one right after the other; answers take 1-4 s."""
    world = World(contestant.platform, lambda chance: chance.uniform(1.0, 4.0))
    async with started(contestant, world, folder):
        rows: list[list[Asked]] = []
        for channel in range(15):
            rows.append([])
            for _ in range(3):
                one, payload = world.question(channel, f"1790000000.{channel:06d}")
                rows[-1].append(one)
                await world.deliver(one, payload)
        asked = [one for row in rows for one in row]
        await _until(lambda: all(one.seen for one in asked), PATIENCE)
    wrong = sum([one.text for one in row] != sorted((o.text for o in row), key=_place(world)) for row in rows)
    return Result({**_fates(asked), "out_of_order": wrong}, [asdict(one) for one in asked])


def _place(world: World) -> Callable[[str], int]:
    return lambda text: world.posted.index(text) if text in world.posted else len(world.posted)


RUNS: Final[dict[str, Run]] = {
    "paced": paced, "saturated": saturated, "waiting": waiting,
    "killed": killed, "repeated": repeated, "order": in_order,
}  # fmt: skip


async def _offer(world: World, seconds: float, *, patience: float = PATIENCE) -> list[Asked]:
    """Offer 20 questions a second for so long, then wait for their answers."""
    began, asked, tasks = time.monotonic(), [], []
    for number in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
        one, payload = world.question()
        asked.append(one)
        tasks.append(asyncio.create_task(world.deliver(one, payload)))
    await _until(lambda: all(one.seen for one in asked), patience)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return asked


async def _until(done: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        await asyncio.sleep(0.02)


def _fates(asked: Sequence[Asked]) -> dict[str, float]:
    return {
        "questions": len(asked), "lost": sum(bool(one.acknowledged) and not one.answers for one in asked),
        "unanswered": sum(not one.answers for one in asked), "doubled": sum(one.answers > 1 for one in asked),
        "asked_twice": sum(one.submits > 1 for one in asked),
    }  # fmt: skip


def _times(asked: Sequence[Asked]) -> dict[str, float]:
    """Summarise who was answered; `unanswered` counts the others."""
    whole = [one for one in asked if one.seen]
    spans = {
        "ack": [one.acknowledged - one.sent for one in asked if one.acknowledged],
        "event_to_submit": [one.submitted - one.sent for one in asked if one.submitted],
        "told_to_seen": [one.seen - one.told for one in whole],
        "ready_to_seen": [one.seen - one.ready for one in whole],
    }
    found: dict[str, float] = {"unanswered": len(asked) - len(whole)}
    for name, values in spans.items():
        if values:
            ordered = sorted(values)
            found[f"{name}_mean_ms"] = statistics.mean(ordered) * 1000
            found[f"{name}_p50_ms"] = statistics.median(ordered) * 1000
            found[f"{name}_p99_ms"] = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000
    return found
