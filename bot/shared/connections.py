"""Which way connections leave this machine, and why there was none; the one place for all of them."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # it has it

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace


def is_loopback(host: str) -> bool:
    """Say whether a host (a name or an address, without port) can only be this machine; asks no DNS.

    >>> [is_loopback(h) for h in ("localhost", "127.8.0.1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "localhost.io", "")]
    [True, True, True, True, False, False, False]
    """
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


@dataclass(frozen=True, slots=True)
class Way:
    """How connections to one address leave this machine.

    `proxy` is the proxy's address, with user and password where it needs them: not to be shown; None: directly.
    `words` says it to people.
    """

    proxy: str | None
    words: str


def way_to(address: str) -> Way:
    """Decide the way to an address (http, https, ws, wss): the one place for all connections out.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not, as curl reads them: NO_PROXY lists hosts, suffixes of
    hosts, either with a port, or `*`. Loopback goes through no proxy, whatever they say.
    """
    parts = urlsplit(address)
    secure = parts.scheme in ("https", "wss")
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    name, proxies = "HTTPS_PROXY" if secure else "HTTP_PROXY", getproxies_environment()
    proxy = proxies.get("https" if secure else "http", "")
    if is_loopback(host):
        return Way(None, f"{host} is reached directly, for it is this machine.")
    if not proxy:
        return Way(None, f"{host} is reached directly, for {name} is not set.")
    if proxy_bypass_environment(f"{host}:{port}", proxies):
        return Way(None, f"{host} is reached directly, for NO_PROXY names it.")
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    at = urlsplit(proxy)
    return Way(proxy, f"{host} is reached through the proxy {at.hostname}:{at.port or 80} of {name}.")


def proxy_secrets() -> Iterator[str]:
    """List the user names and passwords of proxies in the environment, for no log to show them."""
    for proxy in getproxies_environment().values():
        user, at, _ = proxy.rpartition("@")
        if at:
            yield from filter(None, map(unquote, user.rpartition("://")[2].split(":", 1)))


class Connector(aiohttp.TCPConnector):
    """Connections whose failures before a request could be written are told apart from all later ones.

    aiohttp does so for a refused connection, a name, a certificate; here also for what a proxy does instead of opening
    its tunnel: another status than 200 (407, 504), a cut.
    """

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:  # noqa: ASYNC109  # the library's signature
        """Return a connection on which nothing was written yet.

        Raises:
            ClientConnectorError, TimeoutError: there is none, so nothing was written.
        """
        try:
            return await super().connect(req, traces, timeout)
        except (aiohttp.ClientConnectorError, TimeoutError):
            raise
        except (aiohttp.ClientError, OSError) as error:
            said = f"the proxy answered {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else "cut"
            raise aiohttp.ClientProxyConnectionError(req.connection_key, OSError(said)) from None


def not_connected(error: BaseException) -> str:
    """Say in a few words why there was no connection: "connection refused". No address, no user of a proxy."""
    match error:
        case aiohttp.ClientProxyConnectionError():
            return str(error.os_error)  # what `Connector` says of it
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorDNSError():
            return "no such name"
        case aiohttp.InvalidURL():
            return "its address cannot be used"
        case TimeoutError():
            return "no connection in time"
        case OSError(errno=int(number)) if number > 0 and not isinstance(error, ssl.SSLError):
            return os.strerror(number).lower()
    return "no secure connection" if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError) else "no connection"
