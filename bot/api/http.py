"""One HTTP attempt: bounded in time and size, no redirect, no cookie, no retry; its end sorted into our errors.

It speaks to the transport directly: an `httpx.AsyncClient` above it would log addresses, keep cookies for the
next tenant, and offer to follow redirects, which would carry the key away.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from pydantic import SecretStr

from bot.api import models
from bot.api.assumptions import BODY_LIMIT, CHAT_SECONDS
from bot.api.errors import Kind, from_exception, from_status, unreadable
from bot.api.reading import BoundedResponse, read
from bot.errors import BotError, Misconfigured, Rejected
from bot.shared import Connector, is_loopback, way_to
from bot.telemetry.metrics import Metrics
from bot.telemetry.traces import CURRENT

# Many servers drop a connection that was idle for 5 s. Ours are given up before, or a submit could be written
# to one that is just being closed, and nobody would know what became of it.
KEEP_ALIVE_SECONDS: Final = 4.0

# All that the two libraries raise for what happens on the wire; TimeoutError is an OSError.
_FAILURES: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    aiohttp.ClientError,
    aiohttp.http_exceptions.HttpProcessingError,
    OSError,
    EOFError,
    ValueError,
)

SLICE_BYTES: Final = 64 * 1024
ERROR_BODY_LIMIT: Final = 16 * 1024
ERROR_BODY_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: until connected (name and TLS included), between two reads, and for the whole attempt."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 30.0

    @classmethod
    def chat(cls) -> Self:
        """For a synchronous answer, which takes up to a minute."""
        return cls(read=CHAT_SECONDS, total=CHAT_SECONDS)

    def at_least(self, other: Timeouts) -> Timeouts:
        """Take the longer of each, for calls that are slow by nature."""
        return replace(self, read=max(self.read, other.read), total=max(self.total, other.total))


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back, whole: no error is left in it."""

    status: int
    body: bytes


def shared_http(base_url: str) -> httpx.AsyncBaseTransport:
    """Make a transport that any number of clients of one address may share; the maker closes it (`aclose`).

    The number of its connections is not limited: a wait for one would count as time of the call. `Slots` bounds the
    calls under way, and so the connections.
    """
    return AiohttpTransport(client=partial(_session, way_to(base_url).proxy), verify=_tls())


class Slots:
    """So many calls at once; who comes later waits in order, before the call begins, for as long as it takes."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def after(self, before: Callable[[], Awaitable[None]] | None) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Lend a function that takes a place, then awaits `before`; the place is given back at the end."""
        taken = False

        async def take() -> None:
            nonlocal taken
            await self._free.acquire()
            taken = True
            if before is not None:
                await before()

        try:
            yield take
        finally:
            if taken:
                self._free.release()


@functools.cache
def _tls() -> ssl.SSLContext:
    """Trust certifi's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR; made once, for it takes 30 ms."""
    return httpx.create_ssl_context()


def _session(proxy: str | None) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=Connector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=_tls()),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy,
        response_class=BoundedResponse,
    )
    # aiohttp repeats a GET by itself when the connection is cut; it has no public switch for that.
    session._retry_connection = False
    return session


class Caller:
    """Makes attempts with one key at one base URL, and counts them.

    Raises:
        Misconfigured: the base URL is neither https nor loopback, or the key cannot be a header's value.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: SecretStr,
        http: httpx.AsyncBaseTransport,
        metrics: Metrics | None,
        route: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        _check_address(self.base_url)
        secret = api_key.get_secret_value()
        if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
            raise Misconfigured("UPPZY_API_KEY holds characters a key cannot have; copy it again.")
        self.key = api_key
        self._http = http
        self._metrics = metrics
        self._route = route
        self._now = now or (lambda: datetime.now(UTC))

    async def attempt(
        self,
        endpoint: str,
        kind: Kind,
        method: str,
        path: str,
        *,
        timeouts: Timeouts,
        json: Mapping[str, object] | None = None,
        files: Any = None,
        data: Mapping[str, str] | None = None,
    ) -> HttpReply | BotError:
        """Make the attempt; return the whole reply of a 2xx, or the error to raise.

        It is returned, not raised, so that it has no context: an error of aiohttp shows the request's headers,
        the key among them, to whoever prints it.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        request = self._request(method, path, timeouts, json=json, files=files, data=data)
        try:
            async with asyncio.timeout(timeouts.total):
                result, label = await self._exchange(request, endpoint, kind)
        except _FAILURES as exc:
            result, label = from_exception(exc, endpoint, kind)
        if self._metrics is not None:
            self._metrics.api_requests_total.labels(endpoint=endpoint, status=label).inc()
            if self._route:
                self._metrics.route_api_requests_total.labels(route=self._route, status=label).inc()
            self._metrics.api_request_seconds.labels(endpoint=endpoint).observe(loop.time() - started)
        if (span := CURRENT.get()) is not None:
            span.called(method, self.base_url + path, label)
        return result

    async def _exchange(self, request: httpx.Request, endpoint: str, kind: Kind) -> tuple[HttpReply | BotError, str]:
        response = await self._http.handle_async_request(request)
        status = response.status_code
        try:
            if 200 <= status < 300:
                body = await read(response, BODY_LIMIT)
                if body is None:
                    return unreadable(endpoint, kind, status, too_large=True), str(status)
                return HttpReply(status, body), str(status)
            error = await _error_text(response)
        except httpx.DecodingError:
            return unreadable(endpoint, kind, status), str(status)
        finally:
            await response.aclose()
        failed = from_status(status, response.headers, error, endpoint, kind, self._now)
        return failed or unreadable(endpoint, kind, status), str(status)

    def _request(
        self, method: str, path: str, timeouts: Timeouts, *, json: Any, files: Any, data: Any
    ) -> httpx.Request:
        timeout = httpx.Timeout(timeouts.read, connect=timeouts.connect, pool=timeouts.connect)
        headers = {
            "X-API-Key": self.key.get_secret_value(),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        if (span := CURRENT.get()) is not None:
            headers["traceparent"] = span.traceparent
        request = httpx.Request(
            method,
            self.base_url + path,
            headers=headers,
            json=json,
            files=files,
            data=data,
            extensions={"timeout": timeout.as_dict()},
        )
        if json is not None and len(request.content) > SLICE_BYTES:
            sliced = _Slices(request.content)
            request = httpx.Request(
                method, request.url, headers=request.headers, stream=sliced, extensions=request.extensions
            )
        return request


class _Slices(httpx.AsyncByteStream):
    """A large body, handed over slice by slice, so that writing it does not hold up the event loop."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), SLICE_BYTES):
            yield self._body[start : start + SLICE_BYTES]


def segment(value: str) -> str:
    """Quote an id for one segment of a path. Raises Rejected for one that would name another path.

    >>> segment("a/b c@d")
    'a%2Fb%20c%40d'
    """
    if value in ("", ".", ".."):
        raise Rejected("An id is empty or a path; it cannot be asked for.", reason="rejected")
    return quote(value, safe="")


def _check_address(base_url: str) -> None:
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and is_loopback(host):
        return
    raise Misconfigured("UPPZY_BASE_URL must begin with https:// (http:// only for this machine itself).")


async def _error_text(response: httpx.Response) -> str:
    """Read the error's text if it comes at once: the status alone says what to do."""
    try:
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            body = await read(response, ERROR_BODY_LIMIT)
    except _FAILURES:
        return ""
    return models.error_text(body or b"")
