"""Which links may be opened, and where they stand in plain text."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it.common.normalize_url import normalizeLink

_WEB: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_HOST: Final = re.compile(r"[\w.~-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_MAIL: Final = re.compile(r"mailto:[^\s@?]+@[^\s@]+$", re.IGNORECASE)
# After an ASCII letter or digit a Han, kana or Hangul letter is the next word; after `/` it is the address's own.
_WIDE: Final = r"\u2e80-\u2fff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_BARE: Final = re.compile(
    r"(?<![A-Za-z0-9_/@.:])(?:https?://|www\.[^\W_])"
    rf"(?:\\[!-/:-@\[-`{{-~]|(?![A-Za-z0-9][{_WIDE}])[^\s<>\"`\\\u3000-\u303f\uff01-\uff60]"
    rf"|[A-Za-z0-9](?=[{_WIDE}])(?![{_WIDE}]))+(?:[A-Za-z0-9](?=[{_WIDE}]))?",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"(?<![\w.+/=@:-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![\w@-])", re.ASCII
)
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])|&amp;")
_PHONE: Final = re.compile(r"(?:tel|sms):(\+?[\d().\s/*#-]{3,40})(?:[;?].*)?$", re.IGNORECASE | re.DOTALL)
_DOMAIN: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://)?((?:[\w-]+\.)+[^\W\d_]{2,})(?=[/:?#\s]|$)", re.IGNORECASE)
_AFTER_NAME: Final = r"(?::\d+(?!\w))?(?:[/?#][^\s<>\"]*)?(?![\w@-])"
_NAME: Final = re.compile(
    r"(?<![\w@/.-])(?:\w(?:[\w-]*[^\W_])?\.)+(xn--[a-z0-9-]+|[^\W\d_]{2,})"
    + _AFTER_NAME
    + r"|(?<![\w@/.-])\d{1,3}(?:\.\d{1,3}){3}(?=[:/])"
    + _AFTER_NAME,
    re.IGNORECASE,
)
_HANDLE: Final = re.compile(r"@?[^\W_][\w.:+=-]{0,63}@(?:[\w-]{1,63}\.)+[\w-]{2,63}(?::\d+)?(?:[/?#][^\s<>\"]*)?")
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
    """Find web and e-mail addresses written out in the text: (start, end, URL)."""
    found = []
    if "://" in text or "www." in text.lower():
        for match in _BARE.finditer(text):
            end = match.start() + len(_trim(match.group()))
            written = shown(text[match.start() : end])
            target = safe(normalizeLink(written if "://" in written else "http://" + written))
            if target:
                found.append((match.start(), end, target))
    if "@" in text:
        within = [(start, end) for start, end, _ in found]
        for match in _ADDRESS.finditer(text):
            if not any(start <= match.start() < end for start, end in within):
                found.append((match.start(), match.end(), f"mailto:{match.group()}"))
    return found


def shown(written: str) -> str:
    """Return an address as it is meant, without the escapes of Markdown.

    >>> shown("https://a.example/x" + chr(92) + "_y?a=1&amp;b=2")
    'https://a.example/x_y?a=1&b=2'
    """
    return _ESCAPED.sub(lambda match: match.group(1) or "&", written)


def phone(url: str) -> str:
    """Return the number of a telephone link, "" for another link.

    >>> phone("tel:+49-30-12345"), phone("https://example.com")
    ('+49-30-12345', '')
    """
    match = _PHONE.match(unquote(url).strip())
    return match.group(1).strip() if match else ""


def is_shown(label: str, href: str) -> bool:
    """True if the label of a link is its address, as one reads it.

    >>> is_shown("www.example.com", "http://www.example.com"), is_shown("the guide", "https://example.com")
    (True, False)
    """
    return label.strip() in (href, href.removeprefix("mailto:")) or bare(label) == [(0, len(label), href)]


def _trim(written: str) -> str:
    """Leave out what belongs to the sentence around it: end punctuation, and a bracket that it did not open."""
    depth = {")": 0, "]": 0, "}": 0}
    for place, character in enumerate(written):
        if character in "([{":
            depth[")]}"["([{".index(character)]] += 1
        elif character in depth:
            depth[character] -= 1
            if depth[character] < 0:
                written = written[:place]
                break
    end = len(written)
    while end and written[end - 1] in _TRAILING:
        end -= 1
    return written[:end]


def lookalikes(text: str) -> Iterator[tuple[int, int]]:
    """Find names that a client may take for a web address: (start, end).

    Telegram's server links a name with a top-level domain at its end, in whatever case but `Capitalised`
    (TDLib, `is_common_tld`); which domains there are changes, so any two letters count. It links an IP address with a
    port or a path, and what looks like an address of e-mail, as `@name@host` does.
    """
    end = 0
    found = [*_NAME.finditer(text), *(_HANDLE.finditer(text) if "@" in text else ())]
    for match in sorted(found, key=lambda one: one.start()):
        last = match[1] if match.re is _NAME else None
        if last and last[0].isupper() and last[1:] == last[1:].lower() and len(match[0].split(".")) == 2:
            continue
        if match.start() >= end:
            end = match.start() + len(_trim(match[0]))
            yield match.start(), end


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
    if not said.isascii():
        with contextlib.suppress(UnicodeError):
            said = said.encode("idna").decode()
    return "" if said.removeprefix("www.") == host.removeprefix("www.") else host
