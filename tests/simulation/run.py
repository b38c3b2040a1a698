"""Run a seed, judge it, tell its history."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from tests.simulation.judge import Verdict, judge
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.process import Parts
from tests.simulation.world import World


@dataclass(slots=True)
class Report:
    """How a run went."""

    seed: int
    verdict: Verdict
    history: list[tuple[float, str, tuple[Any, ...]]] = field(default_factory=list)

    def story(self) -> str:
        """Tell the history in words, one line for each thing that happened."""
        lines = [
            f"{at:9.3f}  {what:24} {' '.join(str(one) for one in about if one != '')}"
            for at, what, about in self.history
        ]
        return "\n".join(lines)


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


def run(seed: int, parts: Parts | None = None) -> Report:
    """Run one seed in a world of its own."""
    loop = VirtualLoop()
    gc.disable()
    try:
        world = World(loop, seed, parts or Parts())
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
        return Report(seed, verdict, world.history)
    finally:
        gc.enable()
        if not loop.is_closed():
            loop.end()
