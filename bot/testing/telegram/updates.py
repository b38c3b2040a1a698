"""How Telegram keeps updates and hands them out: getUpdates with its offsets, or a webhook with its retries."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import aiohttp

JSON = dict[str, Any]

DEFAULT_LEAVES_OUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Conflict(Exception):
    """Two receivers at once; its words."""


@dataclass(slots=True)
class PollRecord:
    """One call of getUpdates, for tests."""

    at: float
    offset: int | None
    given: tuple[int, ...] = ()


@dataclass(slots=True)
class Attempt:
    """One call of the webhook; status 0 where no answer came."""

    update_id: int
    status: int


@dataclass(slots=True)
class Webhook:
    """What setWebhook said."""

    url: str
    secret: str
    max_connections: int
    set_at: float = field(default_factory=time.time)


class Updates:
    """The updates of one bot that it has not confirmed. `retry_seconds`: the webhook's first pause, then doubling."""

    def __init__(self, first_id: int = 100) -> None:
        self._ids = itertools.count(first_id)
        self.pending: dict[int, JSON] = {}
        self._again: list[JSON] = []
        self.allowed: list[str] = []
        self.webhook: Webhook | None = None
        self.polls: list[PollRecord] = []
        self.attempts: list[Attempt] = []
        self.left_out: list[str] = []
        self.last_error: tuple[float, str] | None = None
        self.longest_poll = 50.0
        self.retry_seconds = 0.05
        self.longest_retry = 2.0
        self.public: dict[str, str] = {}
        """Public base address → where it really is, as DNS and a proxy would have it."""
        self.changed = asyncio.Condition()
        self.closing = False
        self._poller = 0
        self._queues: dict[str, asyncio.Task[None]] = {}
        self._lines: defaultdict[str, list[JSON]] = defaultdict(list)
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(40)

    def wanted(self, kind: str) -> bool:
        """Tell whether the bot asked for updates of that kind; decided when the update is made, as by Telegram."""
        return kind in self.allowed if self.allowed else kind not in DEFAULT_LEAVES_OUT

    async def push(self, kind: str, payload: JSON) -> int | None:
        """Make an update; None when the bot does not want that kind."""
        if not self.wanted(kind):
            self.left_out.append(kind)
            return None
        number = next(self._ids)
        await self.put({"update_id": number, kind: payload})
        return number

    async def put(self, update: JSON) -> None:
        """Queue a whole update. One with a known or confirmed id is delivered again."""
        known = any(update["update_id"] in poll.given for poll in self.polls)
        if self.webhook is None and known and update["update_id"] not in self.pending:
            self._again.append(update)
        self.pending[update["update_id"]] = update
        await self._notify()
        if self.webhook is not None:
            self._send(update)

    def next_id(self) -> int:
        """Reserve an update id."""
        return next(self._ids)

    async def poll(self, offset: int | None, limit: int, timeout: float) -> list[JSON]:
        """Answer getUpdates.

        Raises:
            Conflict: a webhook is set, or a later call of getUpdates took over.
        """
        if self.webhook is not None:
            raise Conflict("can't use getUpdates method while webhook is active; use deleteWebhook first")
        record = PollRecord(time.monotonic(), offset)
        before = self.polls[-1] if self.polls else None
        if before is not None and before.given and before.offset == offset and record.at - before.at < 0.5:
            limit = 1  # the server punishes asking the same again at once
        self.polls.append(record)
        self._poller += 1
        mine = self._poller
        self._confirm(offset)
        await self._notify()
        deadline = asyncio.get_running_loop().time() + min(timeout, self.longest_poll)
        async with self.changed:
            while not (batch := self._batch(limit)):
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or self.closing:
                    return []
                try:
                    async with asyncio.timeout(left):
                        await self.changed.wait()
                except TimeoutError:
                    continue
                if self._poller != mine:
                    raise Conflict("terminated by other getUpdates request; make sure that only one bot runs")
        record.given = tuple(update["update_id"] for update in batch)
        self._again.clear()
        return batch

    def _confirm(self, offset: int | None) -> None:
        if offset is None or offset == 0:
            return
        if offset < 0:
            for update_id in sorted(self.pending)[:offset]:
                del self.pending[update_id]
            return
        again = {update["update_id"] for update in self._again}
        for update_id in [known for known in self.pending if known < offset and known not in again]:
            del self.pending[update_id]

    def _batch(self, limit: int) -> list[JSON]:
        return sorted(self.pending.values(), key=lambda update: int(update["update_id"]))[:limit]

    async def deliver(self, update: JSON, timeout: float = 20.0) -> bool:
        """Queue an update and wait until it is confirmed (True), or declined: asked for again, or refused."""
        number, polls, attempts = update["update_id"], max(0, len(self.polls) - 1), len(self.attempts)

        def declined() -> bool:
            if any(a.update_id == number and not 200 <= a.status < 300 for a in self.attempts[attempts:]):
                return True
            given = [index for index in range(polls, len(self.polls)) if number in self.polls[index].given]
            return bool(given) and len(self.polls) > given[0] + 1

        await self.put(update)
        async with asyncio.timeout(timeout), self.changed:
            while number in self.pending and not declined():
                await self.changed.wait()
        return number not in self.pending

    async def set_webhook(self, webhook: Webhook | None, *, drop: bool = False) -> None:
        """Start or stop calling a webhook; what waits is delivered to it."""
        self.webhook = webhook
        self._poller += 1
        if drop:
            self.pending.clear()
        await self._notify()
        if webhook is not None:
            self._slots = asyncio.Semaphore(webhook.max_connections)
            waiting = {update["update_id"] for line in self._lines.values() for update in line}
            for update_id in sorted(self.pending):
                if update_id not in waiting:
                    self._send(self.pending[update_id])

    def _send(self, update: JSON) -> None:
        """Put an update into its queue: messages of a chat in order; reactions and clicks in queues of their own."""
        kind = next((key for key in update if key != "update_id"), "")
        inner = update.get(kind)
        inner = inner if isinstance(inner, dict) else {}
        if kind == "callback_query":
            inner = inner.get("message") or {}
        chat = inner.get("chat")
        chat_id = chat.get("id") if isinstance(chat, dict) else None
        name = f"{kind if kind not in ('message', 'edited_message') else 'words'}:{chat_id}"
        self._lines[name].append(update)
        task = self._queues.get(name)
        if task is None or task.done():
            self._queues[name] = asyncio.create_task(self._work(name))

    async def _work(self, name: str) -> None:
        line = self._lines[name]
        while line and self.webhook is not None:
            pause = 0.0
            failures = 0
            while not self.closing:
                await asyncio.sleep(pause)
                if self.webhook is None:
                    return
                status, retry_after = await self._attempt(line[0])
                if 200 <= status < 300:
                    self.pending.pop(line[0]["update_id"], None)
                    break
                failures += 1
                pause = 0.0 if failures == 1 else min(self.retry_seconds * 2 ** (failures - 2), self.longest_retry)
                pause = max(pause, min(retry_after * self.retry_seconds, self.longest_retry))
            if self.closing:
                return
            line.pop(0)
            await self._notify()

    async def _attempt(self, update: JSON) -> tuple[int, float]:
        webhook = self.webhook
        assert webhook is not None
        self._session = self._session or aiohttp.ClientSession()
        headers = {"Content-Type": "application/json"}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        status, retry_after = 0, 0.0
        address = webhook.url
        for base, real in self.public.items():
            address = address.replace(base, real)
        try:
            async with (
                self._slots,
                self._session.post(
                    address, data=json.dumps(update).encode(), headers=headers, timeout=aiohttp.ClientTimeout(60)
                ) as answer,
            ):
                await answer.read()
                status = answer.status
                retry_after = float(answer.headers.get("Retry-After", 0))
        except (aiohttp.ClientError, TimeoutError):
            self.last_error = (time.time(), "Connection refused")
        if not 200 <= status < 300:
            words = f"Wrong response from the webhook: {status}" if status else "Connection refused"
            self.last_error = (time.time(), words)
        self.attempts.append(Attempt(update["update_id"], status))
        await self._notify()
        return status, retry_after

    async def close(self) -> None:
        """Let pollers go and stop the webhook."""
        self.closing = True
        await self._notify()
        for task in self._queues.values():
            task.cancel()
        await asyncio.gather(*self._queues.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()
