"""Files of messages: their bytes, bounded in size and time. The address they are fetched from holds the token."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import quote

import aiohttp

from adapters.telegram.client import Client
from adapters.telegram.pacing import Pacer
from bot.adapter import FILE_BYTES, FILE_SECONDS, Host
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import File
from bot.shared import seconds_asked, way_to

CHUNK: Final = 64 * 1024
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
PAGE_ENDINGS: Final = (".html", ".htm", ".xhtml")


async def open_file(client: Client, pacer: Pacer, host: Host | None, file: File) -> bytes:
    """Fetch a file: getFile tells where it is, for an hour at least (https://core.telegram.org/bots/api#getfile).

    Telegram gives bots files of up to 20 MB and refuses getFile for larger ones.

    Raises:
        Rejected: it is too large (`too_large`), gone (`file_gone`), elsewhere (`redirect`) or a page (`not_a_file`).
        Misconfigured: the token is refused, or TELEGRAM_API_URL is a server that hands out no files.
    """
    if file.account_id != client.account_id:
        raise Rejected("The file belongs to another account.", reason="file_gone")
    try:
        async with asyncio.timeout(FILE_SECONDS):
            await pacer.call(host)
            path = await _path_of(client, file)
            return await _fetch(client.file_address(path), file)
    except TimeoutError:
        late = Unavailable(f"Telegram did not send the file within {FILE_SECONDS:.0f} s.", reason="timeout")
    raise late


async def _path_of(client: Client, file: File) -> str:
    answer = await client.raw("getFile", {"file_id": file.file_id})
    if not isinstance(answer, dict):
        raise OutcomeUnknown("Telegram's answer to getFile could not be read.", reason="garbage")
    size, path = answer.get("file_size"), answer.get("file_path")
    if isinstance(size, int) and size > FILE_BYTES:
        raise too_large()
    if not isinstance(path, str) or not path:
        raise Rejected("Telegram does not say where the file is.", reason="file_gone")
    if path.startswith("/"):  # https://core.telegram.org/bots/api#using-a-local-bot-api-server
        raise Misconfigured(
            "TELEGRAM_API_URL is a Bot API server in local mode, which hands out no files over HTTP; "
            "start it without --local.",
            reason="local_mode",
        )
    if not set(path.split("/")).isdisjoint({"", ".", ".."}):
        raise Rejected("Telegram names a place that is no file's.", reason="file_gone")
    return quote(path)


async def _fetch(address: str, file: File) -> bytes:
    """Fetch in one attempt, without following a redirect: it would carry the token elsewhere."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)  # the whole is bounded by who calls
    failure: BotError
    try:
        async with (
            # Not unpacked: a small body could become a large file.
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False, proxy=way_to(address).proxy) as session,
            session.get(address, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if (refusal := _refusal(response, file)) is None:
                return await _body(response)
            failure = refusal
    except (aiohttp.ClientError, ValueError) as error:  # its words may hold the address, so they end here
        failure = Unavailable(f"The file could not be fetched ({type(error).__name__}).", reason="connection")
    raise failure


def _refusal(response: aiohttp.ClientResponse, file: File) -> BotError | None:
    """Say what is wrong with an answer, before its body is read; None for nothing."""
    status = response.status
    if status == 200:
        if (response.content_length or 0) > FILE_BYTES:
            return too_large()
        is_page = response.content_type in PAGES and not _should_be_page(file)
        if is_page or response.headers.get("Content-Encoding", "identity") != "identity":
            return Rejected("What Telegram sent is not the file.", status=status, reason="not_a_file")
        return None
    if 300 <= status < 400:
        return Rejected("The file's address leads elsewhere, which is not followed.", status=status, reason="redirect")
    if status == 401:
        return Misconfigured(
            "Telegram refused the bot token for a file; put the token BotFather gave into TELEGRAM_BOT_TOKEN.",
            status=status,
            reason="token",
        )
    if status == 429:
        return Unavailable(
            "Telegram asks to wait before the next file.",
            status=status,
            reason="rate_limited",
            retry_after=seconds_asked(response.headers.get("Retry-After")),
        )
    if status >= 500:
        return Unavailable(f"Telegram is in trouble ({status} for a file).", status=status, reason="server_error")
    return Rejected(f"Telegram does not give the file ({status}).", status=status, reason="file_gone")


def _should_be_page(file: File) -> bool:
    return file.media_type.partition(";")[0].strip().lower() in PAGES or file.name.lower().endswith(PAGE_ENDINGS)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > FILE_BYTES:
            raise too_large()
    return bytes(body)


def too_large() -> Rejected:
    """Say that a file is over the bound."""
    return Rejected(f"The file has more than {FILE_BYTES:,} bytes.", reason="too_large")
