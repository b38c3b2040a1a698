"""Bodies of requests, bounded before they are read: what they may be, how long they may take, how much there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

SECONDS: Final = 20.0
"""A body must have arrived by then; platforms send theirs at once."""
SMALL: Final = 64 * 1024
"""Bytes of a body that is read whoever sends it; the events of platforms are smaller, nearly all."""
MOST_LARGE: Final = 32 * 1024 * 1024
"""Bytes of all larger bodies together: who has not shown a signature yet must not fill the memory."""


class Bodies:
    """Reads bodies of at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._large = 0

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return the response that refuses a body by its header alone, None for one that may come.

        Nothing is ever unpacked: no platform compresses, and a small body could become a large one before anybody
        has looked at its signature.
        """
        encodings = ",".join(request.headers.getall("Content-Encoding", ())).split(",")
        if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
            return _refused(415, "The body must not be compressed.\n")
        return self._too_large() if (request.content_length or 0) > self.most else None

    @asynccontextmanager
    async def read(self, request: web.Request) -> AsyncIterator[web.Response | None]:
        """Read the body, and keep its place until the request is answered; the response that refuses it, else None."""
        size = request.content_length
        size = self.most if size is None else size
        large = size if request.body_exists and size > SMALL else 0
        if self._large + large > MOST_LARGE:
            yield _refused(503, "Not now; please try again.\n")
            return
        self._large += large
        try:
            yield await self._read(request) if request.body_exists else None
        finally:
            self._large -= large

    async def _read(self, request: web.Request) -> web.Response | None:
        try:
            async with asyncio.timeout(SECONDS):
                await request.read()  # kept by aiohttp: the handler's own read returns at once
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        except TimeoutError:
            return _refused(408, "The body did not arrive.\n")
        except (web.RequestPayloadError, ConnectionError):
            # Not in the form its header says, or cut short: anybody's bad request, and no fault of ours.
            return _refused(400, "The body cannot be read.\n")
        return None

    def _too_large(self) -> web.Response:
        return _refused(413, f"The body is larger than {self.most} bytes.\n")


def _refused(status: int, text: str) -> web.Response:
    """Refuse; the rest of the body is not wanted, so this connection is of no further use."""
    response = web.Response(status=status, text=text)
    response.force_close()
    return response
