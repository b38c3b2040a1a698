"""What can go wrong with one attempt, on the wire, and the error it becomes: promise 2 hangs on every line."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import traceback
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from bot.api.assumptions import BODY_LIMIT
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.api.http import Timeouts
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.telemetry.metrics import Metrics
from tests.api.conftest import KEY, MakeClient
from tests.api.server import Action, ScriptedServer, cut, endless, raw, reply, stall

Call = Callable[[ApiClient], Awaitable[object]]

READ: Call = lambda c: c.status("req-1")  # noqa: E731
SUBMIT: Call = lambda c: c.submit("s-1", "Where is the QUESTIONTEXT?")  # noqa: E731
FEEDBACK: Call = lambda c: c.feedback("s-1", "req-1", "good")  # noqa: E731
CLOSE: Call = lambda c: c.close_session("s-1")  # noqa: E731
CALLS = {"read": READ, "submit": SUBMIT, "feedback": FEEDBACK, "close": CLOSE}
WRITES = ("submit", "feedback", "close")

IMPATIENT = Timeouts(connect=10.0, read=0.25, total=10.0)


async def error_of(client: ApiClient, call: Call) -> BotError:
    with pytest.raises(BotError) as caught:
        await call(client)
    return caught.value


def requests_of(metrics: Metrics, endpoint: str, status: str) -> float:
    return (
        metrics.registry.get_sample_value("uppzy_bot_api_requests_total", {"endpoint": endpoint, "status": status})
        or 0.0
    )


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [500, 502, 503, 599])
async def test_server_error_is_not_accepted(server: ScriptedServer, client: ApiClient, name: str, status: int) -> None:
    server.script(reply(status, b"<html>oops</html>", {"Retry-After": "7"}))
    error = await error_of(client, CALLS[name])
    assert type(error) is Unavailable
    assert (error.status, error.reason, error.retry_after) == (status, "server_error", 7.0)
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_504_is_unknown_for_what_writes(server: ScriptedServer, client: ApiClient, name: str) -> None:
    server.script(reply(504))
    error = await error_of(client, CALLS[name])
    assert type(error) is (OutcomeUnknown if name in WRITES else Unavailable)
    assert error.status == 504


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "99999999"}, 900.0),
        ({"Retry-After": "1000000000000"}, 900.0),
        ({"Retry-After": "9" * 400}, 900.0),
        ({"Retry-After": "1e308"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "Tue, 01 Jan 2999 00:00:00 GMT"}, 900.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2020 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "Fri, 99 Foo 2026 99:99:99 GMT"}, None),
    ],
)
async def test_429_says_how_long(
    server: ScriptedServer, client: ApiClient, name: str, headers: dict[str, str], seconds: float | None
) -> None:
    server.script(reply(429, {"error": "slow down"}, headers))
    error = await error_of(client, CALLS[name])
    assert type(error) is Unavailable
    assert (error.status, error.reason, error.retry_after) == (429, "rate_limited", seconds)
    assert not client.gate.is_open
    assert client.gate.reason == "rate_limited"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [401, 403, 404])
async def test_access_is_misconfigured(
    server: ScriptedServer, client: ApiClient, metrics: Metrics, name: str, status: int
) -> None:
    server.script(reply(status, {"error": "request not found"}))
    error = await error_of(client, CALLS[name])
    assert type(error) is Misconfigured
    assert error.status == status
    assert client.gate.is_open


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [400, 402, 405, 408, 409, 410, 413, 422, 425])
async def test_other_4xx_is_rejected(server: ScriptedServer, client: ApiClient, name: str, status: int) -> None:
    server.script(reply(status, {"error": "QUESTIONTEXT is bad"}))
    error = await error_of(client, CALLS[name])
    assert type(error) is Rejected
    assert error.status == status
    assert "QUESTIONTEXT" not in str(error)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_refused_and_not_followed(
    server: ScriptedServer, client: ApiClient, name: str, status: int
) -> None:
    server.script(reply(status, b"", {"Location": f"{server.base_url}/elsewhere"}))
    error = await error_of(client, CALLS[name])
    assert type(error) is Misconfigured
    assert (error.status, error.reason) == (status, "redirect")
    assert [r.path for r in server.requests if r.path == "/elsewhere"] == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", CALLS)
async def test_refused_connection_is_not_accepted(make_client: MakeClient, metrics: Metrics, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await error_of(make_client(f"http://127.0.0.1:{taken.getsockname()[1]}"), CALLS[name])
    assert type(error) is Unavailable
    assert (error.status, error.reason) == (None, "connection")


@pytest.mark.parametrize("name", CALLS)
async def test_unknown_host_is_not_accepted(make_client: MakeClient, name: str) -> None:
    error = await error_of(make_client("https://api.nowhere.invalid/v1"), CALLS[name])
    assert type(error) is Unavailable
    assert error.reason == "connection"


@pytest.mark.parametrize("name", CALLS)
async def test_tls_failure_is_not_accepted(server: ScriptedServer, make_client: MakeClient, name: str) -> None:
    """The server speaks plain HTTP; the handshake fails before a byte of the request is written."""
    server.script(raw(b"HTTP/1.1 400 Bad\r\n\r\n"))
    listener = await asyncio.start_server(_babble, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    error = await error_of(make_client(f"https://127.0.0.1:{port}"), CALLS[name])
    listener.close()
    await listener.wait_closed()
    assert type(error) is Unavailable
    assert error.reason == "connection"


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
    writer.close()


@pytest.mark.parametrize("name", CALLS)
async def test_connect_timeout_is_not_accepted(make_client: MakeClient, metrics: Metrics, name: str) -> None:
    """The kernel accepts the connection, nobody ever answers the TLS handshake."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        quick = Timeouts(connect=0.25, read=10.0, total=10.0)
        client = make_client(f"https://127.0.0.1:{silent.getsockname()[1]}", timeouts=quick)
        error = await error_of(client, CALLS[name])
    assert type(error) is Unavailable
    assert error.reason == "connection"


