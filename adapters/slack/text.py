"""The words a person wrote in Slack → plain text, and whom they mention; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ENTITY: Final = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class ReadText:
    """Plain text without the mention of the bot, and who else was addressed."""

    text: str
    mentions_bot: bool
    mentions_others: bool


TOKEN: Final = re.compile(r"<(?=[!@#])")


def disarmed(text: str) -> str:
    """Make plain text harmless where Slack does not say whether it reads it as mrkdwn, so that escapes might show.

    >>> disarmed("<!channel> a < b")
    '‹!channel> a < b'
    """
    return TOKEN.sub("‹", text)


def read(text: str, bot_user_id: str) -> ReadText:
    """Resolve Slack's `<…>` entities and its three escapes.

    >>> read("<@B1> is &lt;b&gt; in <https://a.example/x|the page>?", "B1")
    ReadText(text='is <b> in the page (https://a.example/x)?', mentions_bot=True, mentions_others=False)
    """
    others = False

    def resolve(match: re.Match[str]) -> str:
        nonlocal others
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            others = True
            return f"@{label.lstrip('@') or target[1:]}"
        if target.startswith("!"):
            others = others or not target.startswith("!date")
            return label or f"@{target[1:].partition('^')[0]}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        return _link(target, label)

    mention = rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>"
    # "<@bot>: how …" addresses by colon or comma; elsewhere the mention takes the blank before it along.
    without = re.sub(rf"\A\s*{mention}[:,]?", "", text)
    without = re.sub(rf"[ \t]?{mention}", "", without)
    return ReadText(_unescape(ENTITY.sub(resolve, without)).strip(), without != text, others)


def _link(target: str, label: str) -> str:
    url = target.removeprefix("mailto:").removeprefix("tel:")
    return url if not label or label in (url, target) or url.endswith("://" + label) else f"{label} ({url})"


def _unescape(text: str) -> str:
    """Slack escapes these three and nothing else, so `&copy;` is what somebody typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
