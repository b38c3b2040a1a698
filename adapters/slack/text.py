"""The words a person wrote in Slack → plain text, and whom they mention; pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from bot.events import Mention, unmarked

ENTITY: Final = re.compile(r"<([^<>]*)>")
CODE: Final = re.compile(r"```(.+?)```|`([^`\n]+)`", re.DOTALL)
ID: Final = re.compile(r"[A-Z0-9]{2,40}")
TOKEN: Final = re.compile(r"<(?=[!@#])")
HELD: Final = re.compile("\0([0-9]+)\0")
ADDRESS: Final = ("http://", "https://", "mailto:", "tel:")


@dataclass(frozen=True, slots=True)
class ReadText:
    """Plain text without the mention of the bot, who else was addressed, who and what is named by an id alone, and the
    addresses in it. `quotes_bot`: a mention of the bot stands in code, where it is none."""

    text: str
    mentions_bot: bool
    mentions_others: bool
    mentions: tuple[Mention, ...] = ()
    addresses: tuple[str, ...] = ()
    quotes_bot: bool = False


def disarmed(text: str) -> str:
    """Make plain text harmless where Slack does not say whether it reads it as mrkdwn, so that escapes might show.

    >>> disarmed("<!channel> a < b")
    '‹!channel> a < b'
    """
    return TOKEN.sub("‹", text)


def read(text: str, bot_user_id: str, codes: Collection[str] | None = None) -> ReadText:
    """Resolve Slack's `<…>` entities and its three escapes; what stands in code is neither a mention nor a link.

    `codes`: what is code, as the blocks of the message tell; None: whatever stands between backticks.

    >>> read("<@B1> is &lt;b&gt; in <https://a.example/x|the page>?", "B1").text
    'is <b> in the page (https://a.example/x)?'
    >>> read("Say `<@B1>` to <@B1>", "B1").text
    'Say `<@B1>` to'
    """
    mention = rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>"
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        code = _code(match[1] or match[2])
        if codes is not None and code.strip() not in codes:
            return match[0]
        fence = "```" if match[1] is not None else "`"
        held.append(f"{fence}{code}{fence}")
        return f"\0{len(held) - 1}\0"

    words = CODE.sub(hold, unmarked(text).replace("\0", ""))
    # "<@bot>: how …" addresses by colon or comma; elsewhere the mention takes the blank before it along.
    without = re.sub(rf"\A\s*{mention}[:,]?", "", words)
    without = re.sub(rf"[ \t]?{mention}", "", without)
    entities = _Entities()
    plain = unescape(ENTITY.sub(entities.resolve, without))
    return ReadText(
        text=HELD.sub(lambda match: held[int(match[1])], plain).strip(),
        mentions_bot=without != words,
        mentions_others=entities.others,
        mentions=tuple(dict.fromkeys(entities.mentions)),
        addresses=tuple(entities.addresses),
        quotes_bot=any(re.search(mention, code) for code in held),
    )


class _Entities:
    """Resolves the entities of one text, and notes what they were."""

    def __init__(self) -> None:
        self.others = False
        self.mentions: list[Mention] = []
        self.addresses: list[str] = []

    def resolve(self, match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        if target.startswith("@"):
            self.others = True
            return f"@{label.lstrip('@')}" if label else self._named("person", target[1:], "@")
        if target.startswith("!"):
            self.others = self.others or not target.startswith("!date")
            if target.startswith("!subteam^") and not label:
                return self._named("group", target.removeprefix("!subteam^"), "@")
            return label or f"@{target[1:].partition('^')[0]}"
        if target.startswith("#"):
            return f"#{label}" if label else self._named("conversation", target[1:], "#")
        self.addresses.append(unescape(target))
        return _link(target, label)

    def _named(self, kind: Literal["person", "conversation", "group"], id_: str, sign: str) -> str:
        if not ID.fullmatch(id_):
            return sign + id_
        mention = Mention(kind=kind, id=id_)
        self.mentions.append(mention)
        return str(mention)


def _code(raw: str) -> str:
    """What somebody typed as code: Slack still puts addresses in it between angle brackets."""

    def typed(match: re.Match[str]) -> str:
        target, _, label = match[1].partition("|")
        return (label or target) if target.startswith(ADDRESS) else match[0]

    return unescape(ENTITY.sub(typed, raw))


def _link(target: str, label: str) -> str:
    """Write an address with the word it stands behind. Slack links bare hosts and file names by itself: what was typed
    there is the label."""
    url = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (url, target):
        return url
    return label if url.rstrip("/").endswith("://" + label.rstrip("/")) else f"{label} ({url})"


def unescape(text: str) -> str:
    """Slack escapes these three and nothing else, so `&copy;` is what somebody typed."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
