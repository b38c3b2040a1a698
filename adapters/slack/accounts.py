"""The accounts of one app: the workspace of its token, and those that have installed it by OAuth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from adapters.slack.client import Client
from adapters.slack.config import SlackSettings
from adapters.slack.identity import accounts_of
from adapters.slack.ids import CHANNEL_NAME, Payload
from adapters.slack.installations import Installations
from adapters.slack.manifest import SCOPES
from adapters.slack.oauth import InstallFlow
from adapters.slack.workspace import Workspace
from bot.adapter import Check, Host
from bot.errors import BotError, Rejected
from bot.shared import BoundedDict

KEEP_READY: Final = 500
"""Installed workspaces that are kept ready in memory; others are read again when they are needed."""
MOST_SHOWN: Final = 20
"""Workspaces that a check names."""


class AppAccounts:
    """Finds the workspace that a payload, a conversation or a message belongs to."""

    def __init__(self, settings: SlackSettings, client: Client, main: Workspace | None, *, guests_differ: bool) -> None:
        self._main = main
        self._client = client
        self._guests_differ = guests_differ
        self._installations: Installations | None = None
        self._flow: InstallFlow | None = None
        self._served: Host | None = None
        self._host: Host | None = None
        self._ready: BoundedDict[str, Workspace] = BoundedDict(KEEP_READY)
        if settings.client_id is not None and settings.client_secret is not None:
            nobody = Client("", settings.api_url, shares=client)
            secret = settings.client_secret.get_secret_value()
            self._installations = Installations(nobody, settings.client_id, secret)
            self._flow = InstallFlow(settings.app, settings.client_id, sorted(SCOPES), self._installations, nobody)

    def open(self, host: Host) -> None:
        """Use this host, and serve the install flow there."""
        self._host = host
        if self._installations is not None and self._flow is not None:
            self._installations.open(host)
            if self._served is not host:
                self._flow.serve(host)
                self._served = host

    async def begin(self) -> None:
        """Ask who the bot of the token is, before anything is received."""
        if self._main is not None:
            await self._main.who()

    async def serves(self, account: str) -> bool:
        """Whether this app is installed in an account."""
        return await self.find(account) is not None

    async def find(self, account: str) -> Workspace | None:
        """Return the workspace of an account, None where it is none of ours."""
        if self._main is not None and await self._main.account() == account:
            return self._main
        if self._installations is None:
            return None
        if (ready := self._ready.get(account)) is not None:
            return ready
        installation = await self._installations.of(account)
        if installation is None:
            return None
        installations = self._installations

        async def token() -> str:
            return await installations.token(account)

        client = Client(installation.token, self._client.base_url, shares=self._client, tokens=token)
        ready = Workspace(client, guests_differ=self._guests_differ, identity=installation.identity, installed=True)
        self._ready[account] = ready
        return ready

    async def of(self, account: str) -> Workspace:
        """Return the workspace of an account.

        Raises:
            Rejected: the app is not installed there any more.
        """
        if self._main is not None and self._installations is None:
            return self._main  # the only one there can be
        found = await self.find(account)
        if found is None:
            raise Rejected("The app is not installed in this workspace any more.", reason="account_gone", gone=True)
        return found

    async def of_payload(self, payload: Payload) -> Workspace | None:
        """Find the workspace that a payload is for; a payload that names nobody is for that of the token."""
        if self._main is not None and (self._installations is None or (await self._main.who()).owns(payload)):
            return self._main
        for account in accounts_of(payload):
            if (found := await self.find(account)) is not None:
                return found
        return None

    async def leave(self, account: str) -> None:
        """Forget an installation, if it is one by OAuth."""
        self._ready.pop(account, None)
        if self._installations is not None:
            await self._installations.remove(account)

    async def check(self) -> Sequence[Check]:
        """Say which workspaces have installed the app, and what lets in those that wait."""
        if self._installations is None or self._host is None:
            return []
        try:
            accounts = await self._installations.accounts()
            waiting = [one for one in accounts if not self._host.listed(CHANNEL_NAME, one).named]
            names = [await self._said(one) for one in waiting[:MOST_SHOWN]]
        except BotError as error:
            return [
                Check(
                    check="slack installations",
                    status="fail",
                    detail=str(error),
                    fix="Set BOT_ENCRYPTION_KEY to what it was when they were stored.",
                )
            ]
        renewals = [self._unrenewed(account, *what) for account, what in self._installations.unrenewed.items()]
        if not waiting:
            detail = f"{len(accounts)} installed the app by OAuth, all admitted."
            return [Check(check="slack installations", status="ok", detail=detail), *renewals[:MOST_SHOWN]]
        lines = ", ".join(f'"{CHANNEL_NAME}:{one}"' for one in waiting[:MOST_SHOWN])
        return [
            Check(
                check="slack installations",
                status="warn",
                detail=f"{len(waiting)} of {len(accounts)} wait to be admitted: {', '.join(names)}.",
                fix=f"To admit them, add to [access]: allow = [{lines}]; or name them in [[routes]].",
            ),
            *renewals[:MOST_SHOWN],
        ]

    @staticmethod
    def _unrenewed(account: str, ends_at: float, reason: str) -> Check:
        ends = datetime.fromtimestamp(ends_at, UTC)
        return Check(
            check="slack token renewal",
            status="warn",
            detail=f"The token of {account} ends at {ends:%Y-%m-%d %H:%M} UTC and could not be renewed: {reason}",
            fix="It is tried again with each call. If it goes on, let that workspace install the app again.",
        )

    async def _said(self, account: str) -> str:
        assert self._installations is not None
        installation = await self._installations.of(account)
        name = installation.identity.team if installation is not None else ""
        return f"{name} ({account})" if name else account
