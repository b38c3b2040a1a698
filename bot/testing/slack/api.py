"""The Web API of the loopback Slack: every method the bot may call, and no other."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.testing.slack import payloads
from bot.testing.slack.rules import READS, Refused, check_arguments, check_post, check_view, refuse_pings

if TYPE_CHECKING:
    from bot.testing.slack.platform import Call, Channel, FakeSlack, Fault

BURST: Final = 3
MOST: Final = 999
FEW: Final = 15


class WebApi:
    """Answers requests; `ok: false` with Slack's codes for what Slack would not take."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack
        self._team, self._org = slack.team, False  # of the call that is being answered; nothing is awaited meanwhile
        self._read_again_at: dict[str, float] = {}
        self._tokens_left: dict[str, tuple[float, float]] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, with the faults that are set."""
        method = request.match_info["method"]
        call = self._record(method)
        try:
            call.arguments = await _arguments(request, method)
        except Refused as refused:
            return self._refuse(call, refused)
        fault = self._slack.fault(method)
        if fault is not None and (early := await self._fail_early(fault, call, request)) is not None:
            return early
        try:
            self._authorize(method, request.headers.get("Authorization", ""))
            call.team = self._team
            check_arguments(method, call.arguments)
            answer = getattr(self, "_" + method.replace(".", "_"))(**call.arguments)
        except Refused as refused:
            return self._refuse(call, refused)
        finally:
            self._slack.changed()
        if fault is not None and fault.how == "drop":
            return _cut(request)
        headers = {"x-oauth-scopes": ",".join(self._slack.scopes)} if method == "auth.test" else {}
        return web.json_response({"ok": True, **answer}, headers=headers)

    def _record(self, method: str) -> Call:
        from bot.testing.slack.platform import Call

        call = Call(method, {}, asyncio.get_running_loop().time())
        self._slack.calls.append(call)
        return call

    async def _fail_early(self, fault: Fault, call: Call, request: web.Request) -> web.StreamResponse | None:
        """Answer instead of acting; None for a fault that comes after the act."""
        how, _, detail = fault.how.partition(":")
        call.error = fault.how
        self._slack.changed()
        if how == "error":
            return web.json_response({"ok": False, "error": detail})
        if how == "rate_limited":
            asked = fault.retry_after
            headers = {"Retry-After": asked if isinstance(asked, str) else f"{asked:g}"}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if how == "status":
            return web.Response(status=int(detail), text="<html>a proxy's page</html>", content_type="text/html")
        if how == "garbage":
            return web.Response(text="{not json", content_type="application/json")
        if how == "endless":
            return await _endless(request)
        if how == "drop_before":
            return _cut(request)
        if how == "hang":
            await asyncio.sleep(3600)
        return None

    def _refuse(self, call: Call, refused: Refused) -> web.Response:
        call.error = refused.code
        if refused.detail:
            self._slack.violations.append(f"{call.method}: {refused}")
        self._slack.changed()
        if refused.code == "ratelimited":
            headers = {"Retry-After": "60" if self._slack.few else "1"}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        return web.json_response({"ok": False, "error": refused.code})

    def _authorize(self, method: str, header: str) -> None:
        self._team, self._org = self._slack.team, False
        if method == "oauth.v2.access":
            return
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or not token:
            raise Refused("not_authed")
        wanted = self._slack.bot_token
        if method == "apps.connections.open":
            wanted = token if token in self._slack.more_app_tokens else self._slack.app_token
            self._app_token = token
        elif method.startswith("apps.manifest."):
            wanted = self._slack.config_token
        if wanted == self._slack.bot_token and (grant := self._slack.oauth.holder(token)) is not None:
            self._team, self._org = grant.team, grant.org
        elif token != wanted:
            known = token in (self._slack.bot_token, self._slack.app_token, self._slack.config_token)
            raise Refused("not_allowed_token_type" if known else "invalid_auth")

    # Methods; the name is the method's, with _ for the dot

    def _auth_test(self) -> dict[str, Any]:
        return {
            "url": "https://loop.slack.invalid/",
            "team": "Loop",
            "user": "assistant",
            "team_id": self._team,
            "user_id": self._slack.bot_user,
            "bot_id": payloads.BOT_ID,
            "is_enterprise_install": self._org,
            **({"enterprise_id": self._slack.enterprise} if self._slack.enterprise else {}),
        }

    def _oauth_v2_access(self, **arguments: Any) -> dict[str, Any]:
        return self._slack.oauth.access(arguments)

    def _bots_info(self, bot: str, **_: Any) -> dict[str, Any]:
        if bot != payloads.BOT_ID:
            raise Refused("bot_not_found")
        return {"bot": {"id": bot, "app_id": payloads.APP, "user_id": self._slack.bot_user, "name": "assistant"}}

    def _require(self, scope: str) -> None:
        if scope not in self._slack.scopes:
            raise Refused("missing_scope")

    def _users_info(self, user: str, include_locale: str = "") -> dict[str, Any]:
        self._require("users:read")
        if user not in self._slack.users:
            raise Refused("user_not_found")
        shown = dict(self._slack.users[user])
        if include_locale != "true":
            shown.pop("locale", None)
        if isinstance(shown.get("profile"), dict) and "users:read.email" not in self._slack.scopes:
            shown["profile"] = {name: value for name, value in shown["profile"].items() if name != "email"}
        return {"user": shown}

    def _usergroups_users_list(self, usergroup: str, **_: Any) -> dict[str, Any]:
        self._require("usergroups:read")
        if usergroup not in self._slack.groups:
            raise Refused("no_such_subteam")
        return {"users": sorted(self._slack.group_members.get(usergroup, ()))}

    def _usergroups_list(self, **_: Any) -> dict[str, Any]:
        self._require("usergroups:read")
        return {"usergroups": [{"id": id_, "handle": name, "name": name} for id_, name in self._slack.groups.items()]}

    def _conversations_info(self, channel: str, **_: Any) -> dict[str, Any]:
        self._require("channels:read")
        place = self._slack.channels.get(channel)
        if place is None or (channel[0] in "GPD" and self._slack.bot_user not in place.members):
            raise Refused("channel_not_found")  # also what a private one says to who is no member
        named = {} if channel.startswith("D") else {"name": place.name or channel.lower()}
        return {"channel": {"id": channel, "is_im": channel.startswith("D"), **named}}

    def _files_info(self, file: str) -> dict[str, Any]:
        self._require("files:read")
        if file not in self._slack.files.stored:
            raise Refused("file_not_found")
        return {"file": self._slack.files.stored[file].shown}

    def _conversations_open(self, users: str = "", **_: Any) -> dict[str, Any]:
        direct = f"D{users[1:]}"
        if users not in self._slack.users or direct not in self._slack.channels:
            raise Refused("user_not_found")
        return {"channel": {"id": direct}}

    def _reach(self, channel: str) -> Channel:
        place = self._slack.channels.get(channel)
        if place is None or (self._slack.bot_user not in place.members and channel.startswith(("D", "G", "P"))):
            raise Refused("channel_not_found")
        if self._slack.bot_user not in place.members:
            raise Refused("not_in_channel")
        if place.archived:
            raise Refused("is_archived")
        return place

    def _chat_postMessage(self, **arguments: Any) -> dict[str, Any]:
        check_post(arguments)
        channel = self._reach(arguments["channel"])
        self._pace(channel.id)
        client_id = arguments.get("client_msg_id")
        if client_id in self._slack.client_ids:
            raise Refused("duplicate_message")
        thread = arguments.get("thread_ts")
        if self._slack.refuse_blocks and arguments.get("blocks"):
            raise Refused(self._slack.refuse_blocks)
        if thread in self._slack.locked:
            raise Refused("restricted_action_thread_locked")
        if thread in channel.deleted:
            raise Refused("thread_not_found")
        if thread is not None and channel.messages.get(thread, {}).get("thread_ts", thread) != thread:
            raise Refused("invalid_thread_ts", "thread_ts names a reply, not the root")
        ts = payloads.next_ts()
        posted = {
            "type": "message",
            "user": self._slack.bot_user,
            "bot_id": payloads.BOT_ID,
            "app_id": payloads.APP,
            "team": self._slack.team,
            "ts": ts,
            "text": arguments["text"],
            "blocks": arguments.get("blocks") or [],
            "metadata": arguments["metadata"],
            "channel": channel.id,
            **({"thread_ts": thread} if thread is not None else {}),
        }
        if client_id is not None:
            self._slack.client_ids[client_id] = ts
        channel.messages[ts] = posted
        self._slack.posts.append(posted)
        if self._slack.echo:
            self._echo(channel, posted)
        return {"channel": channel.id, "ts": ts, "message": posted}

    def _pace(self, channel: str) -> None:
        """One post per `pace_seconds`, with short bursts."""
        pace = self._slack.pace_seconds
        if pace <= 0:
            return
        now = asyncio.get_running_loop().time()
        left, at = self._tokens_left.get(channel, (float(BURST), now))
        left = min(float(BURST), left + (now - at) / pace)
        self._tokens_left[channel] = (max(left - 1, 0.0), now)
        if left < 1:
            raise Refused("ratelimited", f"posts into {channel} come too fast")

    def _echo(self, channel: Channel, posted: dict[str, Any]) -> None:
        kinds = {"D": "im", "G": "mpim"}
        event = {**posted, "event_ts": posted["ts"], "channel_type": kinds.get(channel.id[0], "channel")}
        self._slack.event(event)
        root = channel.messages.get(str(posted.get("thread_ts")))
        if root is not None:
            # Each reply changes the root's counters, which Slack tells as a changed message.
            now = {**root, "reply_count": 1, "latest_reply": posted["ts"]}
            self._slack.event(payloads.changed(channel.id, now, root))

    def _chat_delete(self, channel: str, ts: str, **_: Any) -> dict[str, Any]:
        place = self._reach(channel)
        message = place.messages.get(ts)
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != payloads.BOT_ID:
            raise Refused("cant_delete_message")
        del place.messages[ts]
        place.deleted.append(ts)
        return {"channel": channel, "ts": ts}

    def _reactions_add(self, channel: str, timestamp: str, name: str) -> dict[str, Any]:
        names = self._reactions(channel, timestamp)
        if name in names:
            raise Refused("already_reacted")
        names.append(name)
        if self._slack.echo:
            self._slack.event(payloads.reaction(self._slack.bot_user, channel, timestamp, name, added=True))
        return {}

    def _reactions_remove(self, name: str, channel: str, timestamp: str) -> dict[str, Any]:
        names = self._reactions(channel, timestamp)
        if name not in names:
            raise Refused("no_reaction")
        names.remove(name)
        return {}

    def _reactions(self, channel: str, timestamp: str) -> list[str]:
        message = self._reach(channel).messages.get(timestamp)
        if message is None:
            raise Refused("message_not_found")
        names: list[str] = message.setdefault("bot_reactions", [])
        return names

    def _conversations_replies(self, channel: str, ts: str, **options: Any) -> dict[str, Any]:
        """The root, then its replies in the time range, the oldest first."""
        place = self._readable(channel, "conversations.replies")
        if ts not in place.messages:
            raise Refused("thread_not_found")
        replies = [message for message in place.messages.values() if message.get("thread_ts") == ts != message["ts"]]
        thread = [place.messages[ts], *_in_range(sorted(replies, key=lambda message: str(message["ts"])), options)]
        return _page(thread, options, most=FEW if self._slack.few else MOST)

    def _conversations_history(self, channel: str, **options: Any) -> dict[str, Any]:
        """The messages that are no replies, the newest first."""
        messages = self._readable(channel, "conversations.history").messages.values()
        roots = [message for message in messages if message.get("thread_ts", message["ts"]) == message["ts"]]
        return _page(_in_range(roots[::-1], options), options, most=FEW if self._slack.few else MOST)

    def _readable(self, channel: str, method: str) -> Channel:
        kinds = {"D": "im", "G": "mpim", "P": "groups"}
        self._require(f"{kinds.get(channel[0], 'channels')}:history")
        now = asyncio.get_running_loop().time()
        if self._slack.few and now < self._read_again_at.get(method, 0.0):
            raise Refused("ratelimited")
        self._read_again_at[method] = now + 60.0
        return self._reach(channel)

    def _views_open(self, trigger_id: str, view: Any) -> dict[str, Any]:
        check_view(view, "modal")
        if error := self._slack.use_trigger(trigger_id):
            raise Refused(error)
        opened = {**view, "id": f"V{len(self._slack.views):06d}", "hash": "1.loop", "app_id": payloads.APP}
        self._slack.views.append(opened)
        return {"view": opened}

    def _views_publish(self, user_id: str, view: Any, **_: Any) -> dict[str, Any]:
        check_view(view, "home")
        self._slack.homes[user_id] = view
        return {"view": view}

    def _agents_sessions_setStatus(self, **status: Any) -> dict[str, Any]:
        if not self._slack.agent:
            raise Refused("missing_scope")
        if status["status"] not in ("processing", "active", "suspended", "closed"):
            raise Refused("invalid_arguments", f"no such status {status['status']!r}")
        if len(status.get("title", "")) > 200:
            raise Refused("invalid_arguments", "the title is longer than 200")
        refuse_pings(str(status.get("title", "")), "title")
        self._slack.statuses.append(status)
        return {}

    def _assistant_threads_setSuggestedPrompts(self, **prompts: Any) -> dict[str, Any]:
        if not self._slack.agent:
            raise Refused("missing_scope")
        if not 0 < len(prompts["prompts"]) <= 4:
            raise Refused("invalid_arguments", "one to four prompts")
        for text in (text for prompt in prompts["prompts"] for text in prompt.values()):
            refuse_pings(text, "prompts")
        self._slack.prompts.append(prompts)
        return {}

    def _apps_connections_open(self) -> dict[str, Any]:
        return {"url": self._slack.sockets.ticket(self._app_token)}

    def _apps_manifest_create(self, manifest: str) -> dict[str, Any]:
        self._slack.manifests["A0NEW"] = json.loads(manifest)
        return {"app_id": "A0NEW", "credentials": {}, "oauth_authorize_url": "https://slack.invalid/oauth"}

    def _apps_manifest_update(self, app_id: str, manifest: str) -> dict[str, Any]:
        self._slack.manifests[app_id] = json.loads(manifest)
        return {"app_id": app_id, "permissions_updated": True}

    def _apps_manifest_export(self, app_id: str) -> dict[str, Any]:
        if app_id not in self._slack.manifests:
            raise Refused("invalid_app_id")
        return {"manifest": self._slack.manifests[app_id]}


async def _arguments(request: web.Request, method: str) -> dict[str, Any]:
    if request.method != "POST":
        raise Refused("invalid_arguments", "the bot calls by POST")
    if request.content_type == "application/json":
        if method in READS and (await request.read()).strip() not in (b"", b"{}"):
            raise Refused("invalid_arguments", f"{method} does not look into a JSON body")
        given: dict[str, Any] = json.loads(await request.text() or "{}")
        return given
    form: Mapping[str, Any] = await request.post()
    return {name: str(value) for name, value in form.items()}


def _in_range(messages: list[dict[str, Any]], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Leave out what is not between `oldest` and `latest`; these themselves count only if `inclusive`."""
    latest, oldest = str(options.get("latest") or "9" * 17), str(options.get("oldest") or "")
    ends = {latest, oldest} if options.get("inclusive") == "true" else set()
    return [message for message in messages if oldest < message["ts"] < latest or message["ts"] in ends]


def _page(messages: list[dict[str, Any]], options: Mapping[str, Any], *, most: int) -> dict[str, Any]:
    limit = options.get("limit") or "100"
    if not limit.isdigit() or not 0 < int(limit) <= MOST:
        raise Refused("invalid_limit", f"limit is {limit}, and under 1000 it must be")
    if not str(options.get("cursor") or "0").isdigit():
        raise Refused("invalid_cursor")
    start, size = int(options.get("cursor") or 0), min(int(limit), most)
    page = messages[start : start + size]
    if options.get("include_all_metadata") != "true":
        page = [{name: value for name, value in message.items() if name != "metadata"} for message in page]
    more = start + size < len(messages)
    cursor = {"response_metadata": {"next_cursor": str(start + size)}} if more else {}
    return {"messages": page, "has_more": more, **cursor}


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without a reply."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" " * 65536)
    return response
