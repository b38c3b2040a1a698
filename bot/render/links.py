"""Which links may be opened, and where they stand in plain text."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from markdown_it.common.normalize_url import normalizeLink

_WEB: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_HOST: Final = re.compile(r"[\w.~-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_MAIL: Final = re.compile(r"mailto:[^\s@?]+@[^\s@]+$", re.IGNORECASE)
_BARE: Final = re.compile(
    r"(?<![\w/@.:])(?:https?://|www\.[^\W_])[^\s<>\"`|\\^{}\u3000-\u303f\uff01-\uff60]+", re.IGNORECASE
)
_DOMAIN: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://)?((?:[\w-]+\.)+[^\W\d_]{2,})(?=[/:?#\s]|$)", re.IGNORECASE)
_TRAILING: Final = "?!.,:;*_~'\""


def host_of(url: str) -> str:
    """The host of an http or https URL in lower case, "" if there is none or it cannot be read."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def safe(url: str) -> str | None:
    """Return the URL if it is http, https or mailto and well-formed, else None.

    >>> safe("javascript:alert(1)") is None
    True
    """
    url = url.strip()
    if any(char <= " " for char in url):
        return None
    if _WEB.match(url):
        return url if _HOST.fullmatch(host_of(url)) else None
    return url if _MAIL.match(url) else None


def bare(text: str) -> list[tuple[int, int, str]]:
    """Find web addresses written out in the text: (start, end, URL)."""
    if "://" not in text and "www." not in text.lower():
        return []
    found = []
    for match in _BARE.finditer(text):
        shown = _trim(match.group())
        target = safe(normalizeLink(shown if "://" in shown else "http://" + shown))
        if target:
            found.append((match.start(), match.start() + len(shown), target))
    return found


def _trim(shown: str) -> str:
    """Leave out punctuation that belongs to the sentence around the address."""
    end = len(shown)
    opened = {")": shown.count("("), "]": shown.count("[")}
    closed = {")": shown.count(")"), "]": shown.count("]")}
    while end:
        last = shown[end - 1]
        if last in closed and closed[last] > opened[last]:
            closed[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return shown[:end]


def disguised(label: str, href: str) -> str:
    """The true host, when the label of a link is itself an address of another host; else "".

    >>> disguised("https://bank.example", "https://evil.example/login")
    'evil.example'
    """
    claimed = _DOMAIN.match(label)
    host = host_of(href)
    if claimed is None or not host:
        return ""
    said = claimed.group(1).lower()
    return "" if said.removeprefix("www.") == host.removeprefix("www.") else host
