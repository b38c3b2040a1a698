"""The bot as `run` runs it, in a process that can be asked what has grown in it.

`python -m tests.memory.process MOST LOWER LEAK`: for each line of standard input it prints as JSON what has more than
MOST entries and had fewer at the first line. LOWER sets the bounds of all bounded maps to so many, 0 leaves them. LEAK
names a deliberate bug, or none.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bot import app, shared
from bot.config import RUN, installed, load
from bot.intake.router import Router
from bot.telemetry.logging import configure
from tests.memory.walk import grown, sizes

LEAKED: dict[str, float] = {}


def lower_bounds(most: int) -> None:
    """Let every bounded map hold few, so that few people show what many would."""
    from bot.engine import cluster

    init = shared.BoundedDict.__init__

    def lowered(self: shared.BoundedDict[Any, Any], bound: int) -> None:
        init(self, min(bound, most))

    shared.BoundedDict.__init__ = lowered  # type: ignore[method-assign, assignment]
    cluster.MOST_KEYS = most  # type: ignore[misc]


def leak(kind: str) -> None:
    """Put a bug in: remember each person, or each message, for ever."""
    handle = Router.handle

    async def leaking(self: Router, event: Any) -> Any:
        LEAKED[event.event_id if kind == "message" else str(getattr(event, "user_id", ""))] = 1.0
        return await handle(self, event)

    Router.handle = leaking  # type: ignore[method-assign]


async def main(most: int, lower: int, kind: str) -> None:
    if lower:
        lower_bounds(lower)
    if kind != "none":
        leak(kind)
    config = load(installed(), need=RUN)
    configure(level="error", style="json")
    loop = asyncio.get_running_loop()
    async with app.running(config) as bot:
        app.settle(bot)
        print(json.dumps({"url": bot.web.url}), flush=True)
        before: dict[int, int] | None = None
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps({} if before is None else grown(most, before)), flush=True)
            before = sizes(most) if before is None else before


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
