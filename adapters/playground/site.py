"""The playground's page and its HTTP interface, for this machine alone.

GET  /                         the page                GET  /playground/events        what changes, as it does
GET  /playground/static/NAME   its parts               GET  /playground/api/inspect   the panel beside the chat
POST /playground/api/VERB      what a person does: messages, edits, deletions, reactions, clicks, reasons, stops
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Final, TypeAlias

from aiohttp import web

from adapters.playground.config import PlaygroundSettings
from adapters.playground.errors import PlatformRefusal
from adapters.playground.guard import HEADERS, guarded
from adapters.playground.ids import PEOPLE, ROOM, direct, message_ref
from adapters.playground.platform import Platform
from bot.adapter import HttpHandler, JsonValue
from bot.errors import Unavailable
from bot.events import MessageRef

Trace: TypeAlias = Callable[[MessageRef], Awaitable[Mapping[str, JsonValue] | None]]
Fields: TypeAlias = Mapping[str, object]

HEARTBEAT_SECONDS: Final = 15.0
TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class PlaygroundSite:
    """Handlers for the host's HTTP server; `trace` tells the panel what became of a question."""

    def __init__(self, settings: PlaygroundSettings, platform: Platform, trace: Trace) -> None:
        self._settings = settings
        self._platform = platform
        self._trace = trace
        self._verbs: Mapping[str, Callable[[Fields], str | None]] = {
            "messages": self._post,
            "edits": self._edit,
            "deletions": self._delete,
            "reactions": self._react,
            "clicks": self._click,
            "reasons": self._reason,
            "stops": self._stop,
        }

    def routes(self) -> list[tuple[str, str, HttpHandler]]:
        """Return method, path and handler of everything the page needs."""
        return [
            ("GET", "/", guarded(self._page)),
            ("GET", "/playground/static/{name}", guarded(self._static)),
            ("GET", "/playground/events", guarded(self._events)),
            ("GET", "/playground/api/inspect", guarded(self._inspect)),
            ("POST", "/playground/api/{verb}", guarded(self._act)),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return _file("index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _file(request.match_info["name"])

    async def _act(self, request: web.Request) -> web.StreamResponse:
        verb = self._verbs.get(request.match_info["verb"])
        if verb is None:
            return _sorry("There is no such action.", 404)
        if request.content_type != "application/json":
            return _sorry("Send JSON (Content-Type: application/json).", 415)
        try:
            fields = json.loads(await request.read())
            if not isinstance(fields, dict):
                raise PlatformRefusal("Send a JSON object.")
            message = verb(fields)
        except PlatformRefusal as error:
            return _sorry(str(error), error.status)
        except ValueError:
            return _sorry("This is not JSON.", 400)
        except (sqlite3.Error, OSError):
            return _sorry("The playground's file cannot be written; look at the space on the disk.", 503)
        return web.json_response({"message": message}, headers=HEADERS)

    async def _inspect(self, request: web.Request) -> web.StreamResponse:
        message = request.query.get("message", "")
        try:
            story = await self._trace(message_ref(self._platform.conversation_of(message), message))
        except PlatformRefusal as error:
            return _sorry(str(error), error.status)
        except Unavailable as error:
            return _sorry(str(error), 503)
        return web.json_response({"found": story}, headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers=HEADERS | {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        queue = self._platform.changes.subscribe()
        try:
            snapshot = self._snapshot()
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n")  # milliseconds until a browser that lost us tries again
            await _write(response, "snapshot", snapshot)
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        change = await queue.get()
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                if change is None:
                    break
                await _write(response, *change)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._platform.changes.unsubscribe(queue)
        return response

    def _snapshot(self) -> dict[str, object]:
        return {
            "docs": self._settings.docs,
            "suggestions": self._settings.suggestions,
            "people": [{"id": key, "name": name, "direct": direct(key)} for key, name in PEOPLE.items()],
            "room": ROOM,
            "messages": self._platform.snapshot(),
            "working": self._platform.signs(),
        }

    def _post(self, f: Fields) -> str:
        nonce = _word(f, "nonce") if "nonce" in f else None
        return self._platform.post(
            _word(f, "person"),
            _word(f, "conversation"),
            _thread(f),
            _words(f, "text"),
            nonce,
            pointing=_pointing(f.get("context")),
        )

    def _edit(self, f: Fields) -> None:
        self._platform.edit(_word(f, "person"), _word(f, "message"), _words(f, "text"))

    def _delete(self, f: Fields) -> None:
        self._platform.remove(_word(f, "person"), _word(f, "message"))

    def _react(self, f: Fields) -> None:
        self._platform.react(_word(f, "person"), _word(f, "message"), _word(f, "emoji"), f.get("added") is True)

    def _click(self, f: Fields) -> None:
        added = f.get("added") is not False
        self._platform.click(_word(f, "person"), _word(f, "message"), _word(f, "button"), added)

    def _reason(self, f: Fields) -> None:
        self._platform.give_reason(_word(f, "person"), _word(f, "message"), _words(f, "text"))

    def _stop(self, f: Fields) -> None:
        self._platform.stop(_word(f, "person"), _word(f, "conversation"), _thread(f))


def _word(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise PlatformRefusal(f"`{name}` is missing.")
    return value


def _words(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise PlatformRefusal(f"`{name}` is missing.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PlatformRefusal(f"`{name}` holds half a character.") from None
    return value


def _thread(fields: Fields) -> str | None:
    return None if fields.get("thread") is None else _word(fields, "thread")


def _pointing(context: object) -> tuple[str, str] | None:
    if context is None:
        return None
    if not isinstance(context, dict):
        raise PlatformRefusal("`context` is no object.")
    return _word(context, "kind"), _word(context, "message")


def _sorry(message: str, status: int) -> web.Response:
    return web.json_response({"error": message}, status=status, headers=HEADERS)


async def _write(response: web.StreamResponse, name: str, value: object) -> None:
    data = json.dumps(value, ensure_ascii=False)  # json escapes line ends, so it is one data line
    await response.write(f"event: {name}\ndata: {data}\n\n".encode())


def _file(name: str) -> web.Response:
    """Return a part of the page; only the names in the folder exist, so no path leads out of it."""
    known = {entry.name: entry for entry in files("adapters.playground").joinpath("static").iterdir()}
    kind = TYPES.get(name.rpartition(".")[2])
    if name not in known or kind is None:
        return _sorry("There is no such file.", 404)
    return web.Response(
        body=known[name].read_bytes(),
        content_type=kind,
        charset="utf-8",
        headers=HEADERS | {"Cache-Control": "no-cache"},
    )
