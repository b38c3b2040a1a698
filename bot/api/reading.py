"""Replies, read within bounds: how many come before the real one, one encoding at most, how much it may unpack to."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import httpx

if TYPE_CHECKING:
    from aiohttp.connector import Connection

INTERIM_REPLIES: Final = 16
"""Replies of the kind "100 Continue" before the real one; an honest server sends one or two."""
WINDOWS: Final = {"gzip": zlib.MAX_WBITS | 16, "x-gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Encodings we can read → what zlib calls them. Only gzip is asked for."""


class BoundedResponse(aiohttp.ClientResponse):
    """A response that does not wait through endless interim ones, which would cost time for as long as they come."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Read until the real reply's header is here."""
        protocol: Any = connection.protocol
        read: Callable[[], Any] = protocol.read
        heads = itertools.count()

        def counted() -> Any:
            if next(heads) > INTERIM_REPLIES:
                raise aiohttp.http_exceptions.HttpProcessingError(message="too many interim replies")
            return read()

        protocol.read = counted  # for this one reply; aiohttp has no other place where they could be counted
        try:
            return await super().start(connection)
        finally:
            protocol.__dict__.pop("read", None)


async def read(response: httpx.Response, limit: int) -> bytes | None:
    """Read the whole body, unpacked; None as soon as it is longer than the limit, packed or not.

    Raises:
        httpx.DecodingError: it is packed in a way we do not read, or not what it says.
    """
    window = _window(response)
    unpacker = None if window is None else zlib.decompressobj(window)
    chunks: list[bytes] = []
    arrived = size = 0
    async for chunk in response.aiter_raw():
        arrived += len(chunk)
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, limit - size + 1)
            except zlib.error:
                raise httpx.DecodingError("The body is not what its encoding says.") from None
        size += len(chunk)
        if size > limit or arrived > limit:
            return None
        chunks.append(chunk)
    if unpacker is not None and arrived and not unpacker.eof:
        raise httpx.DecodingError("The body is cut short.")
    return b"".join(chunks)


def _window(response: httpx.Response) -> int | None:
    """Say how the body is to be unpacked, None for not at all."""
    named = ",".join(response.headers.get_list("content-encoding")).split(",")
    encodings = [word for name in named if (word := name.strip().lower()) not in ("", "identity")]
    if not encodings:
        return None
    if len(encodings) > 1 or encodings[0] not in WINDOWS:
        raise httpx.DecodingError("The body is packed more than once, or in a way that was not asked for.")
    return WINDOWS[encodings[0]]
