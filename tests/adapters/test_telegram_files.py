"""Files and people: what Telegram gives a bot, whole or not at all, and never at the price of the token."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from adapters.telegram import files
from adapters.telegram.adapter import TelegramAdapter
from bot.adapter import FILE_BYTES
from bot.errors import BotError, Misconfigured, OutcomeUnknown, Rejected, Unavailable
from bot.events import File, Person
from bot.testing.live import running
from bot.testing.telegram.platform import BOT_ID, TOKEN, person
from tests.adapters.telegram_wire import ANNA, TelegramWire


@pytest.fixture
async def wire() -> AsyncIterator[TelegramWire]:
    async with TelegramWire() as wire:
        yield wire


async def stored(wire: TelegramWire, content: bytes = b"words", name: str = "a.txt") -> File:
    file = await wire.file_with(content, name)
    assert file is not None
    return file


async def refusal(wire: TelegramWire, file: File) -> BotError:
    """Open a file that cannot be had; what is raised must be ours and hold neither token nor address, anywhere."""
    with pytest.raises(BotError) as caught:
        await wire.build().open(file)
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN.partition(":")[2] not in told + repr(caught.value)
    assert caught.value.__context__ is None or TOKEN.partition(":")[2] not in repr(caught.value.__context__)
    return caught.value


@pytest.mark.parametrize("content", [b"", b"words", bytes(range(256)) * 4096, b"x" * FILE_BYTES])
async def test_a_file_comes_whole(wire: TelegramWire, content: bytes) -> None:
    file = await stored(wire, content)
    async with running(wire) as live:
        assert isinstance(live.adapter, TelegramAdapter)
        assert await live.do(live.adapter.open(file)) == content
    assert await wire.build().open(file) == content, "also where nothing runs"
    assert len(wire.telegram.called("download")) == 2, "not one attempt each"


@pytest.mark.parametrize("name", ["für dich?#%2e&+.txt", "http:\\\\host\\a", "@host:80", "C:\\a"])
async def test_a_path_of_odd_letters_is_a_path(wire: TelegramWire, name: str) -> None:
    file = await stored(wire)
    wire.telegram.world.files[file.file_id].path = f"documents/{name}"
    assert await wire.build().open(file) == b"words"


@pytest.mark.parametrize("more", [1, 20 * 1024 * 1024])
async def test_a_file_over_the_bound_is_not_fetched(wire: TelegramWire, more: int) -> None:
    """By what getFile says of its size, and by Telegram's own limit of 20 MB."""
    error = await refusal(wire, replace(await stored(wire, b"x" * (FILE_BYTES + more)), size=5))
    assert isinstance(error, Rejected)
    assert error.reason == "too_large"
    assert not wire.telegram.called("download")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_without_end_is_cut_off(wire: TelegramWire, declared: bool) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        headers = {"Content-Length": str(10**12)} if declared else {}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1_000_000)
            sent += 1

    wire.telegram.downloads = endless
    error = await refusal(wire, await stored(wire))
    assert isinstance(error, Rejected)
    assert error.reason == "too_large"
    assert sent < 40


async def test_a_small_body_is_not_unpacked_into_a_large_one(wire: TelegramWire) -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    wire.telegram.downloads = packed
    error = await refusal(wire, await stored(wire))
    assert isinstance(error, Rejected)
    assert error.reason == "not_a_file"


@pytest.mark.parametrize("silent_at", ["getFile", "download", "body"])
async def test_what_takes_too_long_is_given_up(
    wire: TelegramWire, monkeypatch: pytest.MonkeyPatch, silent_at: str
) -> None:
    monkeypatch.setattr(files, "FILE_SECONDS", 0.3)
    never = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if silent_at == "body":
            await response.prepare(request)
            await response.write(b"x")
        await never.wait()
        return response

    wire.telegram.downloads = slow
    if silent_at == "getFile":
        wire.telegram.held["getFile"] = never
    error = await refusal(wire, await stored(wire))
    never.set()
    assert type(error) is Unavailable
    assert error.reason == "timeout"


@asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Serve another host, which remembers who came."""
    requests: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        requests.append(request)
        return web.Response(body=b"words")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(wire: TelegramWire, status: int) -> None:
    async with elsewhere() as (address, requests):

        async def redirect(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": address + request.path})

        wire.telegram.downloads = redirect
        error = await refusal(wire, await stored(wire))
        assert isinstance(error, Rejected)
        assert error.reason == "redirect"
        assert not requests


@pytest.mark.parametrize(
    "path",
    ["../getMe", "documents/../../bot/getMe", "documents//a", "./a", "", "a/", None, 7, ["a"]],
)
async def test_a_path_that_is_no_files_is_not_asked_for(wire: TelegramWire, path: Any) -> None:
    file = await stored(wire)
    wire.telegram.world.files[file.file_id].path = path
    error = await refusal(wire, file)
    assert isinstance(error, Rejected)
    assert error.reason == "file_gone"
    assert not wire.telegram.called("download")


@pytest.mark.parametrize("scheme", ["http:", ""])
async def test_a_path_leads_to_no_other_host(wire: TelegramWire, scheme: str) -> None:
    file = await stored(wire)
    async with elsewhere() as (address, requests):
        wire.telegram.world.files[file.file_id].path = scheme + address.removeprefix("http:") + "/a"
        assert isinstance(await refusal(wire, file), Rejected | Misconfigured)
        assert not requests


async def test_a_server_in_local_mode_is_named(wire: TelegramWire) -> None:
    file = await stored(wire)
    wire.telegram.world.files[file.file_id].path = "/var/lib/telegram-bot-api/documents/a.txt"
    error = await refusal(wire, file)
    assert isinstance(error, Misconfigured)
    assert "TELEGRAM_API_URL" in str(error)


@pytest.mark.parametrize(
    ("file", "opened"),
    [({}, False), ({"media_type": "text/html; charset=utf-8"}, True), ({"name": "page.HTML"}, True)],
)
async def test_a_page_instead_of_a_file_is_refused(wire: TelegramWire, file: dict[str, str], opened: bool) -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        return web.Response(text="<form>Please log in</form>", content_type="text/html")

    wire.telegram.downloads = page
    asked = replace(await stored(wire), **file)  # type: ignore[arg-type] # texts alone
    if opened:
        assert await wire.build().open(asked) == b"<form>Please log in</form>"
    else:
        error = await refusal(wire, asked)
        assert isinstance(error, Rejected)
        assert error.reason == "not_a_file"


@pytest.mark.parametrize(
    ("method", "how", "kind", "reason"),
    [
        ("download", 401, Misconfigured, "token"),
        ("download", 403, Rejected, "file_gone"),
        ("download", 404, Rejected, "file_gone"),
        ("download", 429, Unavailable, "rate_limited"),
        ("download", 500, Unavailable, "server_error"),
        ("download", 504, Unavailable, "server_error"),
        ("download", "html", Unavailable, "server_error"),
        ("download", "cut", Unavailable, "connection"),
        ("getFile", 500, Unavailable, "server_error"),
        ("getFile", "cut", OutcomeUnknown, "connection"),
        ("getFile", "garbage", OutcomeUnknown, "garbage"),
        ("getFile", "empty", OutcomeUnknown, "garbage"),
        ("getFile", "bad_token", Misconfigured, "token"),
        ("getFile", "rate_limited", Unavailable, "rate_limited"),
    ],
)
async def test_each_failure_is_one_of_ours(
    wire: TelegramWire, method: str, how: Any, kind: type[BotError], reason: str
) -> None:
    wire.telegram.fail(how, method=method)
    error = await refusal(wire, await stored(wire))
    assert type(error) is kind
    assert error.reason == reason


async def test_a_body_that_is_cut_is_no_file(wire: TelegramWire) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    wire.telegram.downloads = cut
    assert type(await refusal(wire, await stored(wire))) is Unavailable


async def test_nobody_listens(wire: TelegramWire) -> None:
    file = await stored(wire)
    await wire.fail("refused")
    assert type(await refusal(wire, file)) is Unavailable


async def test_a_file_that_is_not_there_or_not_ours(wire: TelegramWire) -> None:
    file = await stored(wire)
    for wrong in (replace(file, file_id="nonsense"), replace(file, file_id=""), replace(file, account_id="1")):
        error = await refusal(wire, wrong)
        assert isinstance(error, Rejected)
        assert not wire.telegram.called("download")


async def test_the_address_is_in_no_log(wire: TelegramWire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    file = await stored(wire)
    adapter = wire.build()
    await adapter.open(file)
    wire.telegram.fail("cut", method="download")
    await refusal(wire, file)
    assert TOKEN.partition(":")[2] not in caplog.text


async def test_a_person_has_a_name(wire: TelegramWire) -> None:
    world = wire.telegram.world
    world.private({**person(8, " Ben\n", "ben"), "last_name": "  Adler "})
    world.words(world.group("Team"), person(9, "Cem"), "Hello")
    adapter = wire.build()
    assert await adapter.person(str(BOT_ID), str(ANNA["id"])) == Person(name="Anna")
    assert await adapter.person(str(BOT_ID), "8") == Person(name="Ben Adler")
    assert await adapter.person(str(BOT_ID), "9") == Person(name="Cem"), "met in a group"


async def test_who_is_nobody_has_none(wire: TelegramWire) -> None:
    """Strangers, groups that write as themselves, deleted accounts, what is no id, and people of another bot."""
    world = wire.telegram.world
    world.private(person(8, "\u2060 \u3164"))
    adapter = wire.build()
    for user_id in ("12345", str(wire.forum.id), "8", "", "x", "-", "٧", "7 ", "9" * 40):
        assert await adapter.person(str(BOT_ID), user_id) is None, user_id
    assert await adapter.person("1", str(ANNA["id"])) is None


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("cut", OutcomeUnknown),
        ("garbage", OutcomeUnknown),
        ("empty", OutcomeUnknown),
        (500, Unavailable),
        ("rate_limited", Unavailable),
        ("bad_token", Misconfigured),
    ],
)
async def test_who_cannot_be_asked_for_now_is_not_nobody(wire: TelegramWire, how: Any, kind: type[BotError]) -> None:
    wire.telegram.fail(how, method="getChat")
    with pytest.raises(BotError) as caught:
        await wire.build().person(str(BOT_ID), str(ANNA["id"]))
    assert type(caught.value) is kind


async def test_what_was_said_before_cannot_be_told(wire: TelegramWire) -> None:
    assert await wire.build().earlier(wire.thread, wire.question, 20) is None
    assert await wire.thread_with_history() is None
