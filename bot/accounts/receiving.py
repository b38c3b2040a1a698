"""The accounts at work: each receives by a task of its own, and is replaced by itself with new secrets as it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import BaseModel, SecretStr

from bot.accounts.several import AccountHost, SeveralAccounts, SharedAddresses
from bot.adapter import Adapter, Host
from bot.context import Context
from bot.errors import BotError
from bot.shared import BackgroundTasks
from bot.store.operator import recent_accounts
from bot.supervisor import Supervisor

OVERLAP: Final = 10.0
"""Seconds at least that the adapter with the old secrets goes on beside the one with the new, for what is under way."""
PROOF_SECONDS: Final = 60.0
"""Seconds that the reads may take which prove a new token."""

log = structlog.get_logger(__name__)

Make = Callable[[str, BaseModel], Adapter]
"""Makes an adapter of a channel from settings."""


@dataclass(slots=True)
class Account:
    """An adapter at work; `settings` are those it was made from, None for one that was made elsewhere."""

    adapter: Adapter
    settings: BaseModel | None
    task: asyncio.Task[None] | None = None
    is_replaced: bool = False


class Receiving:
    """Runs the adapters. `adapters` are those the core sends by, a channel each, which a replacement changes."""

    def __init__(
        self, ctx: Context, adapters: MutableMapping[str, Adapter], supervisor: Supervisor, host: Host
    ) -> None:
        self._ctx = ctx
        self._adapters = adapters
        self._supervisor = supervisor
        self._host = host
        self._shared = SharedAddresses(host)
        self._tasks = BackgroundTasks()
        self._at_work: dict[str, list[Account]] = {}

    def start(self) -> None:
        """Receive with all of them."""
        for channel, adapter in self._adapters.items():
            each = adapter.adapters if isinstance(adapter, SeveralAccounts) else (adapter,)
            settings = self._ctx.config.accounts.get(channel, ())
            known = settings if len(settings) == len(each) else (None,) * len(each)
            self._at_work[channel] = [Account(one, its) for one, its in zip(each, known, strict=True)]
            for account in self._at_work[channel]:
                self._receive(account)

    async def stop(self) -> None:
        """Receive no more."""
        await self._tasks.drain()

    async def renew(self, accounts: Mapping[str, Sequence[BaseModel]], make: Make) -> bool:
        """Work with the secrets of new settings, account by account, each once reads with them have worked.

        Returns whether nothing else has changed; what has counts from the next start.
        """
        turned_on = {name for name, each in accounts.items() if each}
        only_secrets = turned_on == {name for name, each in self._at_work.items() if each[0].settings}
        for channel, fresh in accounts.items():
            at_work = self._at_work.get(channel, [])
            if [_public(one.settings) for one in at_work] != [_public(one) for one in fresh]:
                only_secrets = False
                continue
            for number, settings in enumerate(fresh):
                if settings != at_work[number].settings:
                    await self._replace(channel, number, make(channel, settings), settings)
        return only_secrets

    async def _replace(self, channel: str, number: int, adapter: Adapter, settings: BaseModel) -> None:
        old = self._at_work[channel][number]
        if reason := await self._why_not(channel, old.adapter, adapter):
            log.error("secrets.refused", channel=channel, account=number + 1, hint=reason)
            return
        account = Account(adapter, settings)
        self._at_work[channel][number] = account
        each = [one.adapter for one in self._at_work[channel]]
        self._adapters[channel] = each[0] if len(each) == 1 else SeveralAccounts(each)  # type: ignore[arg-type]
        old.is_replaced = True
        self._receive(account)
        self._tasks.spawn(self._retire(old, account))
        log.info("secrets.changed", channel=channel, account=number + 1)

    async def _why_not(self, channel: str, old: Adapter, new: Adapter) -> str:
        """Read with the new secrets; return why they cannot be used, in a sentence, "" if they can."""
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                failed = [check.detail for check in await new.check() if check.status == "fail"]
                if not failed and (gone := await self._gone(channel, old, new)):
                    failed = [f"They are another account's: {gone} would have nobody who answers it."]
        except TimeoutError:
            return f"{channel} did not answer in {PROOF_SECONDS:.0f} s."
        except BotError as error:
            return str(error)
        return failed[0] if failed else ""

    async def _gone(self, channel: str, old: Any, new: Any) -> str:
        """Name an account that has been asking lately and that only the old adapter serves, "" for none."""
        spec = self._ctx.channels.get(channel)
        if spec is None or spec.further is None:
            return ""  # one account at most, and no `serves`
        for account in await self._ctx.db.read(lambda tx: recent_accounts(tx, channel)):
            try:
                was_served = await old.serves(account)
            except BotError:
                continue  # its token is refused already
            if was_served and not await new.serves(account):
                return account
        return ""

    def _receive(self, account: Account) -> None:
        host = AccountHost(self._host, self._shared, account.adapter)
        account.task = self._tasks.spawn(
            self._supervisor.receive(account.adapter, host, lambda: not account.is_replaced)
        )

    async def _retire(self, old: Account, new: Account) -> None:
        """End the old one, not at once, and where there are addresses once a delivery came by the new secrets."""
        await asyncio.sleep(OVERLAP)
        await self._shared.proven(new.adapter)
        self._shared.drop(old.adapter)
        if old.task is not None:
            old.task.cancel()


def _public(settings: BaseModel | None) -> dict[str, Any] | None:
    """Return settings without their secrets, of which only stays whether they are set."""
    if settings is None:
        return None
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {name: True if isinstance(value, SecretStr) else value for name, value in values.items()}
