"""Who may talk to the playground: a browser on this machine that has our own page open, nobody else.

A name that an attacker's DNS points at 127.0.0.1 arrives with that name as Host; a foreign page that posts here
arrives with its Origin; a proxy that brings strangers says so in a forwarding header.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.adapter import HttpHandler
from bot.shared import is_loopback

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types playground"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

FORWARDING: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


def guarded(handler: HttpHandler) -> HttpHandler:
    """Let the handler see only requests from this machine (404) and from our own page (403)."""

    async def look_first(request: web.Request) -> web.StreamResponse:
        if not is_local(request):
            return web.json_response({"error": "Not found."}, status=404, headers=HEADERS)
        if not is_own_page(request):
            sentence = "The playground answers only its own page; open it at this address."
            return web.json_response({"error": sentence}, status=403, headers=HEADERS)
        return await handler(request)

    return look_first


def is_local(request: web.Request) -> bool:
    """Tell whether the peer and the Host are this machine and nothing stands between."""
    if any(name in request.headers for name in FORWARDING):
        return False
    return is_loopback(request.remote or "") and is_loopback(_hostname(request.headers.get("Host", "")))


def is_own_page(request: web.Request) -> bool:
    """Tell whether no other page sent this. Browsers name the origin of each POST and the site of each request."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.headers.get('Host', '')}":
        return False
    site = request.headers.get("Sec-Fetch-Site", "none")
    opens_the_page = request.method == "GET" and request.path == "/"
    return site in ("same-origin", "none") or opens_the_page


def _hostname(host: str) -> str:
    """Return the name in a Host header, without port and brackets; "" when it is not one."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises ValueError for what is not a port
    except ValueError:
        return ""
    if parts.netloc != host or parts.username is not None or parts.path:
        return ""
    return parts.hostname or ""
