"""A loopback Slack: Web API, signed Events API sender and Socket Mode, strict about what it is sent.

async with FakeSlack() as slack:
    SlackSettings(SLACK_BOT_TOKEN=slack.bot_token, SLACK_API_URL=slack.api_url, …)
    slack.events_url = f"{host.base_url}/slack/events"     # or leave it, and let the bot open Socket Mode
    ts = await slack.say("U1", "D1", "What is the notice period?")
    await slack.until(lambda: slack.answers("D1"))

Also a process of its own, driven over HTTP by whoever cannot share memory with it:

    python -m bot.testing.slack.platform --port 0        # first line on stdout: the base URL
    POST <base>/control/say {"user": "U1", "channel": "D1", "text": "…"}    any public coroutine or method, by keyword
    GET  <base>/control/state                    posts, calls, views, deliveries
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import web

from bot.testing.slack import payloads
from bot.testing.slack.api import WebApi
from bot.testing.slack.delivery import Delivery
from bot.testing.slack.files import Files
from bot.testing.slack.oauth import Oauth
from bot.testing.slack.socket import Sockets

FILE_SCOPES: Final = frozenset({"files:read"})
EMAIL_SCOPES: Final = frozenset({"users:read.email"})
AGENT_SCOPES: Final = frozenset({"assistant:write"})
SCOPES: Final = (
    *("app_mentions:read", "channels:history", "channels:read", "chat:write", "commands", "groups:history"),
    *("groups:read", "im:history", "im:write", "mpim:history", "reactions:read", "reactions:write", "users:read"),
    "usergroups:read",
)


@dataclass(slots=True)
class Call:
    """One request to the Web API. `error` is what was answered, "" for ok; `at` is the loop's time in seconds."""

    method: str
    arguments: dict[str, Any]
    at: float
    error: str = ""
    team: str = ""


@dataclass(slots=True)
class Fault:
    """How a method fails: `error:<code>`, `rate_limited`, `drop` (done, then cut), `drop_before`, `status:<n>`,
    `garbage`, `hang`, `endless` (a body without end). `times` counts down; None is until `heal`. `skip` lets so many
    calls pass first. `retry_after` goes into the header, a text as it is."""

    how: str
    times: int | None = 1
    retry_after: float | str = 1.0
    skip: int = 0


@dataclass(slots=True)
class Channel:
    """A place. `members` are those the bot's rights follow; `messages` by time stamp, in order."""

    id: str
    members: set[str]
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    archived: bool = False
    name: str = ""


