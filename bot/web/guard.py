"""Who may see the status page and the metrics, and the headers of every response."""

from __future__ import annotations

import base64
import binascii
import hmac
import re

from aiohttp import web
from pydantic import SecretStr

from bot.shared import is_loopback

_FORWARDING = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}
"""Set on every response unless its handler has set the header itself."""


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """Add the headers; a signal handler for `on_response_prepare`."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "uppzy-bot"


class Guard:
    """Decides about one request. `host` is the address the server is bound to.

    With a token: it must come, as a bearer or as the password of Basic. Without one only this machine may look,
    and what a proxy or a page of another site sends (a foreign Host, a forwarding header) is treated as if there
    were nothing here.
    """

    def __init__(self, *, host: str, token: SecretStr | None) -> None:
        self._token = token.get_secret_value().encode() if token is not None else None
        self._local = is_loopback(host)

    def refusal(self, request: web.Request) -> web.Response | None:
        """The response that keeps the request out, None for one that may pass."""
        if self._token is not None:
            if self._shows_token(request.headers.get("Authorization", "")):
                return None
            return web.Response(
                status=401,
                text="This page needs the status token.\n",
                headers={"WWW-Authenticate": 'Basic realm="uppzy-bot", charset="UTF-8"'},
            )
        return None if self._local and _came_directly(request) else not_found()

    def _shows_token(self, header: str) -> bool:
        scheme, _, value = header.partition(" ")
        shown = value.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() == "basic":
            try:
                shown = base64.b64decode(shown, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return self._token is not None and hmac.compare_digest(shown, self._token)


def not_found() -> web.Response:
    """The same words for what is hidden and for what does not exist."""
    return web.Response(status=404, text="Not found.\n")


def _came_directly(request: web.Request) -> bool:
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not is_loopback(_without_port(hosts[0])):
        return False
    names = {name.lower() for name in request.headers}
    return not names & _FORWARDING and not any(name.startswith("x-forwarded") for name in names)


def _without_port(host: str) -> str:
    """Cut the port off.

    >>> [_without_port(h) for h in ("Localhost:80", "[::1]:80", "127.0.0.1", "a:b:c", "localhost:80@evil")]
    ['localhost', '[::1]', '127.0.0.1', '', '']
    """
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]@/]+)(?::[0-9]{1,5})?", host)
    return found.group(1).lower() if found else ""
