"""A loopback Telegram: the Bot API over HTTP for one bot, and people who talk to it.

    async with FakeTelegram() as telegram:
        settings = TelegramSettings.model_validate(telegram.environment())
        anna = person(7, "Anna")
        await telegram.world.say(telegram.world.private(anna), anna, "What is it?")
        await telegram.wait_for(lambda: telegram.world.by_bot())

As a process, for tests that kill the bot: `python -m bot.testing.telegram.platform --port 8443`; see
`control.py`.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias

from aiohttp import web

from bot.testing.telegram.arguments import BotApiError
from bot.testing.telegram.flood import Flood
from bot.testing.telegram.methods import Methods
from bot.testing.telegram.text import JSON
from bot.testing.telegram.updates import Updates
from bot.testing.telegram.world import Chat, World, person

__all__ = ["BotApiError", "Call", "Chat", "FakeTelegram", "Fault", "person"]

TOKEN: Final = "4242:AAF-loopback_Token-0123456789abcdefghi"
BOT_ID: Final = 4242
USERNAME: Final = "Test_bot"

Fault: TypeAlias = Literal[
    "cut",
    "cut_after_write",
    "rate_limited",
    "bad_token",
    "gone",
    "moved",
    "garbage",
    "empty",
    "html",
    "packed",
    "endless",
]
"""How a call fails: `cut` before anything is done, `cut_after_write` after it is done, `garbage`, `empty` and `html`
answer 200 with no JSON, with JSON without a result, 502 with a page; the rest as the Bot API says it."""


@dataclass(slots=True)
class Call:
    """One request as it came over the wire, and the status of the answer: 0 when it was cut, None while under way."""

    method: str
    arguments: JSON
    status: int | None = None

    def __str__(self) -> str:
        shown = json.dumps(self.arguments, ensure_ascii=False)
        return f"{self.method} {shown if len(shown) < 300 else shown[:297] + '…'} → {self.status}"


class FakeTelegram:
    """A server with one bot. `calls`: every request. `flood`: None for none. `port`: kept over `stop` and
    `start`."""

    def __init__(self, *, flood: Flood | None = None, port: int = 0, token: str = TOKEN) -> None:
        self.token = token
        self.updates = Updates()
        self.world = World(int(token.partition(":")[0]), USERNAME, self.updates)
        self.methods = Methods(self.world, self.updates, flood)
        self.flood = flood
        self.calls: list[Call] = []
        self.port = port
        self.retry_after = 7.0
        self.delay = 0.0
        self.held: dict[str, asyncio.Event] = {}
        """Method → what to wait for between doing a call and answering it."""
        self.downloads: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        """What answers a download instead of the file; None for the file."""
        self.watch: Callable[[str, Literal["asked", "done"]], None] | None = None
        """Called with the method when a call has come, and when it is done and not yet answered."""
        self._faults: dict[str, list[Fault | int | None]] = {}
        self._always: dict[str, Fault | int] = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def listening(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings of a bot that talks to this server."""
        return {"TELEGRAM_BOT_TOKEN": self.token, "TELEGRAM_API_URL": self.url, **more}

    def fail(self, how: Fault | int | None, *, method: str = "*", times: int | None = None) -> None:
        """Fail calls of a method (of all with `*`) that way or with that HTTP status: the next `times`, or from now on.

        None ends it.
        """
        if how is None:
            self._always.pop(method, None)
            self._faults.pop(method, None)
        elif times is None:
            self._always[method] = how
        else:
            self._faults.setdefault(method, []).extend([how] * times)

    def called(self, method: str) -> list[Call]:
        """List the calls of one method."""
        return [call for call in self.calls if call.method == method]

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 20.0) -> None:
        """Wait until it is true; fail with the calls so far otherwise."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not predicate():
            if loop.time() >= deadline:
                seen = "\n".join(str(call) for call in self.calls[-40:])
                raise AssertionError(f"not so after {timeout} s; the last calls:\n{seen}")
            await asyncio.sleep(0.01)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.updates.close()
        await self.stop()

    async def start(self) -> None:
        """Listen, at the same port as before."""
        app = web.Application(client_max_size=50 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_route("*", "/file/bot{token}/{path:.*}", self._download)
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def add_routes(self, app: web.Application) -> None:
        """Let a subclass serve more, such as the control of a process."""

    async def stop(self) -> None:
        """Listen no more: connections are refused, those that stand are cut."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        arguments: JSON = dict(request.query)
        if request.content_type == "application/json":
            arguments |= await request.json()
        else:
            arguments |= dict(await request.post())
        call = Call(request.match_info["method"], arguments)
        self.calls.append(call)
        if self.watch is not None:
            self.watch(call.method, "asked")
        if self.delay:
            await asyncio.sleep(self.delay)
        if request.match_info["token"] != self.token:
            return self._refuse(call, BotApiError(401, "Unauthorized"))
        fault = self._fault(call.method)
        try:
            if isinstance(fault, int):
                raise BotApiError(fault, "Internal Server Error")
            if fault is not None and (answer := self._broken(call, fault, request)) is not None:
                return answer
            result = await self.methods.call(call.method, arguments)
            if self.watch is not None:
                self.watch(call.method, "done")
            if call.method in self.held:
                await self.held[call.method].wait()
        except BotApiError as error:
            return self._refuse(call, error)
        if fault is not None:
            return self._cut(call, request)
        call.status = 200
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Give a file that getFile has told of, as a call of the name `download`."""
        call = Call("download", {"path": request.match_info["path"], **request.query})
        self.calls.append(call)
        fault = self._fault(call.method)
        try:
            if request.match_info["token"] != self.token:
                raise BotApiError(401, "Unauthorized")
            if request.method != "GET" or request.query_string:
                raise BotApiError(404, "Not Found")
            if isinstance(fault, int):
                raise BotApiError(fault, "Internal Server Error")
            if fault is not None:
                return self._broken(call, fault, request) or self._cut(call, request)
            path = request.match_info["path"]
            file = next((file for file in self.world.files.values() if file.told and file.path == path), None)
            if self.downloads is None and file is None:
                raise BotApiError(404, "Not Found")
        except BotApiError as error:
            return self._refuse(call, error)
        if self.downloads is not None:
            return await self.downloads(request)
        assert file is not None
        call.status = 200
        return web.Response(body=file.content, content_type="application/octet-stream")

    def _fault(self, method: str) -> Fault | int | None:
        for name in (method, "*"):
            if line := self._faults.get(name):
                return line.pop(0)
            if name in self._always:
                return self._always[name]
        return None

    def _broken(self, call: Call, fault: Fault, request: web.Request) -> web.StreamResponse | None:
        """Make the answer of a fault; None when the call is to be done first."""
        match fault:
            case "cut":
                return self._cut(call, request)
            case "rate_limited":
                seconds = self.retry_after
                if seconds < 1e300 and seconds == int(seconds):
                    seconds = int(seconds)
                raise BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
            case "bad_token":
                raise BotApiError(401, "Unauthorized")
            case "gone":
                raise BotApiError(403, "Forbidden: bot was blocked by the user")
            case "moved":
                description = "Bad Request: group chat was upgraded to a supergroup chat"
                raise BotApiError(400, description, migrate_to_chat_id=-1_001_999_999_999)
            case "garbage":
                call.status = 200
                return web.Response(text='{"ok": tru')
            case "empty":
                call.status = 200
                return web.json_response({"ok": True})
            case "html":
                call.status = 502
                return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
            case "packed":
                call.status = 200
                return web.Response(body=gzip.compress(b" " * 1_000_000), headers={"Content-Encoding": "gzip"})
            case "endless":
                call.status = 200
                return web.Response(body=_blanks(), content_type="application/json")
            case "cut_after_write":
                return None

    def _cut(self, call: Call, request: web.Request) -> web.StreamResponse:
        call.status = 0
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _refuse(self, call: Call, error: BotApiError) -> web.StreamResponse:
        call.status = error.code
        body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
        if error.parameters:
            body["parameters"] = error.parameters
        return web.json_response(body, status=error.code)


async def _blanks() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536


if __name__ == "__main__":
    from bot.testing.telegram.control import main

    main()