class FakeSlack:
    """One workspace with one app in it.

    `echo`: the app hears its own posts and reactions, as from the real Slack. `pace_seconds`: the distance of posts in
    one channel, checked with a burst of three. `retries`: the waits before each redelivery, in seconds.
    `scopes` are the token's, to be changed at any time: FILE_SCOPES and EMAIL_SCOPES are not among them. `few`: the app
    is one that reads at most 15 messages a call, and calls once a minute. `refuse_blocks`: the code that every post
    with blocks is refused with, "" for none. `locked`: threads in which nobody may write any more. `enterprise`: the
    organisation that the workspace belongs to, None for none. `more_app_tokens`: those of further apps in Socket Mode.
    """

    team = payloads.TEAM
    bot_user = payloads.BOT_USER
    bot_token = "xoxb-loopback-bot"
    app_token = "xapp-1-A0LOOP-1-loopback"
    config_token = "xoxe.xoxp-1-loopback"
    signing_secret = "loopback-signing-secret"

    def __init__(
        self,
        *,
        agent: bool = False,
        echo: bool = False,
        pace_seconds: float = 0.01,
        retries: tuple[float, ...] = (0.05, 0.2, 0.5),
        ack_seconds: float = 3.0,
    ) -> None:
        self.scopes = [*SCOPES, *(AGENT_SCOPES if agent else ())]
        self.agent = agent
        self.echo = echo
        self.pace_seconds = pace_seconds
        self.retries = retries
        self.few = False
        self.refuse_blocks = ""
        self.locked: set[str] = set()
        self.enterprise: str | None = None
        self.events_url: str | None = None
        self.posts: list[dict[str, Any]] = []
        self.calls: list[Call] = []
        self.statuses: list[dict[str, Any]] = []
        self.prompts: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.manifests: dict[str, Any] = {}
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        self.client_ids: dict[str, str] = {}
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.users: dict[str, dict[str, Any]] = {
            name: {
                "id": name,
                "team_id": self.team,
                "name": name.lower(),
                "real_name": f"Person {name}",
                "locale": "en-GB",
                "profile": {"display_name": "", "real_name": f"Person {name}", "email": f"{name.lower()}@loop.invalid"},
            }
            for name in ("U1", "U2", "U3")
        }
        self.groups: dict[str, str] = {"S1": "helpdesk"}
        self.group_members: dict[str, set[str]] = {"S1": {"U2"}}
        self.channels: dict[str, Channel] = {}
        for name in ("C1", "C2", "G1"):
            self.channels[name] = Channel(name, {self.bot_user, *self.users})
        for number in ("1", "2", "3"):
            self.channels[f"D{number}"] = Channel(f"D{number}", {self.bot_user, f"U{number}"})
        self.channels["CX"] = Channel("CX", set(self.users))
        self.base_url = ""
        self.more_app_tokens: set[str] = set()
        self.sockets = Sockets(self, ack_seconds)
        self.delivery = Delivery(self)
        self.files = Files(self)
        self.api = WebApi(self)
        self.oauth = Oauth(self)
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._port = 0
        self._triggers: dict[str, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def nothing_under_way(self) -> bool:
        """Whether everything that people did has been delivered, or given up."""
        return not self._tasks

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL is set to."""
        return f"{self.base_url}/api/"

    # Life

    async def start(self, port: int = 0) -> Self:
        """Listen on loopback; 0 takes a free port."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.api.handle)
        app.router.add_get("/files-pri/{file}/{name}", self.files.handle)
        app.router.add_get("/link", self.sockets.handle)
        app.router.add_get("/oauth/v2/authorize", self.oauth.page)
        app.router.add_get("/control/state", self._state)
        app.router.add_post("/control/{name}", self._control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        self._port = port
        await self.listen()
        return self

    async def listen(self) -> None:
        """Open the port, again after `refuse`."""
        assert self._runner is not None
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
            await self._site.start()
            self._port = self._runner.addresses[0][1]
            self.base_url = f"http://127.0.0.1:{self._port}"

    async def refuse(self) -> None:
        """Close the port and every connection: nothing listens at the address."""
        assert self._runner is not None
        if self._site is not None:
            await self._site.stop()
            self._site = None
            server = self._runner.server
            assert server is not None
            for connection in list(server.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            # The bot's pool learns of it when its side of each connection is told.
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        await self.delivery.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def changed(self) -> None:
        """Wake whoever waits in `until`."""
        self._changed.set()

    async def until(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait until it is true, and say what happened so far otherwise."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not predicate():
            if loop.time() > deadline:
                calls = [(call.method, call.error) for call in self.calls[-20:]]
                raise AssertionError(f"not so after {timeout} s; last calls: {calls}; violations: {self.violations}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._changed.wait()

    # What people do; each returns when Slack has what it needs, and delivers beside it

    def send(self, payload: dict[str, Any], kind: str = "events_api") -> asyncio.Task[bool]:
        """Deliver a payload as Slack does, with redeliveries; the task's result says whether it was acknowledged."""
        task = asyncio.create_task(self.delivery.deliver_until_acknowledged(payload, kind))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def event(self, event: dict[str, Any], **envelope: Any) -> asyncio.Task[bool]:
        """Deliver an event of the Events API."""
        return self.send(payloads.event_callback(event, **envelope))

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None, **fields: Any) -> str:
        """Let somebody write; a mention of the bot in a channel arrives as two events. Returns the time stamp."""
        ts = str(fields.pop("ts", None) or payloads.next_ts())
        if thread_ts is not None:
            fields["thread_ts"] = thread_ts
        event = payloads.message(channel, user, text, ts, **fields)
        self.channels[channel].messages[ts] = dict(event)
        if self.bot_user in self.channels[channel].members:
            self.event(event)
            if f"<@{self.bot_user}>" in text and not channel.startswith("D"):
                self.event({**payloads.mention(channel, user, text, ts, **fields)})
        return ts

    async def edit(self, channel: str, ts: str, text: str, **fields: Any) -> None:
        """Let the author change the words, and what comes with them."""
        before = self.channels[channel].messages[ts]
        now = {**before, **fields, "text": text, "edited": {"user": before["user"], "ts": payloads.next_ts()}}
        self.channels[channel].messages[ts] = now
        self.event(payloads.changed(channel, now, before))

    async def unfurl(self, channel: str, ts: str, *attachments: dict[str, Any]) -> None:
        """Let Slack add previews to a message, by default one of a page: the words stay."""
        before = self.channels[channel].messages[ts]
        now = {**before, "attachments": list(attachments or ({"title": "a page"},))}
        self.channels[channel].messages[ts] = now
        self.event(payloads.changed(channel, now, before))

    async def erase(self, channel: str, ts: str) -> None:
        """Let the author delete a message; the root of a thread with replies leaves a tombstone."""
        messages = self.channels[channel].messages
        before = messages[ts]
        if any(message.get("thread_ts") == ts != message["ts"] for message in messages.values()):
            now = payloads.tombstone(ts)
            messages[ts] = now
            self.event(payloads.changed(channel, now, before))
        else:
            del messages[ts]
            self.event(payloads.deleted(channel, before))

    async def react(self, user: str, channel: str, ts: str, name: str, added: bool = True) -> None:
        """Let somebody put an emoji on a message, or take it off."""
        self.event(payloads.reaction(user, channel, ts, name, added=added))

    async def ask(self, user: str, channel: str, text: str) -> str:
        """Let somebody use /ask; returns the trigger id."""
        trigger = self.trigger()
        self.send(payloads.slash(user, channel, text, trigger), "slash_commands")
        return trigger

    async def shortcut(self, user: str, channel: str, ts: str) -> None:
        """Let somebody choose the message shortcut."""
        message = self.channels[channel].messages[ts]
        self.send(payloads.shortcut(user, channel, message, self.trigger()), "interactive")

    async def click(self, user: str, channel: str, ts: str, value: str) -> None:
        """Let somebody press a feedback button."""
        posted = self.channels[channel].messages[ts]
        self.send(payloads.click(user, channel, posted, value, self.trigger()), "interactive")

    async def submit(self, user: str, words: str, view: int = -1) -> None:
        """Let somebody send off the form that was opened last."""
        self.send(payloads.submission(user, self.views[view], words), "interactive")

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Let somebody open the app's page."""
        direct = f"D{user[1:]}"
        self.event(
            {"type": "app_home_opened", "user": user, "channel": direct, "tab": tab, "event_ts": payloads.next_ts()}
        )

    async def stop_session(self, user: str, channel: str, thread_ts: str) -> None:
        """Let somebody press the stop button of the agent view."""
        self.event(
            {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": thread_ts,
                "user": user,
                "streaming_message_ts": [],
                "event_ts": payloads.next_ts(),
            }
        )

    # What tests look at and turn

    def trigger(self) -> str:
        """Make a trigger id, good for three seconds and one use."""
        trigger = f"{payloads.next_ts()}.{self.team}.loop"
        self._triggers[trigger] = asyncio.get_running_loop().time() + 3.0
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """Use a trigger id up; returns Slack's error for one that is unknown, used or too old."""
        expiry = self._triggers.pop(trigger, None)
        if expiry is None:
            return "exchanged_trigger_id"
        return "expired_trigger_id" if expiry < asyncio.get_running_loop().time() else ""

    def fail(self, method: str, how: str, times: int | None = 1, retry_after: float | str = 1.0, skip: int = 0) -> None:
        """Let a method fail, "*" every one; see `Fault`."""
        self.faults[method].append(Fault(how, times, retry_after, skip))

    def fault(self, method: str) -> Fault | None:
        """Take the fault that a call of the method meets now, None for none."""
        for name in (method, "*"):
            for fault in self.faults[name]:
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults[name].remove(fault)
                return fault
        return None

    def heal(self) -> None:
        """Forget all faults."""
        self.faults.clear()

    def answers(self, channel: str | None = None) -> list[dict[str, Any]]:
        """The posts that carry feedback buttons: one per answer."""
        return [post for post in self.posts if has_buttons(post) and channel in (None, post["channel"])]

    def made(self, method: str) -> list[Call]:
        """The requests to a method, failed ones too."""
        return [call for call in self.calls if call.method == method]

    def reset(self) -> None:
        """Forget what was recorded; people, channels and messages stay."""
        self.calls.clear()
        self.posts.clear()
        self.statuses.clear()
        self.views.clear()

    # The control API

    async def _state(self, request: web.Request) -> web.Response:
        calls = [{"method": call.method, "error": call.error, "arguments": call.arguments} for call in self.calls]
        return web.json_response(
            {
                "posts": self.posts,
                "calls": calls,
                "views": self.views,
                "homes": self.homes,
                "statuses": self.statuses,
                "violations": self.violations,
                "counts": dict(self.counts),
                "connections": self.sockets.count,
                "tokens": {
                    "bot": self.bot_token,
                    "app": self.app_token,
                    "config": self.config_token,
                    "signing_secret": self.signing_secret,
                },
            }
        )

    async def _control(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        arguments = json.loads(await request.text() or "{}")
        if name == "set":
            for key, value in arguments.items():
                setattr(self, key, value)
            return web.json_response({"ok": True})
        target = self.sockets if name in ("cut", "renew", "refuse_tickets") else self
        method = None if name.startswith("_") else getattr(target, name, None)
        if not callable(method):
            return web.json_response({"ok": False, "error": f"no such control {name}"}, status=404)
        result = method(**arguments)
        if asyncio.iscoroutine(result):
            result = await result
        return web.json_response(
            {"ok": True, "result": result if isinstance(result, str | int | list | dict) else None}
        )


def has_buttons(posted: dict[str, Any]) -> bool:
    """Whether a message carries feedback buttons."""
    return any(block["type"] == "context_actions" for block in posted.get("blocks") or ())


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--agent", action="store_true")
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--pace", type=float, default=1.0)
    options = parser.parse_args()
    slack = FakeSlack(agent=options.agent, echo=options.echo, pace_seconds=options.pace)
    await slack.start(options.port)
    print(slack.base_url, flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await slack.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
