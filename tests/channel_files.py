"""Which file of an adapter does which job, and under which names: the same ones in every channel.

A channel that has no such job has no such file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

JOBS: Final[Mapping[str, tuple[str, ...]]] = {
    "adapter.py": ("<Channel>Adapter",),
    "config.py": ("<Channel>Settings", "CHANNEL"),
    "normalize.py": ("normalize",),  # a payload → events; pure
    "render.py": ("render",),  # what is to be sent → parts; pure
    "parts.py": ("<Channel>Part",),  # a part as a typed value
    "receive.py": ("Inbox",),  # takes payloads in, acknowledges once they are safe
    "client.py": ("Client",),  # calls of the platform
    "identity.py": ("Identity",),  # who the bot is
    "text.py": ("ReadText", "read"),  # a person's text
    "ids.py": ("message_ref",),  # ids, action names and forms: made and parsed, each spelled once
    "sending.py": ("Sender",),
    "pacing.py": ("Pacer",),
    "working.py": ("WorkingSigns",),
    "context.py": ("context_of",),  # what a person points at; pure
    "users.py": ("Users",),  # names and standing of people
    "files.py": ("open_file",),  # files of messages
    "history.py": ("earlier",),  # what was said before
    "checks.py": ("check_account",),
    "errors.py": ("translate",),  # the SDK's errors → ours
    "manifest.py": ("MANIFEST",),  # the registration of the app or bot
    "preview.py": ("preview",),  # how an answer looks there, as safe HTML
}
"""The file of a job → the names that it defines at its top level."""

OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "slack": {
        "http.py": "events come as HTTP requests of Slack's own form, with its signature",
        "socket.py": "events come over Socket Mode too",
        "bolt.py": "the SDK's own framework, switched off as far as it goes",
        "comment.py": "a view asks why; elsewhere a notice does",
        "interactions.py": "buttons, shortcuts and views have payloads of their own kind",
        "home.py": "only Slack gives a person a page of the app",
        "emoji.py": "only Slack names emoji by words",
        "compose.py": "blocks and rich_text are a form of Slack's",
        "blocks.py": "apps and tables say in blocks what they say",
        "accounts.py": "one app may be in many workspaces",
        "workspace.py": "what works with the token of one of them",
        "installations.py": "workspaces install the app by themselves, and their tokens end",
        "oauth.py": "the addresses at which they do",
        "groups.py": "only Slack has groups of people that can be listed",
        "names.py": "only Slack mentions channels and groups by ids alone",
    },
    "telegram": {
        "polling.py": "updates are fetched, and the next offset confirms them",
        "webhook.py": "updates come as HTTP requests of Telegram's own form, with its secret",
        "groups.py": "a group becomes a supergroup, with another id",
        "setup.py": "commands and the webhook are set by calls at the start",
        "context.py": "quotes and forwards are parts of its messages that come as objects of their own",
        "joins.py": "its apps make several messages of what was one to their person",
        "parse.py": "raw updates are checked and read before the SDK sees them",
        "compose.py": "text with entities is a form of Telegram's",
    },
    "playground": {
        "platform.py": "it is its own platform",
        "pointing.py": "what its people quote and forward it stores itself",
        "site.py": "it serves a page to people",
        "journal.py": "it stores its messages itself",
        "guard.py": "its page is open, to this machine alone",
        "changes.py": "its page is told of changes as they come",
    },
}
"""Files that only one channel has, each with the reason."""


def class_name(name: str, channel: str) -> str:
    """Fill the channel into a name of `JOBS`.

    >>> class_name("<Channel>Adapter", "slack")
    'SlackAdapter'
    """
    return name.replace("<Channel>", channel.capitalize())
