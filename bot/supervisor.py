"""Keeps channels receiving and the house in order: restarts, checks, retention. Each loop runs until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import structlog

from bot.adapter import Adapter, Check, Host
from bot.context import Context
from bot.errors import BotError, Unavailable
from bot.store.meta import note_checks
from bot.store.retention import Slice, in_slices, old

CHECK_EVERY = 60.0
"""Seconds between two checks of a channel."""
FORGET_EVERY = 3600.0
"""Seconds between two looks for what is old enough to be forgotten."""
FORGET_REST = 0.02
FORGET_SHARE = 4.0
"""Seconds of rest after a slice at least, and how many times as long as the slice took: the writer is everybody's."""
RESTART_AFTER = 1.0
"""Seconds before an adapter that ended is started again, the first time."""
LONGEST_RESTART = 30.0
"""Seconds at most; one that ran longer than this begins at the shortest again."""

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs what must not end while the bot runs."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    async def receive(self, adapter: Adapter, host: Host, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Run an adapter; when it ends by an error, start it again after a while, if it `goes_on`."""
        wait = RESTART_AFTER
        while goes_on():
            began = time.monotonic()
            try:
                return await adapter.run(host)
            except BotError as error:
                log.warning("channel.ended", channel=adapter.channel, reason=str(error))
                if not goes_on():
                    break
                self.ctx.problems.report(adapter.channel, str(error))
            except Exception:
                log.exception("channel.crashed", channel=adapter.channel)
                self.ctx.problems.report(adapter.channel, "It ended unexpectedly; see the log.")
            lasted = time.monotonic() - began > LONGEST_RESTART
            wait = RESTART_AFTER if lasted else min(wait * 2, LONGEST_RESTART)
            await asyncio.sleep(wait)
        return None

    async def watch(self) -> None:
        """Let every channel check itself, again and again."""
        while True:
            await self.check_channels()
            await asyncio.sleep(CHECK_EVERY)

    async def check_channels(self) -> None:
        """Let every channel check itself: one that fails shows as degraded; `doctor` sees what it found."""
        for name, adapter in self.ctx.adapters.items():
            checks, now = [*await adapter.check(), *self._refused(name)], self.ctx.clock()
            with contextlib.suppress(Unavailable):
                await self.ctx.db.write(
                    partial(note_checks, channel=name, checks=[asdict(check) for check in checks], now=now)
                )
            self.ctx.warned[name] = [check for check in checks if check.status == "warn"]
            failed = [check for check in checks if check.status == "fail"]
            if failed:
                self.ctx.problems.report(name, failed[0].detail)
                log.error("channel.failing", channel=name, check=failed[0].check, detail=failed[0].detail)
            else:
                self.ctx.problems.clear(name)

    def _refused(self, channel: str) -> list[Check]:
        """Find the deliveries that were refused lately, which only this process knows of."""
        if not (sentence := self.ctx.refused.sentence(channel)):
            return []
        fix = "Compare the secret at the platform with the setting; nothing else can make its deliveries wrong."
        return [Check(check=f"{channel} deliveries", status="warn", detail=sentence, fix=fix)]

    async def forget_old(self) -> None:
        """Forget what is old enough, in slices that leave the writer to others for most of the time."""
        retention = self.ctx.config.retention
        while True:
            with contextlib.suppress(Unavailable):
                await in_slices(self._write_aside, old(retention.text_days, retention.count_days, self.ctx.clock()))
            await asyncio.sleep(FORGET_EVERY)

    async def _write_aside(self, work: Slice) -> int:
        loop = asyncio.get_running_loop()
        began = loop.time()
        changed = await self.ctx.db.write(work)
        if changed:
            await asyncio.sleep(max(FORGET_REST, FORGET_SHARE * (loop.time() - began)))
        return changed
