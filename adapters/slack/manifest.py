"""The app manifest, made from what the code uses; and how it gets to Slack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from adapters.slack.client import Client
from adapters.slack.config import SlackSettings
from adapters.slack.http import EVENTS_PATH
from adapters.slack.ids import ASK_SHORTCUT, SLASH_COMMAND
from bot.adapter import Manifest, ManifestOptions, Want
from bot.errors import Misconfigured, Rejected

Mode = Literal["socket", "http"]

SCOPES: Final[Mapping[str, str]] = {
    "app_mentions:read": "hears when somebody mentions the bot",
    "assistant:write": "agent view: status, stop button, suggested prompts",
    "channels:history": "follow-up questions in threads of public channels, and looking up what was sent",
    "channels:read": "learns that it was added to a public channel, or removed from it; names channels in questions",
    "chat:write": "posts answers and notices, deletes notices",
    "commands": "the slash command and the message shortcut",
    "groups:history": "the same as channels:history in private channels",
    "groups:read": "the same as channels:read in private channels",
    "im:history": "questions in direct messages",
    "im:write": "answers by direct message where the bot is no member",
    "mpim:history": "the same as channels:history in group messages",
    "reactions:read": "emoji reactions on answers are feedback",
    "reactions:write": "puts the eyes on a question while it works, and takes them off",
    "usergroups:read": "names the user groups that a question mentions; finds out who belongs to those of [access]",
    "users:read": "tells guests and people of other workspaces from members (access policy); names who used /ask and "
    "whom a question mentions",
}
"""Every scope of the bot with its reason."""

WANTED: Final[Mapping[Want, tuple[str, str]]] = {
    "files": ("files:read", "reads files of questions, for [context] files is on"),
    "emails": ("users:read.email", "tells the addresses of people who ask, for a route sends them along"),
}
"""What the settings may switch on → the scope it needs, with its reason."""

EVENTS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "agent_session_stopped": ("agent_session_stopped", "the stop button of the agent view", ("assistant:write",)),
    "app_home_opened": ("app_home_opened", "the Home tab", ()),
    "app_mention": ("app_mention", "questions in channels", ("app_mentions:read",)),
    "app_uninstalled": ("app_uninstalled", "stops working for the workspace", ()),
    "member_joined_channel": (
        "member_joined_channel",
        "says a line where it is added",
        ("channels:read", "groups:read"),
    ),
    "member_left_channel": (
        "member_left_channel",
        "stops working for the channel when it is removed",
        ("channels:read", "groups:read"),
    ),
    "message.channels": ("message", "follow-ups, edits and deletions in public channels", ("channels:history",)),
    "message.groups": ("message", "the same in private channels", ("groups:history",)),
    "message.im": ("message", "questions in direct messages", ("im:history",)),
    "message.mpim": ("message", "follow-ups in group messages", ("mpim:history",)),
    "reaction_added": ("reaction_added", "feedback", ("reactions:read",)),
    "reaction_removed": ("reaction_removed", "feedback taken back", ("reactions:read",)),
    "tokens_revoked": ("tokens_revoked", "stops working for the workspace", ()),
}
"""Subscription → the type `normalize` gets, the reason, the scopes it needs."""

METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "agents.sessions.setStatus": ("chat:write", "assistant:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "apps.connections.open": (),
    "apps.manifest.create": (),
    "apps.manifest.export": (),
    "apps.manifest.update": (),
    "auth.test": (),
    "bots.info": ("users:read",),
    "chat.delete": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history", "im:history", "mpim:history"),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "files.info": ("files:read",),
    "oauth.v2.access": (),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
"""Every method the adapter calls, with the scopes of the bot it needs."""

NOT_NEEDED: Final = frozenset({"usergroups:read"})
"""Scopes without which something is less well done, and nothing fails: an app that was installed before goes on."""
AGENT_ONLY: Final = frozenset({"assistant:write", "agent_session_stopped"})
PROMPTS: Final = ("What can you help me with?", "Where do I find our documentation?")


def build(
    mode: Mode = "socket", url: str | None = None, *, agent: bool = True, wants: frozenset[Want] = frozenset()
) -> dict[str, Any]:
    """Make the manifest.

    `url` is the public address of the bot (scheme and host, with a prefix if there is one), needed for HTTP.
    Without `agent` the app is a plain bot, for plans without AI features and for workspaces whose guests ask:
    Slack lets guests use no agent.
    """
    events = [name for name in EVENTS if agent or name not in AGENT_ONLY]
    scopes = sorted([name for name in SCOPES if agent or name not in AGENT_ONLY] + list(_wanted(wants)))
    address = _events_url(url) if mode == "http" else None
    request = {"request_url": address} if address else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Assistant",
            "description": "Answers questions from your organisation's own documents.",
            "background_color": "#1f2937",
        },
        "features": _features(address, agent),
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": events},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": False,
            "socket_mode_enabled": mode == "socket",
            "token_rotation_enabled": False,
        },
    }


def _wanted(wants: frozenset[Want]) -> dict[str, str]:
    """List the scopes of what is switched on, each with its reason."""
    return dict(scope for want, scope in WANTED.items() if want in wants)


def _features(address: str | None, agent: bool) -> dict[str, Any]:
    command = {
        "command": SLASH_COMMAND,
        "description": "Ask the assistant",
        "usage_hint": "your question",
        "should_escape": True,
        **({"url": address} if address else {}),
    }
    shortcut = {
        "name": "Ask the assistant",
        "type": "message",
        "callback_id": ASK_SHORTCUT,
        "description": "Asks this message and answers in its thread",
    }
    features: dict[str, Any] = {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": "Assistant", "always_online": True},
        "shortcuts": [shortcut],
        "slash_commands": [command],
    }
    if agent:
        features["agent_view"] = {
            "agent_description": "Answers questions from your organisation's own documents.",
            "suggested_prompts": [{"title": prompt, "message": prompt} for prompt in PROMPTS],
        }
    return features


class SlackManifest:
    """The app's registration at Slack. Implements `bot.adapter.Manifest`."""

    options: frozenset[str] = frozenset({"mode", "url", "agent"})

    def text(self, options: ManifestOptions) -> str:
        """Write the manifest as YAML, the reason of each scope and event beside it."""
        import yaml  # here, for the bot's start does without it

        reasons = {**SCOPES, **_wanted(options.wants), **{name: reason for name, (_, reason, _) in EVENTS.items()}}
        lines = [
            "# Slack app manifest, made by `uppzy-bot manifest slack`; change the code, not this file.",
            "# Slack: api.slack.com/apps -> Create New App -> From a manifest.",
        ]
        for line in yaml.safe_dump(_built(options), sort_keys=False, width=200).splitlines():
            name = line.strip().removeprefix("- ")
            is_item = line.strip().startswith("- ") and name in reasons
            lines.append(f"{line}  # {reasons[name]}" if is_item else line)
        return "\n".join(lines) + "\n"

    async def apply(self, settings: object, options: ManifestOptions) -> list[str]:
        """Create the app, or update the one the other tokens belong to; return what was done and what comes next.

        Raises:
            Misconfigured: SLACK_CONFIG_TOKEN is not set or not valid; configuration tokens live twelve hours.
            Rejected: Slack does not accept the manifest.
        """
        slack = _settings(settings)
        if slack.config_token is None:
            raise Misconfigured(
                "SLACK_CONFIG_TOKEN is not set; make one at api.slack.com/apps, it is good for 12 hours."
            )
        client = Client(slack.config_token.get_secret_value(), slack.api_url)
        registration = json.dumps(_built(options))
        app_id = await find_app_id(slack)
        try:
            if app_id is not None:
                await client.call("apps.manifest.update", {"app_id": app_id, "manifest": registration}, read=True)
                return [f"The app {app_id} was updated; if its scopes changed, install it again under Install App."]
            answer = await client.call("apps.manifest.create", {"manifest": registration}, read=True)
        except Misconfigured as error:
            raise Misconfigured(
                f"Slack refused SLACK_CONFIG_TOKEN ({error.reason}); make a new one at api.slack.com/apps, "
                "it is good for 12 hours.",
                reason=error.reason,
            ) from None
        except Rejected as error:
            raise Rejected(
                f"Slack did not accept the manifest ({error.reason}); compare `uppzy-bot manifest slack` with the app.",
                reason=error.reason,
            ) from None
        app_id = str(answer["app_id"])
        page = f"https://api.slack.com/apps/{app_id}"
        return [f"The app {app_id} was created; install it under {page}/install-on-team. Its tokens are at {page}."]

    async def differences(self, settings: object, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        """Say what the app at Slack has otherwise than the bot needs it; None without SLACK_CONFIG_TOKEN, or an app.

        What an operator may choose (its name, its description, to be an agent) is no difference.
        """
        slack = _settings(settings)
        if slack.config_token is None or (app_id := await find_app_id(slack)) is None:
            return None  # there may be no app yet: `--apply` creates it
        client = Client(slack.config_token.get_secret_value(), slack.api_url)
        answer = await client.call("apps.manifest.export", {"app_id": app_id}, read=True)
        exported = answer.get("manifest")
        app: dict[str, Any] = json.loads(exported) if isinstance(exported, str) else dict(exported or {})
        return _differences(app, slack, wants)


MANIFEST: Final[Manifest] = SlackManifest()


def _settings(settings: object) -> SlackSettings:
    if not isinstance(settings, SlackSettings):
        raise TypeError(f"settings of Slack are needed, not {type(settings).__name__}")
    return settings


def _built(options: ManifestOptions) -> dict[str, Any]:
    return build(options.mode or "socket", options.url, agent=options.agent is not False, wants=options.wants)


def _differences(app: dict[str, Any], settings: SlackSettings, wants: frozenset[Want]) -> list[str]:
    shown = app.get("settings") or {}
    events = (shown.get("event_subscriptions") or {}).get("bot_events") or ()
    scopes = ((app.get("oauth_config") or {}).get("scopes") or {}).get("bot") or ()
    differences = []
    if missing := sorted(set(EVENTS) - AGENT_ONLY - set(events)):
        differences.append(f"no subscription to {', '.join(missing)}")
    if missing := sorted({*SCOPES, *_wanted(wants)} - AGENT_ONLY - set(scopes)):
        differences.append(f"no scope {', '.join(missing)}")
    if not (shown.get("interactivity") or {}).get("is_enabled"):
        differences.append("interactivity is off")
    if bool(shown.get("socket_mode_enabled")) != settings.socket_mode:
        differences.append(f"Socket Mode is {'off' if settings.socket_mode else 'on'}")
    if not settings.socket_mode:
        address = str((shown.get("event_subscriptions") or {}).get("request_url") or "")
        if not address.endswith(EVENTS_PATH):
            differences.append(f"the request URL does not end with {EVENTS_PATH}")
    return differences


async def find_app_id(settings: SlackSettings) -> str | None:
    """Tell which app the tokens belong to: the app-level token names it, else Slack is asked about the bot."""
    if settings.app_token is not None:
        fields = settings.app_token.get_secret_value().split("-")
        if len(fields) > 2 and fields[2].startswith("A"):
            return fields[2]
    if settings.bot_token is None:
        return None
    client = Client(settings.bot_token.get_secret_value(), settings.api_url)
    identity = await client.who_am_i()
    bot = await client.call("bots.info", {"bot": identity.bot_id}, read=True)
    app_id = (bot.get("bot") or {}).get("app_id")
    return str(app_id) if app_id else None


def _events_url(url: str | None) -> str:
    parts = urlsplit(url or "")
    if parts.scheme != "https" or not parts.netloc:
        raise Misconfigured("Slack calls only https; give the bot's public address with --url https://….")
    base = (url or "").rstrip("/")
    return base if base.endswith(EVENTS_PATH) else base + EVENTS_PATH