AFTER_WRITING: dict[str, Action] = {
    "cut": cut(),
    "closed": raw(b""),
    "half a head": raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "not http": raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "half a body": raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"request_id":'),
    "half a chunk": raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"request_id"'),
    "bad chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "silence": stall(),
    "half a head, then silence": stall(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body, then silence": stall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"request_id":'),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("how", AFTER_WRITING)
async def test_unfinished_after_writing_is_unknown(
    server: ScriptedServer, make_client: MakeClient, name: str, how: str
) -> None:
    server.script(AFTER_WRITING[how])
    client = make_client(timeouts=IMPATIENT if "silence" in how else None)
    error = await error_of(client, CALLS[name])
    assert type(error) is (OutcomeUnknown if name in WRITES else Unavailable)
    assert error.reason == ("timeout" if "silence" in how else "connection")
    assert len(server.requests) == 1, "one HTTP attempt per call"


async def test_cut_before_the_body_was_read_is_unknown(server: ScriptedServer, client: ApiClient) -> None:
    server.read_body = False
    server.script(cut())
    error = await error_of(client, lambda c: c.submit("s-1", "x" * 3_000_000))
    assert type(error) is OutcomeUnknown


async def test_a_trickle_ends_with_the_total_timeout(server: ScriptedServer, make_client: MakeClient) -> None:
    async def trickle(connection: Any) -> None:
        await connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not connection.writer.is_closing():
            await connection.write(b" ")
            await asyncio.sleep(0.02)

    server.script(trickle)
    client = make_client(timeouts=Timeouts(connect=5, read=5, total=0.4))
    assert (await error_of(client, SUBMIT)).reason == "timeout"
    assert type(await error_of(client, READ)) is Unavailable


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html></html>", b"\xff\xfe", b'{"a":', b'"text"', b"[" * 100_000]
)
async def test_unreadable_body(server: ScriptedServer, client: ApiClient, name: str, body: bytes) -> None:
    server.script(reply(200, body))
    if name == "close":
        await CLOSE(client)
        return
    error = await error_of(client, CALLS[name])
    expected: dict[str, type[BotError]] = {"read": Unavailable, "submit": Rejected, "feedback": OutcomeUnknown}
    assert type(error) is expected[name]
    assert (error.status, error.reason) == (200, "garbage")


@pytest.mark.parametrize("body", [{}, {"request_id": ""}, {"request_id": None}, {"request_id": 7}, {"status": "ok"}])
async def test_a_whole_receipt_without_request_id_ends_it(
    server: ScriptedServer, client: ApiClient, body: object
) -> None:
    server.script(reply(202, body))
    error = await error_of(client, SUBMIT)
    assert type(error) is Rejected
    assert error.status == 202


@pytest.mark.parametrize("name", ["read", "submit", "feedback"])
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
    ],
)
async def test_a_huge_body_is_not_read_to_its_end(
    server: ScriptedServer, client: ApiClient, name: str, head: bytes
) -> None:
    server.script(endless(head))
    error = await error_of(client, CALLS[name])
    assert (error.status, error.reason) == (200, "garbage")
    assert isinstance(error, Rejected) == (name == "submit")


async def test_the_largest_body_is_read(server: ScriptedServer, client: ApiClient) -> None:
    answer = "x" * (BODY_LIMIT - 100)
    server.script(reply(200, {"status": "completed", "answer": answer}))
    assert (await client.status("r")).answer == answer


async def test_a_bomb_is_not_unpacked(server: ScriptedServer, client: ApiClient) -> None:
    import zlib

    packed = zlib.compress(b" " * (64 * 1024 * 1024))
    server.script(reply(200, packed, {"Content-Encoding": "deflate"}))
    assert (await error_of(client, READ)).reason == "garbage"
    server.script(reply(200, b"not packed", {"Content-Encoding": "gzip"}))
    assert (await error_of(client, READ)).reason == "garbage"


