"""The loopback Telegram as a process of its own, and the few HTTP calls that a test of crashes plays it with.

POST /control/say    {"user": 7, "text": …, "group"?: true, "thread"?: …, "reply_to"?: …}  → the message
POST /control/react  {"user": 7, "chat": …, "message": …, "emoji": ["👍"]}                 → {"told": true}
POST /control/raw    a whole update, delivered as it is                                    → {}
POST /control/fail   {"how": "cut_after_write", "method": "sendMessage", "times": 1}       → {}
GET  /control/state  → {"pending": […], "sent": [messages], "deleted": […], "calls": {…}, "flood": 0, "log": […]}
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections import Counter

from aiohttp import web

from bot.testing.telegram.flood import Flood
from bot.testing.telegram.platform import FakeTelegram
from bot.testing.telegram.text import JSON
from bot.testing.telegram.world import Chat, person


class ControlledTelegram(FakeTelegram):
    """A FakeTelegram with the control calls; people are made when they first speak, and there is one group."""

    def __init__(self, *, flood: Flood | None = None, port: int = 0) -> None:
        super().__init__(flood=flood, port=port)
        self._group: Chat | None = None

    def add_routes(self, app: web.Application) -> None:
        """Serve /control beside the Bot API."""
        app.router.add_post("/control/say", self._say)
        app.router.add_post("/control/react", self._react)
        app.router.add_post("/control/raw", self._raw)
        app.router.add_post("/control/fail", self._fail)
        app.router.add_get("/control/state", self._state)

    async def _say(self, request: web.Request) -> web.Response:
        order: JSON = await request.json()
        who = person(order["user"], f"Person {order['user']}")
        if order.get("group"):
            self._group = self._group or self.world.group()
            chat = self._group
        else:
            chat = self.world.private(who)
        options = {key: order[key] for key in ("thread", "reply_to") if key in order}
        return web.json_response(await self.world.say(chat, who, order["text"], **options))

    async def _react(self, request: web.Request) -> web.Response:
        order: JSON = await request.json()
        who = person(order["user"], f"Person {order['user']}")
        told = await self.world.react(self.world.chats[order["chat"]], order["message"], who, *order["emoji"])
        return web.json_response({"told": told})

    async def _raw(self, request: web.Request) -> web.Response:
        await self.updates.put(await request.json())
        return web.json_response({})

    async def _fail(self, request: web.Request) -> web.Response:
        order: JSON = await request.json()
        self.fail(order["how"], method=order.get("method", "*"), times=order.get("times"))
        return web.json_response({})

    async def _state(self, request: web.Request) -> web.Response:
        state = {
            "pending": sorted(self.updates.pending),
            "sent": self.world.by_bot(),
            "deleted": self.world.deleted,
            "calls": dict(Counter(call.method for call in self.calls)),
            "flood": self.flood.refusals if self.flood else 0,
            "log": [str(call) for call in self.calls],
        }
        return web.json_response(state)


async def serve(port: int, scale: float | None) -> None:
    """Serve until killed; prints the address as the first line."""
    flood = None if scale is None else Flood(scale)
    async with ControlledTelegram(flood=flood, port=port) as telegram:
        print(telegram.url, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(description="A loopback Bot API for one bot.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--flood", type=float, default=None, help="scale of flood control; 1 for Telegram's own times")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.flood))


if __name__ == "__main__":
    main()
