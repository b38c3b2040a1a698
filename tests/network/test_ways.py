"""Which way a connection goes, and what a proxy may do instead of opening one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.slack.client import Client as SlackClient
from adapters.telegram.client import Client as TelegramClient
from adapters.telegram.config import TelegramSettings
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.api.http import Timeouts
from bot.config import examine
from bot.errors import BotError, OutcomeUnknown, Unavailable
from bot.shared import proxy_secrets, way_to
from tests.network.outside import PASSWORD, Mood, Proxy

Call = Callable[[], Awaitable[None]]
VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("address", ["https://slack.com/api/", "wss://wss-primary.slack.com/link"])
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_secure_address_goes_through_https_proxy(monkeypatch: pytest.MonkeyPatch, address: str, name: str) -> None:
    monkeypatch.setenv(name, "http://me:pass@proxy.corp:3128")
    way = way_to(address)
    assert way.proxy == "http://me:pass@proxy.corp:3128"
    assert "proxy.corp:3128" in way.words
    assert "pass" not in way.words


def test_a_plain_address_goes_through_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "proxy.corp:3128")
    assert way_to("http://example.org/").proxy == "http://proxy.corp:3128"
    assert way_to("https://example.org/").proxy is None
    assert "HTTPS_PROXY is not set" in way_to("https://example.org/").words


@pytest.mark.parametrize(
    ("no_proxy", "address", "direct"),
    [
        ("api.example.org", "https://api.example.org/v1", True),
        ("example.org", "https://api.example.org/v1", True),
        (".example.org", "https://api.example.org/v1", True),
        ("ample.org", "https://api.example.org/v1", False),
        ("example.org:443", "https://api.example.org/v1", True),
        ("example.org:443", "https://api.example.org:8443/v1", False),
        (".example.org:8443", "https://api.example.org:8443/v1", True),
        ("other.org, API.example.org", "https://api.EXAMPLE.org/v1", True),
        ("*", "wss://anything.example/link", True),
        ("10.1.2.3", "https://10.1.2.3:8443/", True),
        ("", "https://api.example.org/v1", False),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str, direct: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (way_to(address).proxy is None) == direct


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "[::1]:8443", "127.8.8.8"])
@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
def test_loopback_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch, scheme: str, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.corp:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.corp:3128")
    assert way_to(f"{scheme}://{host}/x").proxy is None


def test_the_secrets_of_proxies_are_known_to_the_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p%40ss@proxy.corp:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.corp:3128")
    assert list(proxy_secrets()) == ["me", "p@ss"]


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("HTTPS_PROXY", "socks5://proxy.corp:1080", True),
        ("https_proxy", "http://", True),
        ("HTTP_PROXY", "http://proxy.corp:port", True),
        ("HTTPS_PROXY", "http://me:secret-word@proxy.corp:3128", False),
        ("HTTPS_PROXY", "proxy.corp:3128", False),
        ("SSL_CERT_FILE", "/nowhere/authority.pem", True),
        ("SSL_CERT_FILE", __file__, True),
    ],
)
def test_what_cannot_be_used_stops_the_start(tmp_path: Path, name: str, value: str, wrong: bool) -> None:
    found = examine([], environ={name: value}, cwd=tmp_path)
    assert [problem.name for problem in found.errors] == ([name] if wrong else [])
    assert value == "http://" or value not in str(found.errors)


# What a proxy says instead of opening the tunnel: nothing was asked of the other side


@pytest.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    async with Proxy({}) as made:
        monkeypatch.setenv("HTTPS_PROXY", made.url)
        yield made


def api() -> ApiClient:
    return ApiClient(
        base_url="https://api.outside.test/api/v1",
        api_key=SecretStr("key"),
        tenant_id="t",
        site_id="s",
        gate=Gate(),
        timeouts=Timeouts(connect=0.5, read=5.0, total=6.0),
    )


async def submit() -> None:
    client = api()
    try:
        await client.submit("session", "A question?")
    finally:
        await client.aclose()


async def post() -> None:
    await SlackClient("xoxb-1-token", "https://slack.outside.test/api/").call(
        "chat.postMessage", {"text": "An answer."}
    )


async def send() -> None:
    settings = TelegramSettings.model_validate(
        {"TELEGRAM_BOT_TOKEN": "4242:token", "TELEGRAM_API_URL": "https://telegram.outside.test"}
    )
    async with TelegramClient(settings).call("sendMessage") as bot:
        await bot.send_message(7, "An answer.")


@pytest.mark.parametrize("call", [submit, post, send])
@pytest.mark.parametrize("mood", ["407", "504", "cut", "hang"])
async def test_what_a_proxy_refuses_is_not_accepted_and_never_unknown(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, call: Call, mood: Mood
) -> None:
    monkeypatch.setattr("adapters.slack.client.TIMEOUT", _brief())
    monkeypatch.setattr("adapters.telegram.client.READ_SECONDS", 0.5)
    proxy.mood = mood
    with pytest.raises(BotError) as caught:
        await call()
    assert type(caught.value) is Unavailable
    assert PASSWORD not in str(caught.value)
    if mood in ("407", "504") and not str(caught.value).startswith("Telegram"):  # whose library keeps it to itself
        assert mood in str(caught.value), "the operator sees who said so"


def _brief() -> object:
    import aiohttp

    return aiohttp.ClientTimeout(total=6, connect=0.5, sock_connect=0.5)


async def test_a_cut_after_the_tunnel_is_unknown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called certain that is not."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = TelegramSettings.model_validate(
        {"TELEGRAM_BOT_TOKEN": "4242:token", "TELEGRAM_API_URL": f"http://127.0.0.1:{port}"}
    )
    with pytest.raises(OutcomeUnknown):
        async with TelegramClient(settings).call("sendMessage") as bot:
            await bot.send_message(7, "An answer.")
    with pytest.raises(OutcomeUnknown):
        await SlackClient("xoxb-1-token", f"http://127.0.0.1:{port}/api/").call("chat.postMessage", {"text": "x"})
    server.close()


async def test_no_proxy_is_heeded_by_every_client(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are known to the proxy alone, so who goes directly does not arrive."""
    monkeypatch.setenv("NO_PROXY", ".outside.test:443")
    proxy.names = {f"{name}.outside.test:443": 1 for name in ("api", "slack", "telegram")}
    asked: list[str] = []

    def unknown(host: str | bytes, *_: object, **__: object) -> object:
        asked.append(host if isinstance(host, str) else host.decode())
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for call in (submit, post, send):
        with pytest.raises(Unavailable):
            await call()
    assert proxy.seen == []
    assert set(asked) == {"api.outside.test", "slack.outside.test", "telegram.outside.test"}
