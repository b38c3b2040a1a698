from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.errors import Misconfigured, Unavailable
from bot.telemetry.metrics import Metrics
from bot.web import Figure, Health, Server, Snapshot

Make = Callable[..., Awaitable[Server]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Start servers on free ports; they are stopped afterwards."""
    started: list[Server] = []

    async def start(*, running: bool = True, before: Callable[[Server], None] | None = None, **options: Any) -> Server:
        server = Server(
            **{"host": "127.0.0.1", "port": 0, "metrics": Metrics(), "health": Health(), "drain_seconds": 5, **options}
        )
        if before is not None:
            before(server)
        await server.start()
        started.append(server)
        if running:
            server.health.state = "running"
        return server

    yield start
    for server in started:
        await server.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


def echoing(server: Server) -> None:
    server.add("POST", "/echo", echo)


async def test_healthz_is_the_process(make: Make, http: aiohttp.ClientSession) -> None:
    server = await make(running=False)
    async with http.get(f"{server.url}healthz") as reply:
        assert (reply.status, await reply.json()) == (200, {"status": "ok"})
    async with http.head(f"{server.url}healthz") as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    ("words", "state", "status", "verdict"),
    [
        ({"database": "ok", "api": "ok", "slack": "ok"}, "running", 200, "ok"),
        ({"database": "ok", "api": "degraded", "slack": "ok"}, "running", 200, "degraded"),
        ({"database": "ok", "api": "unavailable", "slack": "unavailable"}, "running", 200, "degraded"),
        ({"database": "degraded", "api": "ok"}, "running", 200, "degraded"),
        ({"database": "unavailable", "api": "ok"}, "running", 503, "unavailable"),
        ({"database": "ok", "api": "ok"}, "starting", 503, "unavailable"),
        ({"database": "ok", "api": "ok"}, "draining", 503, "unavailable"),
    ],
)
async def test_readyz(
    make: Make, http: aiohttp.ClientSession, words: dict[str, str], state: Any, status: int, verdict: str
) -> None:
    async def later(word: str) -> Any:
        await asyncio.sleep(0)
        return word

    health = Health({name: lambda word=word: later(word) for name, word in words.items()})  # type: ignore[misc]  # a default is not typed
    server = await make(health=health)
    health.state = state
    async with http.get(f"{server.url}readyz") as reply:
        assert reply.status == status
        assert await reply.json() == {"status": verdict, "checks": words}


async def test_a_check_that_fails_or_hangs_is_unavailable(
    make: Make, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.health.PATIENCE", 0.05)

    def broken() -> Any:
        raise RuntimeError("no")

    async def hanging() -> Any:
        await asyncio.sleep(3600)

    server = await make(health=Health({"database": lambda: "ok", "api": broken, "slack": hanging}))
    async with http.get(f"{server.url}readyz") as reply:
        assert reply.status == 200
        assert (await reply.json())["checks"] == {"database": "ok", "api": "unavailable", "slack": "unavailable"}


async def test_a_body_over_the_limit_is_refused_before_any_work(make: Make, http: aiohttp.ClientSession) -> None:
    reached: list[int] = []

    async def handler(request: web.Request) -> web.Response:
        reached.append(len(await request.read()))
        return web.Response()

    server = await make(body_bytes=1000, before=lambda s: s.add("POST", "/hook", handler))

    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 500

    async with http.post(f"{server.url}hook", data=b"x" * 1001) as reply:
        assert reply.status == 413
    async with http.post(f"{server.url}hook", data=chunks(3)) as reply:
        assert reply.status == 413
    assert reached == []
    async with http.post(f"{server.url}hook", data=b"x" * 1000) as reply:
        assert reply.status == 200
    async with http.post(f"{server.url}hook", data=chunks(2)) as reply:
        assert reply.status == 200
    assert reached == [1000, 1000]
    assert counted(server)[("/hook", "413")] == 2


async def test_a_declared_length_is_refused_before_a_byte_of_the_body(make: Make) -> None:
    server = await make(body_bytes=1000, before=echoing)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000000\r\n\r\n")
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_body_that_does_not_arrive_is_given_up(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.bodies.SECONDS", 0.05)
    server = await make(before=echoing)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_body_cut_short_is_a_bad_request_and_no_error(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    server = await make(before=echoing)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
    await writer.drain()
    writer.transport.abort()
    async with asyncio.timeout(10):
        while counted(server).get(("/echo", "400")) != 1:
            await asyncio.sleep(0.01)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_path_that_is_not_served_costs_no_body(make: Make) -> None:
    server = await make()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 404")
    writer.close()


async def test_errors_of_a_handler_say_nothing_of_themselves(
    make: Make, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    async def full(_: web.Request) -> web.Response:
        raise Unavailable("The database is full.", retry_after=7.4)

    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("an inner detail")

    async def gone(_: web.Request) -> web.Response:
        raise web.HTTPGone(text="gone")

    def add(server: Server) -> None:
        for name, handler in (("full", full), ("broken", broken), ("gone", gone)):
            server.add("POST", f"/{name}", handler)

    server = await make(before=add)
    async with http.post(f"{server.url}full") as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (503, "7")
    async with http.post(f"{server.url}broken") as reply:
        assert reply.status == 500
        assert "detail" not in await reply.text()
    async with http.post(f"{server.url}gone") as reply:
        assert reply.status == 410
    assert counted(server) == {("/full", "503"): 1, ("/broken", "500"): 1, ("/gone", "410"): 1}


async def test_handlers_of_a_channel(make: Make, http: aiohttp.ClientSession) -> None:
    async def segment(request: web.Request) -> web.Response:
        return web.Response(text=request.match_info["name"])

    async def second(_: web.Request) -> web.Response:
        return web.Response(text="second")

    def add(server: Server) -> None:
        echoing(server)
        server.add("GET", "/files/{name}", segment)

    server = await make(before=add)
    async with http.get(f"{server.url}files/a.css") as reply:
        assert await reply.text() == "a.css"
    async with http.get(f"{server.url}echo") as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    server.add("POST", "/echo", second)  # an adapter that runs again takes its own place
    async with http.post(f"{server.url}echo", data=b"x") as reply:
        assert await reply.text() == "second"
    with pytest.raises(RuntimeError, match="too late"):
        server.add("GET", "/new", second)
    assert counted(server) == {("/files/{name}", "200"): 1, ("other", "405"): 1, ("/echo", "200"): 1}


async def test_headers_of_every_response(make: Make, http: aiohttp.ClientSession) -> None:
    async def own(_: web.Request) -> web.Response:
        return web.Response(headers={"Cache-Control": "max-age=5", "Content-Security-Policy": "default-src 'self'"})

    server = await make(before=lambda s: s.add("GET", "/own", own))
    for path in ("healthz", "nowhere", "", "own"):
        async with http.get(server.url + path) as reply:
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert reply.headers["Referrer-Policy"] == "no-referrer"
            assert reply.headers["X-Frame-Options"] == "DENY"
            assert "aiohttp" not in reply.headers["Server"]
            assert "default-src" in reply.headers["Content-Security-Policy"]
            assert reply.headers["Cache-Control"] == ("max-age=5" if path == "own" else "no-store")


LOCAL = [{}, {"Host": "localhost"}, {"Host": "LOCALHOST:1"}, {"Host": "127.0.0.1:8080"}, {"Host": "[::1]:80"}]
FOREIGN = [
    {"Host": "example.com"},
    {"Host": "127.0.0.1.example.com"},
    {"Host": "localhost:80@example.com"},
    {"Host": "[::1]x"},
    {"Host": ""},
    {"X-Forwarded-For": "10.0.0.1"},
    {"x-forwarded-anything": "1"},
    {"Forwarded": "for=1.2.3.4"},
    {"X-Real-IP": "1.2.3.4"},
    {"Via": "1.1 proxy"},
]


@pytest.mark.parametrize("path", ["", "metrics"])
async def test_without_a_token_only_this_machine_looks(make: Make, http: aiohttp.ClientSession, path: str) -> None:
    server = await make()
    async with http.get(f"{server.url}nowhere") as reply:
        nothing = await reply.text()
    for headers in LOCAL:
        async with http.get(server.url + path, headers=headers) as reply:
            assert reply.status == 200, headers
    for headers in FOREIGN:
        async with http.get(server.url + path, headers=headers) as reply:
            assert (reply.status, await reply.text()) == (404, nothing), headers


@pytest.mark.parametrize("path", ["", "metrics"])
async def test_without_a_token_a_public_bind_shows_nothing(make: Make, http: aiohttp.ClientSession, path: str) -> None:
    server = await make(host="0.0.0.0")
    async with http.get(f"http://127.0.0.1:{server.port}/{path}") as reply:
        assert reply.status == 404
    async with http.get(f"http://127.0.0.1:{server.port}/healthz") as reply:
        assert reply.status == 200


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("path", ["", "metrics"])
async def test_with_a_token(make: Make, http: aiohttp.ClientSession, path: str) -> None:
    server = await make(host="0.0.0.0", status_token=SecretStr("st-tøken:1"))
    address = f"http://127.0.0.1:{server.port}/{path}"
    right = [basic("anybody", "st-tøken:1"), basic("", "st-tøken:1")]
    wrong = ["Bearer x", "Bearer", "Basic ???", basic("st-tøken:1", ""), basic("a", "st-tøken:12"), "Digest x", ""]
    for header in right:
        async with http.get(address, headers={"Authorization": header, "Host": "bot.example.com"}) as reply:
            assert reply.status == 200, header
    for header in wrong:
        async with http.get(address, headers={"Authorization": header}) as reply:
            assert reply.status == 401, header
            assert reply.headers["WWW-Authenticate"].startswith("Basic ")
    async with http.get(address) as reply:
        assert reply.status == 401


async def test_a_bearer_with_a_token(make: Make, http: aiohttp.ClientSession) -> None:
    server = await make(status_token=SecretStr("status-token-1"))
    async with http.get(f"{server.url}metrics", headers={"Authorization": "Bearer status-token-1"}) as reply:
        assert reply.status == 200


async def test_the_playground_takes_the_place_of_the_status_page_behind_the_same_guard(
    make: Make, http: aiohttp.ClientSession
) -> None:
    async def home(_: web.Request) -> web.Response:
        return web.Response(text="playground")

    server = await make(before=lambda s: s.add("GET", "/", home))
    async with http.get(server.url) as reply:
        assert await reply.text() == "playground"
    async with http.get(server.url, headers={"Host": "evil.example"}) as reply:
        assert reply.status == 404


async def test_metrics_in_both_formats(make: Make, http: aiohttp.ClientSession) -> None:
    server = await make()
    server._metrics.turns_total.labels(channel="slack", outcome="answered").inc()
    async with http.get(f"{server.url}metrics") as reply:
        assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = list(text_string_to_metric_families(await reply.text()))
    assert any(family.name == "uppzy_bot_turns" for family in families)
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with http.get(f"{server.url}metrics", headers=accept) as reply:
        assert reply.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await reply.text()).endswith("# EOF\n")


async def test_the_status_page(make: Make, http: aiohttp.ClientSession) -> None:
    metrics = Metrics()
    metrics.turns_total.labels(channel="telegram", outcome="answered").inc(1234)
    metrics.feedback_total.labels(channel="telegram", rating="good", outcome="submitted").inc(7)
    metrics.api_requests_total.labels(endpoint="chat", status="429").inc(11)
    metrics.api_requests_total.labels(endpoint="chat", status="503").inc(13)
    metrics.api_limit_used_ratio.labels(limit="messages").set(0.91)
    metrics.dead_letters.set(3)
    snapshot = Snapshot(
        channels=[("telegram", "@<b>helper</b>")], open_turns=5, figures=[Figure(label="leases", value="<2>")]
    )

    async def snap() -> Snapshot:
        return snapshot

    health = Health({"database": lambda: "ok", "telegram": lambda: "degraded"})
    for given in (lambda: snapshot, snap):
        server = await make(metrics=metrics, health=health, snapshot=given)
        async with http.get(server.url) as reply:
            page = await reply.text()
            assert "script" not in reply.headers["Content-Security-Policy"]
        for expected in (
            "1\u202f234", "working, not all is well", "@&lt;b&gt;helper&lt;/b&gt;", "&lt;2&gt;", "91%",
            "<b>5</b><span>turns open", "<b>3</b><span>dead letters", "<b>11</b>", "<b>13</b>",
            '<span class="pill degraded">degraded</span>', "version 0.",
        ):  # fmt: skip
            assert expected in page, expected
        assert "<script" not in page


async def test_a_port_that_is_taken_is_said_in_a_sentence(make: Make) -> None:
    server = await make()
    with pytest.raises(Misconfigured, match="BOT_HTTP_PORT") as error:
        await make(port=server.port)
    assert str(error.value).count(".") >= 1
    with pytest.raises(Misconfigured, match="BOT_HTTP_HOST"):
        await make(host="host.invalid")


async def test_stopping_lets_requests_end_and_takes_no_new_ones(make: Make, http: aiohttp.ClientSession) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await finish.wait()
        return web.Response(text="done")

    server = await make(drain_seconds=30, before=lambda s: s.add("POST", "/slow", slow))
    under_way = asyncio.create_task(post(http, f"{server.url}slow"))
    await begun.wait()
    stopping = asyncio.create_task(server.stop())
    while True:  # until the port is closed
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except ConnectionRefusedError:
            break
        writer.close()
        await asyncio.sleep(0.01)
    assert server.health.state == "draining"
    assert not stopping.done()
    finish.set()
    assert await under_way == "done"
    await stopping


async def test_stopping_cuts_what_does_not_end(make: Make, http: aiohttp.ClientSession) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(_: web.Request) -> web.Response:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()
        return web.Response()

    server = await make(drain_seconds=0.05, before=lambda s: s.add("POST", "/endless", endless))
    under_way = asyncio.create_task(post(http, f"{server.url}endless"))
    await begun.wait()
    await server.stop()
    assert cancelled.is_set()
    with pytest.raises(aiohttp.ClientError):
        await under_way


async def post(http: aiohttp.ClientSession, address: str) -> str:
    async with http.post(address) as reply:
        return await reply.text()


def counted(server: Server) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["path"], sample.labels["status"]): sample.value
        for family in server._metrics.http_requests_total.collect()
        for sample in family.samples
    }


async def test_nonsense_on_the_wire_is_400_and_the_server_lives(make: Make, http: aiohttp.ClientSession) -> None:
    server = await make()
    for nonsense in (
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(nonsense)
        async with asyncio.timeout(10):
            assert (await reader.read(13)).startswith(b"HTTP/1.")
        writer.close()
    async with http.get(f"{server.url}healthz") as reply:
        assert json.loads(await reply.text()) == {"status": "ok"}
