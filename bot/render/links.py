"""Which links may be opened, which deceive, and what a telephone link dials."""

from __future__ import annotations

import contextlib
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it.common.normalize_url import normalizeLink

_WEB: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_HOST: Final = re.compile(r"[\w.~-]+|[0-9a-f:.]*:[0-9a-f:.]*")
_MAIL: Final = re.compile(r"mailto:[^\s@?]+@[^\s@]+$", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?:tel|sms|smsto|mms|fax|callto):(?://)?([^?]+)", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://)?((?:[\w-]+\.)+[^\W\d_]{2,})(?=[/:?#\s]|$)", re.IGNORECASE)


# Most addresses are as they must be: then there is nothing to take apart, and to put together again.
_NORMAL: Final = re.compile(r"https?://[a-z0-9.-]+(?::\d+)?(?:[/?#][\w./:?#@!$&'()*+,;=~-]*)?", re.ASCII)


def normalized(url: str) -> str:
    """The address as a browser sends it: its host in Punycode, the rest percent-encoded.

    >>> normalized("https://bücher.example/ä"), normalized("https://a.example/b?c=d#e")
    ('https://xn--bcher-kva.example/%C3%A4', 'https://a.example/b?c=d#e')
    """
    return url if _NORMAL.fullmatch(url) else normalizeLink(url)


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
    if _NORMAL.fullmatch(url):
        return url
    url = url.strip()
    if any(char <= " " for char in url):
        return None
    if _WEB.match(url):
        return url if _HOST.fullmatch(host_of(url)) else None
    return f"mailto:{url[7:]}" if _MAIL.match(url) else None


def phone(url: str) -> str:
    """What a telephone link dials, "" for another link. No channel opens these, so the reader must see it.

    >>> phone("tel:+49-30-12345"), phone("sms:12345?body=hi"), phone("https://example.com")
    ('+49-30-12345', '12345', '')
    """
    match = _PHONE.match(url.strip())
    return unquote(match.group(1)).strip() if match else ""


def dials(label: str, number: str) -> bool:
    """True if a label already shows the number of its link, however it is grouped.

    >>> dials("+49 (0)30 12345", "+493012345"), dials("our hotline", "112")
    (True, False)
    """
    wanted, shown = (re.sub(r"\D", "", text.replace("(0)", "")) for text in (number, label))
    return wanted in shown if wanted else number in label


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
