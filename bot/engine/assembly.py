"""Which engine works on a database, and what else the processes of one share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from bot.context import Context
from bot.engine import Engine, Worker
from bot.engine.cluster import Alone, EngineCluster, Shared
from bot.engine.inprocess import InProcessEngine
from bot.store.database import OpenDatabase

if TYPE_CHECKING:
    from bot.store.postgres import PostgresDatabase

STOP_SECONDS = 2.0
"""Seconds in which what is over is to be stored when the process stops."""


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """`once`: what is to be done in one process at a time, by name. `stop` is awaited when all else has stopped."""

    engine: Engine
    cluster: EngineCluster
    once: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    stop: Callable[[], Awaitable[None]] = _nothing


def assemble(ctx: Context, db: OpenDatabase, worker: Worker, wake_ratings: Callable[[], None]) -> Assembly:
    """Put together what fits the database."""
    if not db.is_shared:
        return Assembly(engine=InProcessEngine(ctx, worker, wake_ratings), cluster=Alone())
    from bot.engine.jobs import JobQueue  # the library's import takes a while, and most have no use for it
    from bot.engine.queued import QueuedEngine
    from bot.store.jobs import with_work

    async def still_wanted(lanes: Sequence[str]) -> Sequence[str]:
        return await ctx.db.read(lambda tx: with_work(tx, lanes))

    database = cast("PostgresDatabase", db)
    queue = database.holder = JobQueue(database.connect_queue, still_wanted, is_behind=lambda: db.behind)
    cluster = Shared(queue)
    engine = QueuedEngine(ctx, worker, wake_ratings, queue)

    async def stop() -> None:
        cluster.leave()
        await queue.stop(STOP_SECONDS)
        await queue.close()

    once = {"left over": engine.remove_left_over, "paces": cluster.forget_paces}
    return Assembly(engine=engine, cluster=cluster, once=once, stop=stop)