@pytest.mark.parametrize("name", ["read", "submit"])
async def test_an_error_whose_body_stalls_or_is_cut_keeps_its_status(
    server: ScriptedServer, make_client: MakeClient, name: str
) -> None:
    client = make_client()
    for action in (
        raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{"),
        stall(b"HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\n{"),
        endless(b"HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n"),
    ):
        server.script(action)
        error = await error_of(client, CALLS[name])
        assert type(error) is Rejected
        assert error.status == 400


async def test_metrics_count_every_end(server: ScriptedServer, make_client: MakeClient, metrics: Metrics) -> None:
    client = make_client()
    server.script(reply(202, {"request_id": "r"}), reply(500), cut(), reply(200, b"?"), stall())
    await SUBMIT(client)
    for _ in range(3):
        await error_of(client, SUBMIT)
    await error_of(make_client(timeouts=IMPATIENT), SUBMIT)
    for status, count in {"202": 1, "500": 1, "connection": 1, "timeout": 1, "200": 1}.items():
        assert requests_of(metrics, "chat_async", status) == count, status
    seconds = metrics.registry.get_sample_value("uppzy_bot_api_request_seconds_count", {"endpoint": "chat_async"})
    assert seconds == 5


async def test_a_cancelled_call_leaves_nothing_behind(server: ScriptedServer, client: ApiClient) -> None:
    server.script(stall())
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(SUBMIT(client))
    while not server.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert {t for t in asyncio.all_tasks() - before if t not in server.tasks} == set()
    assert client.gate.is_open


def everything_reachable(error: BaseException) -> list[str]:
    """Write out what a logger or a debugger might show of an error: chain, arguments, variables of its frames."""
    shown: list[str] = ["".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())]
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        current = queue.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        shown += [repr(current), str(current), repr(vars(current))]
        frames = current.__traceback__
        while isinstance(frames, types.TracebackType):
            if "/tests/" not in frames.tb_frame.f_code.co_filename:
                shown += [repr(value) for value in frames.tb_frame.f_locals.values()]
            frames = frames.tb_next
        queue += [current.__cause__, current.__context__]
    return shown


@pytest.mark.parametrize("name", CALLS)
async def test_the_key_shows_nowhere(
    server: ScriptedServer, make_client: MakeClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(timeouts=IMPATIENT)
    shown = [repr(client), str(vars(client)), str(vars(client._caller)), repr(client.gate)]
    quick = [action for how, action in AFTER_WRITING.items() if "then silence" not in how]
    actions = [*quick, reply(401, {"error": "invalid_api_key"}), reply(500), reply(302)]
    for action in actions:
        server.script(action)
        client.gate = Gate()
        error = await error_of(client, CALLS[name])
        assert error.__cause__ is None
        assert error.__context__ is None
        shown += everything_reachable(error)
    assert server.requests[0].headers["x-api-key"] == KEY, "the test looks for what was sent"
    assert not [text for text in shown if KEY in text]
    assert KEY not in caplog.text
    assert "QUESTIONTEXT" not in caplog.text


@pytest.mark.parametrize("key", ["", "with space", "ключ", "line\nbreak", "tab\t"])
def test_a_key_that_cannot_be_sent_is_refused_without_naming_it(key: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        ApiClient(base_url="https://api.example.com", api_key=SecretStr(key), tenant_id="t", site_id="s", gate=Gate())
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://api.example.com", "ftp://127.0.0.1", "api.example.com", "https://", "http://127.0.0.1.example.com"]
)
def test_only_https_or_loopback(url: str) -> None:
    with pytest.raises(Misconfigured, match="UPPZY_BASE_URL"):
        ApiClient(base_url=url, api_key=SecretStr("k"), tenant_id="t", site_id="s", gate=Gate())


@pytest.mark.parametrize("request_id", ["", ".", ".."])
async def test_an_id_is_never_a_path(client: ApiClient, request_id: str) -> None:
    assert type(await error_of(client, lambda c: c.status(request_id))) is Rejected


async def test_shared_transport_stays_open(server: ScriptedServer) -> None:
    from bot.api.http import shared_http

    http = shared_http(server.base_url)
    gate = Gate()
    server.script(reply(200, {}))
    for site in ("a", "b"):
        client = ApiClient(
            base_url=server.base_url, api_key=SecretStr("k"), tenant_id="t", site_id=site, gate=gate, http=http
        )
        await client.site()
        await client.aclose()
    assert server.connections == 1
    await http.aclose()
    gc.collect()


async def test_cookies_are_not_kept(server: ScriptedServer, client: ApiClient) -> None:
    server.script(reply(200, {}, {"Set-Cookie": "tenant=1; Path=/"}))
    await client.site()
    await client.site()
    assert "cookie" not in server.requests[1].headers
