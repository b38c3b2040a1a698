"""Calls to gull's HTTP API: one attempt each, no redirect is followed, and only errors of ours come out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.adapter import FILE_BYTES, FILE_SECONDS
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from uppzy_gull.config import GullSettings


class GullClient:
    """Holds no connection between calls, so none is left open and none is reused that the other side has closed."""

    def __init__(self, settings: GullSettings) -> None:
        self._url = settings.api_url
        token = settings.token.get_secret_value() if settings.token else ""
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, *path: str, body: object = None, query: Mapping[str, str] | None = None) -> Any:
        """Make one call and return its JSON."""
        with our_errors():
            async with self._request(method, path, 20.0, json=body, params=query) as response:
                return json.loads(await response.read())

    async def download(self, file_id: str) -> bytes:
        """Return the bytes of a file."""
        content = bytearray()
        with our_errors():
            async with self._request("GET", ("files", file_id), FILE_SECONDS) as response:
                async for chunk in response.content.iter_chunked(65_536):
                    content += chunk
                    if len(content) > FILE_BYTES:
                        raise Rejected("The file is too large.", reason="file_too_large")
        return bytes(content)

    @asynccontextmanager
    async def _request(
        self, method: str, path: tuple[str, ...], seconds: float, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        url = "/".join([self._url, "v1", *(quote(piece, safe="") for piece in path)])
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(seconds, connect=5)) as session,
            session.request(method, url, allow_redirects=False, **options) as response,
        ):
            if response.status >= 300:
                gone = b"conversation_gone" in await response.content.read(1_000)
                raise _refusal(response.status, gone, response.headers.get("Retry-After", ""))
            yield response


@contextmanager
def our_errors() -> Iterator[None]:
    """Let only errors of ours out; before the connection stands, nothing can have happened."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unavailable("Gull cannot be reached.", reason="connection") from error
    except TimeoutError as error:
        raise OutcomeUnknown("Gull did not answer in time.", reason="timeout") from error
    except (aiohttp.ClientError, OSError) as error:
        raise OutcomeUnknown("The connection to gull was cut.", reason="connection") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise OutcomeUnknown("Gull answered something unreadable.", reason="garbage") from error


def _refusal(status: int, gone: bool, after: str) -> BotError:
    if status == 429:
        seconds = float(after) if after.isdecimal() else None
        return Unavailable("Gull limits our calls.", status=status, reason="rate_limited", retry_after=seconds)
    if status >= 500:
        kind = Unavailable if status == 503 else OutcomeUnknown
        return kind("Gull failed on a call.", status=status, reason="server_error")
    if status in (401, 403):
        return Misconfigured("Gull refuses GULL_TOKEN.", status=status, reason="unauthorized")
    reason = "redirect" if status < 400 else "not_found" if status in (404, 410) else "refused"
    return Rejected(f"Gull refuses a call with {status}.", status=status, reason=reason, gone=gone)
