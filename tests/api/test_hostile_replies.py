"""Replies made to hurt: packed many times, preceded for ever, with ids and numbers of any size. Bounded, one error."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import suppress
from typing import Any

import pytest

from bot.api.assumptions import BODY_LIMIT, REQUEST_ID_CHARS
from bot.api.client import ApiClient
from bot.api.http import Slots, Timeouts
from bot.api.models import Figures
from bot.api.reading import INTERIM_REPLIES
from bot.errors import BotError, OutcomeUnknown, Rejected, Unavailable
from tests.api.conftest import MakeClient
from tests.api.server import ScriptedServer, raw, reply

MB = 1024 * 1024
RECEIPT = b'{"request_id": "r-1"}'
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def packed(size: int, times: int) -> bytes:
    """Pack blanks, and what came of it again."""
    packer = zlib.compressobj(wbits=31)
    body = b"".join(packer.compress(b" " * MB) for _ in range(size // MB)) + packer.flush()
    for _ in range(times - 1):
        body = gzip.compress(body)
    return body


async def error_of_submit(client: ApiClient) -> BotError:
    with pytest.raises(BotError) as caught:
        await client.submit("s-1", "Who?")
    return caught.value


@pytest.mark.parametrize(
    ("encoding", "times"),
    [("gzip", 1), ("x-gzip", 1), ("gzip, gzip", 2), ("gzip, gzip, gzip", 3), ("deflate, gzip", 1), ("br", 1)],
)
async def test_a_reply_that_unpacks_to_much_takes_little(
    server: ScriptedServer, client: ApiClient, encoding: str, times: int
) -> None:
    server.script(reply(202, packed(256 * MB, times), {"Content-Encoding": encoding}))
    tracemalloc.start()
    try:
        error = await error_of_submit(client)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(error) is Rejected
    assert (error.status, error.reason) == (202, "garbage")
    assert peak < 8 * BODY_LIMIT


async def test_one_encoding_is_read(server: ScriptedServer, client: ApiClient) -> None:
    deflated = zlib.compress(RECEIPT)
    for encoding, body in (
        ("gzip", gzip.compress(RECEIPT)),
        ("identity, GZIP", gzip.compress(RECEIPT)),
        ("deflate", deflated),
    ):
        server.script(reply(202, body, {"Content-Encoding": encoding}))
        assert (await client.submit("s-1", "Who?")).request_id == "r-1"
    assert server.requests[-1].headers["accept-encoding"] == "gzip"


async def test_a_packed_body_that_is_cut_or_never_unpacks_is_no_reply(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.script(reply(202, gzip.compress(RECEIPT)[:-9], {"Content-Encoding": "gzip"}))
    assert (await error_of_submit(client)).reason == "garbage"
    packer = zlib.compressobj(wbits=31)
    nothing = packer.compress(b"") + b"".join(packer.flush(zlib.Z_FULL_FLUSH) for _ in range(BODY_LIMIT // 5 + 1000))
    server.script(reply(202, nothing + b"\0" * BODY_LIMIT, {"Content-Encoding": "gzip"}))
    assert (await error_of_submit(client)).reason == "garbage"


async def test_endless_interim_replies_are_given_up(server: ScriptedServer, make_client: MakeClient) -> None:
    written = 0

    async def endlessly(connection: Any) -> None:
        nonlocal written
        while not connection.writer.is_closing():
            await connection.write(CONTINUE * 1000)
            written += 1000
            await asyncio.sleep(0)

    server.script(endlessly)
    client = make_client(timeouts=Timeouts(connect=5, read=30, total=60))
    async with asyncio.timeout(20):
        assert type(await error_of_submit(client)) is OutcomeUnknown
        with pytest.raises(Unavailable):
            await client.status("r-1")
    assert written < 1_000_000


@pytest.mark.parametrize(
    "interim", [CONTINUE, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 102 P\r\n\r\n"]
)
async def test_a_few_interim_replies_are_no_fault(server: ScriptedServer, client: ApiClient, interim: bytes) -> None:
    whole = b"HTTP/1.1 202 OK\r\nContent-Length: %d\r\n\r\n" % len(RECEIPT) + RECEIPT
    server.script(raw(interim * INTERIM_REPLIES + whole, then_cut=False))
    for _ in range(3):  # on the same connection, each counted anew
        assert (await client.submit("s-1", "Who?")).request_id == "r-1"
    assert server.connections == 1


@pytest.mark.parametrize("size", [REQUEST_ID_CHARS + 1, 100_000, 3_900_000])
async def test_a_request_id_of_any_size_is_an_unusable_reply(
    server: ScriptedServer, client: ApiClient, size: int
) -> None:
    server.script(reply(202, {"request_id": "x" * size}))
    error = await error_of_submit(client)
    assert type(error) is Rejected
    assert len(str(error)) < 200
    server.script(reply(202, {"request_id": "x" * REQUEST_ID_CHARS}))
    assert len((await client.submit("s-1", "Who?")).request_id) == REQUEST_ID_CHARS


@pytest.mark.parametrize("digits", [300, 400, 4_000, 5_000, 100_000])
@pytest.mark.parametrize("field", ["confidence_score", "status", "answer", "session_id", "anything"])
async def test_numbers_of_any_length_in_a_poll_are_no_surprise(
    server: ScriptedServer, client: ApiClient, digits: int, field: str
) -> None:
    body = b'{"status": "completed", "answer": "yes", "%s": %s}' % (field.encode(), b"9" * digits)
    server.script(reply(200, body))
    with suppress(Unavailable):  # one that JSON readers do not read
        found = await client.status("r-1")
        assert found.confidence_score is None or found.confidence_score < 1e301
    server.script(reply(202, b'{"request_id": "r", "%s": %s}' % (field.encode(), b"9" * digits)))
    with suppress(Rejected):
        assert (await client.submit("s-1", "Who?")).request_id == "r"


def test_figures_leave_out_what_no_computer_counts() -> None:
    assert Figures(values={"a": 10**400, "b": float("inf"), "c": float("nan"), "d": 2}).numbers() == {"d": 2.0}


async def test_calls_wait_for_a_place_in_order_before_they_begin() -> None:
    slots, order, release = Slots(2), list[int](), asyncio.Event()

    async def call(number: int) -> None:
        async def before() -> None:
            order.append(number)

        async with slots.after(before) as begin:
            await begin()
            await release.wait()

    tasks = [asyncio.create_task(call(number)) for number in range(6)]
    await asyncio.sleep(0.01)
    assert order == [0, 1], "what has no place has not begun"
    tasks[2].cancel()
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4, 5]
    async with slots.after(None) as begin, asyncio.timeout(1):
        await begin()


async def test_a_call_that_is_prevented_gives_its_place_back() -> None:
    async def never() -> None:
        raise ValueError

    slots = Slots(1)
    for _ in range(3):
        with pytest.raises(ValueError):
            async with slots.after(never) as begin:
                await begin()
    async with slots.after(None):
        pass  # a place that was never taken is not given back
    async with slots.after(None) as begin, slots.after(None) as more:
        await begin()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await more()
