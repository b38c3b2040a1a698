"""One account of the app: a workspace, or an organisation that installed it for all of its workspaces."""

from __future__ import annotations

import asyncio

from adapters.slack.client import Client
from adapters.slack.history import HistoryGrant
from adapters.slack.identity import Identity
from adapters.slack.sending import Sender
from adapters.slack.users import Users
from adapters.slack.working import WorkingSigns


class Workspace:
    """Everything that works with one token. `identity` is asked for at Slack where it is not known.

    `installed`: by OAuth, so that it counts only once a setting names it.
    """

    def __init__(
        self, client: Client, *, guests_differ: bool, identity: Identity | None = None, installed: bool = False
    ) -> None:
        self.client = client
        self.installed = installed
        self.sender = Sender(client, self.account)
        self.working = WorkingSigns(client)
        self.users = Users(client, guests_differ=guests_differ)
        self.grant = HistoryGrant()
        self._identity = identity
        self._asking = asyncio.Lock()

    async def who(self) -> Identity:
        """Who the bot is, asked once; never while an event waits for its acknowledgement."""
        async with self._asking:
            if self._identity is None:
                self._identity = await self.client.who_am_i()
            return self._identity

    async def account(self) -> str:
        """The id of the account."""
        return (await self.who()).team_id
