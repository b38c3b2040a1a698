"""Run a seed, judge it, tell its history."""

from __future__ import annotations

import gc
import random
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from tests.simulation.judge import Verdict, judge
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.luck import Luck
from tests.simulation.process import Parts
from tests.simulation.story import LEGEND, tell
from tests.simulation.world import World


@dataclass(slots=True)
class Report:
    """How a run went. `crowd`: how many people, questions, events and unusual decisions there were."""

    seed: int
    verdict: Verdict
    luck: Luck
    world: World
    crowd: dict[str, int]

    @property
    def kinds(self) -> set[str]:
        """What was wrong, without the numbers: to tell whether another run fails the same way."""
        return {re.sub(r"\d[\d.]*", "#", one.split("\n")[0]) for one in self.verdict.wrong}

    def story(self, *, logs: bool = False) -> str:
        """Tell what was drawn and what happened, in sentences; with `logs` what the bot logged, too."""
        return "\n".join(
            (
                "What was drawn for this run (all else is as usual):",
                self.luck.tell(),
                "",
                "What happened:",
                *LEGEND,
                *tell(self.world.history, logs=logs),
                "",
                *(self.verdict.wrong or ["Every promise was kept."]),
            )
        )


class _Log:
    """Stands for a module's logger: what happens goes into the history, a mistake of ours is complained of."""

    def __init__(self, world: World) -> None:
        self.world = world

    def info(self, event: str, **about: Any) -> None:
        self.world.history.append((self.world.loop.time(), f"  log {event}", (about,)))

    debug = warning = error = info

    def exception(self, event: str, **about: Any) -> None:
        self.info(event, **about)
        error = sys.exc_info()[1]
        where = "".join(traceback.format_exception(error)[-3:]) if error is not None else ""
        self.world.complain(f"unexpected error ({event}): {where}")


@contextmanager
def _logging_into(world: World) -> Iterator[None]:
    log = _Log(world)
    modules = [
        cast("Any", module)
        for name, module in list(sys.modules.items())
        if name.startswith("bot.") and hasattr(module, "log") and hasattr(module.log, "bind")
    ]
    saved = [(module, module.log) for module in modules]
    for module in modules:
        module.log = log
    try:
        yield
    finally:
        for module, old in saved:
            module.log = old


def run(
    seed: int,
    parts: Parts | None = None,
    *,
    kept: frozenset[str] | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> Report:
    """Run one seed in a world of its own. `kept` and `fixed`: see `Luck`."""
    luck = Luck(seed, kept=kept, fixed=fixed)
    shuffled = luck.option("ready tasks in any order", False, lambda _: True)
    loop = VirtualLoop(random.Random(f"order {seed}") if shuffled else None)  # repeatable
    gc.disable()
    try:
        parts = parts or Parts()
        world = (parts.world or World)(loop, luck, parts)
        with _logging_into(world):
            try:
                loop.run_until_complete(world.live())
            except Stuck:
                world.complain("Everything waits, and nothing will come.")
            loop_failures = list(loop.failures)
            verdict = judge(world)
            for life in world.lives:
                life.died = life.died if life.died is not None else world.now
            loop.end()
        verdict.wrong += [f"a task failed: {one}" for one in loop_failures]
        world.platter.close()
        return Report(seed, verdict, luck, world, _crowd(world))
    finally:
        gc.enable()
        if not loop.is_closed():
            loop.end()


def _crowd(world: World) -> dict[str, int]:
    asks = world.people.asks
    return {
        "people": len({ask.user for ask in asks}),
        "questions": len(asks),
        "events": len(world.people.deliveries),
        "unusual": len(world.luck.unusual),
    }
