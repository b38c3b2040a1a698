"""Files of messages: asked about by `files.info`, then fetched from their own address with the bot's token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from adapters.slack.client import CHUNK, Client
from adapters.slack.errors import retry_after_of
from adapters.slack.ids import GONE_MODES
from bot.adapter import FILE_BYTES, FILE_SECONDS
from bot.errors import Misconfigured, Rejected, Unavailable
from bot.events import File
from bot.shared import is_loopback, way_to

_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5)  # FILE_SECONDS bounds all of it


async def open_file(client: Client, file: File) -> bytes:
    """Return a file's bytes; see `Adapter.open`.

    Raises:
        Rejected: it is too large, gone, or stands outside Slack; or a login page came, as it does without the scope.
        Misconfigured: the token lacks files:read.
        Unavailable: Slack did not hand it out now.
    """
    try:
        async with asyncio.timeout(FILE_SECONDS):
            shown = await _look_up(client, file.file_id)
            content, media_type = await _download(client, _address(shown, client.base_url))
    except TimeoutError:
        raise Unavailable("Slack did not hand out the file in time.", reason="timeout") from None
    if _looks_like_html(content, media_type) and not _is_whole(content, shown):
        raise _login_page()
    return content


async def _look_up(client: Client, file_id: str) -> Mapping[str, Any]:
    try:
        answer = await client.call("files.info", {"file": file_id}, read=True)
    except Misconfigured as error:
        if error.reason != "missing_scope":
            raise
        raise Misconfigured(
            "The token in SLACK_BOT_TOKEN lacks files:read, without which no file can be opened; add the scope and "
            "install the app again.",
            reason=error.reason,
        ) from None
    shown = answer.get("file")
    return shown if isinstance(shown, Mapping) else {}


def _address(shown: Mapping[str, Any], api_url: str) -> str:
    """Return where the file lies; Rejected where that is nowhere, or no place that may see the token."""
    if shown.get("mode") in GONE_MODES:
        raise Rejected("The file is gone from Slack.", reason="not_found")
    size = shown.get("size")
    if isinstance(size, int) and size > FILE_BYTES:
        raise _too_large()
    address = shown.get("url_private")
    if not isinstance(address, str) or not address:
        raise Rejected("Slack names no address of the file.", reason="not_found")
    if shown.get("is_external") or not is_slacks(address, api_url):
        raise Rejected("The file does not lie at Slack, so it is not fetched with the bot's token.", reason="external")
    return address


def is_slacks(address: str, api_url: str) -> bool:
    """Whether an address is of the Slack that the token belongs to: below the API's own domain, encrypted.

    >>> [is_slacks(a, "https://slack.com/api/") for a in ("https://files.slack.com/f", "https://files.slack.com.evil/f")]
    [True, False]
    """
    try:
        url, api = urlsplit(address), urlsplit(api_url)
        host, port = url.hostname or "", url.port
    except ValueError:
        return False
    if not host or set(url.netloc) & set("@\\ "):  # of which parsers make different hosts
        return False
    if is_loopback(api.hostname or ""):
        return (url.scheme, host, port) == (api.scheme, api.hostname, api.port)
    domain = (api.hostname or "").removeprefix("www.").removeprefix("api.")
    return url.scheme == "https" and port in (None, 443) and (host == domain or host.endswith("." + domain))


async def _download(client: Client, address: str) -> tuple[bytes, str]:
    """Fetch it in one piece of known size; the token goes to no other address than this one."""
    await client.renew()
    headers = {"Authorization": f"Bearer {client.token}", "Accept-Encoding": "identity"}
    try:
        async with (
            client.session() as session,
            session.get(
                address, headers=headers, allow_redirects=False, timeout=_TIMEOUT, proxy=way_to(address).proxy
            ) as response,
        ):
            _check(response)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise Unavailable("Slack packed the file though it was asked not to.", reason="garbage")
            content = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK):
                content += chunk
                if len(content) > FILE_BYTES:
                    raise _too_large()
            return bytes(content), response.content_type
    except aiohttp.InvalidURL:
        raise Rejected("Slack names an address of the file that is none.", reason="not_found") from None
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        # Reading changes nothing, so a cut is no doubt about an outcome.
        raise Unavailable("The connection to Slack was cut while a file was fetched.", reason="connection") from None


def _check(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if 300 <= status < 400:
        # To the login, which is what a browser without a session gets; nothing is followed with the token.
        raise _login_page()
    if status == 429:
        wait = retry_after_of(response.headers)
        raise Unavailable(
            "Slack limits how often files are fetched.", status=429, reason="rate_limited", retry_after=wait
        )
    if status >= 500:
        raise Unavailable(f"Slack did not hand out the file ({status}).", status=status, reason="server_error")
    if status != 200:
        reason = "not_found" if status in (404, 410) else "rejected"
        raise Rejected(f"Slack refused to hand out the file ({status}).", status=status, reason=reason)
    if response.content_length is not None and response.content_length > FILE_BYTES:
        raise _too_large()


def _looks_like_html(content: bytes, media_type: str) -> bool:
    return media_type == "text/html" or content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(
        (b"<!doctype html", b"<html")
    )


def _is_whole(content: bytes, shown: Mapping[str, Any]) -> bool:
    """Whether it is the file that `files.info` told of, though it is HTML: by its size, or else by its kind."""
    size = shown.get("size")
    if isinstance(size, int):
        return size == len(content)
    return shown.get("filetype") == "html" or shown.get("mimetype") == "text/html"


def _too_large() -> Rejected:
    return Rejected(f"The file is larger than {FILE_BYTES // 1_000_000} MB.", reason="too_large")


def _login_page() -> Rejected:
    return Rejected(
        "Slack answered with its login page instead of the file; the token in SLACK_BOT_TOKEN lacks files:read, or the "
        "app was not installed again since it has the scope.",
        reason="login_page",
    )
