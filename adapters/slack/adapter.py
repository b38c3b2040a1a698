"""Slack as the core sees it: the Adapter, put together from the modules beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from adapters.slack import home
from adapters.slack.bolt import BoltDispatcher
from adapters.slack.checks import check_account
from adapters.slack.client import Client
from adapters.slack.comment import comment_view
from adapters.slack.config import SlackSettings
from adapters.slack.files import open_file
from adapters.slack.history import HistoryGrant, earlier
from adapters.slack.http import EVENTS_PATH, EventsEndpoint
from adapters.slack.identity import Identity
from adapters.slack.ids import CHANNEL_NAME
from adapters.slack.names import conversation_name, group_name
from adapters.slack.parts import SlackPart
from adapters.slack.receive import Inbox
from adapters.slack.render import render, with_asker, with_note
from adapters.slack.sending import Sender
from adapters.slack.socket import SocketMode
from adapters.slack.users import Users
from adapters.slack.working import WorkingSigns
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
    """One Slack workspace. Implements `bot.adapter.Adapter`."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        guests_differ: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if settings.bot_token is None:
            raise Misconfigured("SLACK_BOT_TOKEN is not set; set it to turn Slack on.")
        self._settings = settings
        self._clock = clock
        self._client = Client(settings.bot_token.get_secret_value(), settings.api_url)
        self._sender = Sender(self._client, self._account)
        self._working = WorkingSigns(self._client)
        self._users = Users(self._client, guests_differ=guests_differ)
        self._grant = HistoryGrant()
        self._identity: Identity | None = None
        self._asking = asyncio.Lock()
        self._host: Host | None = None
        self._events: EventsEndpoint | None = None
        self._sockets: SocketMode | None = None

    @property
    def channel(self) -> str:
        """Name of the channel."""
        return CHANNEL_NAME

    async def run(self, host: Host) -> None:
        """Receive over Socket Mode or HTTP until cancelled."""
        self._host = host
        if self._events is None and self._settings.signing_secret is not None and not self._settings.socket_mode:
            # Once: the core may start `run` again, but the server keeps its routes.
            self._events = EventsEndpoint(self._settings.signing_secret.get_secret_value(), self._refused)
            host.serve("POST", EVENTS_PATH, self._events.handle)
        async with self._client.open() as session:
            identity = await self._who()
            seen = self._working.remember
            inbox = Inbox(host, identity, self._users, ask_why=self._ask_why, seen=seen, clock=self._clock)
            bolt = BoltDispatcher(inbox, self._client.sdk(session))
            try:
                if self._settings.app_token is not None:
                    app_token = self._settings.app_token.get_secret_value()
                    self._sockets = SocketMode(self._client, session, app_token, bolt.dispatch)
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
        if message.home is not None:
            direct = conversation.conversation_id
            return await home.publish(self._client, await self._who(), message.user_id or "", direct, message.home)
        if message.asked_by_command:
            message = with_asker(message, await self._users.name(message.user_id))
        if note:
            message = with_note(message, note)
        return await self._sender.post(conversation, message, delivery_id, reply_to, self._pace)

    async def find(self, conversation: Conversation, delivery_id: str) -> Sequence[MessageRef] | None:
        """Look for our delivery id in the metadata of the thread's or the conversation's messages."""
        return await self._sender.find(conversation, delivery_id)

    async def mark(self, ref: MessageRef, rating: Rating | None) -> None:
        """Do nothing: Slack shows which of its feedback buttons a person pressed."""

    async def delete(self, ref: MessageRef) -> None:
        """Delete one of our messages."""
        try:
            await self._client.call("chat.delete", {"channel": ref.conversation_id, "ts": ref.message_id})
        except Rejected as error:
            if error.reason != "message_not_found":
                raise

    async def working(self, conversation: Conversation, question: MessageRef | None, on: bool) -> None:
        """Show or end the agent session's status, or 👀 on the question."""
        identity = await self._who()
        await self._working.show(conversation, question, on, agent=identity.is_agent)

    async def earlier(
        self, conversation: Conversation, before: MessageRef, limit: int
    ) -> Sequence[EarlierMessage] | None:
        """Read the thread, where Slack lets the app read more than a few messages a minute."""
        return await earlier(self._client, await self._who(), self._grant, conversation, before, limit)

    async def open(self, file: File) -> bytes:
        """Fetch a file with the bot's token; needs the scope files:read."""
        if file.account_id != await self._account():
            raise Rejected("The file is of another workspace.", reason="not_found")
        return await open_file(self._client, file)

    async def person(self, account_id: str, user_id: str) -> Person | None:
        """Look somebody up; needs the scope users:read."""
        return await self._users.person(user_id) if account_id == await self._account() else None

    async def name_of(self, account_id: str, mention: Mention) -> str | None:
        """Look up what a person, a channel or a user group is called."""
        if account_id != await self._account():
            return None
        match mention.kind:
            case "person":
                person = await self._users.person(mention.id)
                return person.name if person else None
            case "conversation":
                return await conversation_name(self._client, mention.id)
            case "group":
                return await group_name(self._client, mention.id)

    async def check(self, wants: frozenset[Want] = frozenset()) -> Sequence[Check]:
        """Look at the token, its scopes, event delivery and Socket Mode."""
        open_sockets = self._sockets.open if self._sockets else 0
        return await check_account(self._settings, self._client, wants, open_sockets=open_sockets)

    def _refused(self, reason: str, hint: str) -> None:
        if self._host is not None:
            self._host.note_refused(CHANNEL_NAME, reason, hint)

    async def _ask_why(self, click: Reaction, trigger_id: str) -> None:
        try:
            await self._client.call("views.open", {"trigger_id": trigger_id, "view": comment_view(click.target)})
        except BotError as error:
            log.warning("the form that asks why could not be opened: %s", error)

    async def _pace(self, key: str, seconds: float) -> None:
        if self._host is not None:
            await self._host.pace(key, seconds)

    async def _account(self) -> str:
        return (await self._who()).team_id

    async def _who(self) -> Identity:
        """Who the bot is, asked once; never while an event waits for its acknowledgement."""
        async with self._asking:
            if self._identity is None:
                self._identity = await self._client.who_am_i()
            return self._identity
