"""Slack as the core sees it: the Adapter, put together from the modules beside it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from adapters.slack import home
from adapters.slack.accounts import AppAccounts
from adapters.slack.bolt import BoltDispatcher
from adapters.slack.checks import check_account
from adapters.slack.client import Client
from adapters.slack.comment import comment_view
from adapters.slack.config import SlackSettings
from adapters.slack.files import open_file
from adapters.slack.history import earlier
from adapters.slack.http import EVENTS_PATH, EventsEndpoint
from adapters.slack.ids import CHANNEL_NAME
from adapters.slack.names import conversation_name, group_name
from adapters.slack.parts import SlackPart
from adapters.slack.receive import Inbox
from adapters.slack.render import render, with_asker, with_note
from adapters.slack.socket import PLACES, SocketMode
from adapters.slack.workspace import Workspace
from bot.adapter import Check, Host, Part, Want
from bot.errors import BotError, Misconfigured, Rejected
from bot.events import (
    Conversation,
    EarlierMessage,
    File,
    Mention,
    MessageRef,
    Outbound,
    Person,
    Rating,
    Reaction,
)

log = logging.getLogger(__name__)


class SlackAdapter:
    """One Slack app, in one workspace or in all that have installed it. Implements `bot.adapter.AccountAdapter`."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        guests_differ: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not settings.enabled:
            raise Misconfigured("SLACK_BOT_TOKEN is not set; set it to turn Slack on.")
        self._settings = settings
        self._clock = clock
        token = "" if settings.bot_token is None else settings.bot_token.get_secret_value()
        self._client = Client(token, settings.api_url)
        main = Workspace(self._client, guests_differ=guests_differ) if token else None
        self._accounts = AppAccounts(settings, self._client, main, guests_differ=guests_differ)
        self._host: Host | None = None
        self._events: EventsEndpoint | None = None
        self._sockets: SocketMode | None = None

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return CHANNEL_NAME

    async def serves(self, account_id: str) -> bool:
        """Whether the app is installed in this account."""
        return await self._accounts.serves(account_id)

    async def run(self, host: Host) -> None:
        """Receive over Socket Mode or HTTP until cancelled."""
        self._host = host
        self._accounts.open(host)
        if self._events is None and self._settings.signing_secret is not None and not self._settings.socket_mode:
            # Once: the core may start `run` again, but the server keeps its routes.
            self._events = EventsEndpoint(self._settings.signing_secret.get_secret_value(), self._refused)
            host.serve("POST", EVENTS_PATH, self._events.handle)
        async with self._client.open() as session:
            await self._accounts.begin()
            leave = self._accounts.leave
            inbox = Inbox(host, self._accounts.of_payload, ask_why=self._ask_why, gone=leave, clock=self._clock)
            bolt = BoltDispatcher(inbox, self._client.sdk(session))
            try:
                if self._settings.app_token is not None:
                    app_token = self._settings.app_token.get_secret_value()
                    app = hashlib.sha256(app_token.encode()).hexdigest()[:16]  # its connections are counted together
                    place = partial(host.lease, f"{CHANNEL_NAME}:{app}:socket", PLACES)
                    self._sockets = SocketMode(self._client, session, app_token, bolt.dispatch, place)
                    await self._sockets.run()
                elif self._events is not None:
                    await self._events.serve(bolt.dispatch)
            finally:
                await inbox.drain()

    def render(self, outbound: Outbound, *, plain: bool = False, after: int = 0) -> Sequence[Part]:
        """Render to messages, or to the Home tab; see `SlackPart`."""
        return [part.to_json() for part in render(outbound, plain=plain, after=after)]

    async def send(
        self, conversation: Conversation, part: Part, delivery_id: str, reply_to: MessageRef | None, *, note: str = ""
    ) -> MessageRef:
        """Post one part, or publish the Home tab."""
        message = SlackPart.from_json(part)
        workspace = await self._accounts.of(conversation.account_id)
        if message.home is not None:
            direct, identity = conversation.conversation_id, await workspace.who()
            return await home.publish(workspace.client, identity, message, direct, message.home)
        if message.asked_by_command:
            message = with_asker(message, await workspace.users.name(message.user_id))
        if note:
            message = with_note(message, note)
        return await workspace.sender.post(conversation, message, delivery_id, reply_to, self._pace)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look for our delivery id in the metadata of the thread's or the conversation's messages."""
        workspace = await self._accounts.of(conversation.account_id)
        return await workspace.sender.find(conversation, delivery_id)

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Do nothing: Slack shows which of its feedback buttons a person pressed."""

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages."""
        workspace = await self._accounts.of(ref.account_id)
        try:
            await workspace.client.call("chat.delete", {"channel": ref.conversation_id, "ts": ref.message_id})
        except Rejected as error:
            if error.reason != "message_not_found":
                raise

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Show or end the agent session's status, or 👀 on the question."""
        workspace = await self._accounts.of(conversation.account_id)
        identity = await workspace.who()
        await workspace.working.show(conversation, question, on, agent=identity.is_agent)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read the thread, where Slack lets the app read more than a few messages a minute."""
        workspace = await self._accounts.of(conversation.account_id)
        identity = await workspace.who()
        return await earlier(workspace.client, identity, workspace.grant, conversation, before, limit)

    async def open(self, file: File) -> bytes:
        """Fetch a file with the bot's token; needs the scope files:read."""
        workspace = await self._accounts.find(file.account_id)
        if workspace is None:
            raise Rejected("The file is of another workspace.", reason="not_found")
        return await open_file(workspace.client, file)

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Look somebody up; needs the scope users:read."""
        workspace = await self._accounts.find(account_id)
        return await workspace.users.person(user_id) if workspace is not None else None

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Look up what a person, a channel or a user group is called."""
        workspace = await self._accounts.find(account_id)
        if workspace is None:
            return None
        match mention.kind:
            case "person":
                person = await workspace.users.person(mention.id)
                return person.name if person else None
            case "conversation":
                return await conversation_name(workspace.client, mention.id)
            case "group":
                return await group_name(workspace.client, mention.id)

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look at the token, its scopes, event delivery and Socket Mode."""
        open_sockets = self._sockets.open if self._sockets else 0
        installed = await self._accounts.check()
        if self._settings.bot_token is None:
            return installed
        return [*await check_account(self._settings, self._client, wants, open_sockets=open_sockets), *installed]

    def _refused(self, reason: str, hint: str) -> None:
        if self._host is not None:
            self._host.note_refused(CHANNEL_NAME, reason, hint)

    async def _ask_why(self, click: Reaction, trigger_id: str, language: str) -> None:
        view = comment_view(click.target, language)
        try:
            workspace = await self._accounts.of(click.target.account_id)
            await workspace.client.call("views.open", {"trigger_id": trigger_id, "view": view})
        except BotError as error:
            log.warning("the form that asks why could not be opened: %s", error)

    async def _pace(self, key: str, seconds: float) -> None:
        if self._host is not None:
            await self._host.pace(key, seconds)
