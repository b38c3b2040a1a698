"""The demo: the bot on a page, with an assistant of its own on a free loopback port, answering from a folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.app import Page, running, settle, stop_signal
from bot.config import Config, installed, load_object
from bot.render import parse, plain
from bot.web.preview import MAX_MARKDOWN, PREVIEW_POLICY, SAMPLE, plain_column, preview_page

PLAYGROUND = "playground"
"""The channel that is the demo's page."""
DATA = Path("data")
SUGGESTIONS = (
    "How long do I have to send something back?",
    "How much is an e-bike for a whole day?",
    "How long does a repair take?",
    "Who won the last election?",
)
"""Questions about the sample documents, and one that they do not answer."""
DELAY = 1.2
"""Seconds the demo's assistant takes, so that the sign of work can be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """`docs` is the folder answers come from, None for the samples; `rough` lets the assistant misbehave.

    `channels`: the channels whose tokens are set are started too.
    """

    docs: Path | None = None
    channels: bool = False
    rough: bool = False


async def run(config: Config, options: DemoOptions) -> None:
    """Run the bot as the demo does, until it is told to stop; its address is the first line printed."""
    stop = stop_signal()
    async with AsyncExitStack() as stack:
        config = await _prepare(config, options, stack)
        bot = await stack.enter_async_context(running(config, pages=_preview_pages()))
        settle(bot)
        print(bot.web.url, flush=True)  # noqa: T201  # the first line a person or a script waits for
        await stop.wait()


async def _prepare(config: Config, options: DemoOptions, stack: AsyncExitStack) -> Config:
    """Start the assistant, which is closed with the stack; return the settings of a bot that asks it, on the page."""
    from bot.assistant.server import SAMPLES, AssistantOptions, start

    docs = options.docs or _own_samples(SAMPLES)
    assistant = await start(
        AssistantOptions(
            docs=docs, port=0, delay=DELAY, data=DATA / "demo-assistant.db", rough=options.rough, watch=True
        )
    )
    stack.push_async_callback(assistant.close)
    suggestions = SUGGESTIONS if options.docs is None else ()
    (spec,) = (spec for spec in installed() if spec.name == PLAYGROUND)
    playground = spec.settings(enabled=True, data=DATA / "playground.db", suggestions=suggestions, docs=str(docs))
    accounts = dict(config.accounts) if options.channels else {}
    return config.model_copy(
        update={"base_url": assistant.base_url, "accounts": {**accounts, PLAYGROUND: (playground,)}}
    )


def _own_samples(samples: Path) -> Path:
    """Copy the sample documents once, so that people may change them and ask again."""
    folder = DATA / "docs"
    if not folder.exists():
        shutil.copytree(samples, folder)
    return folder


def _preview_pages() -> list[Page]:
    """Make `/preview`: one answer as every channel that knows how shows it."""
    handler = previewer({spec.name.capitalize(): load_object(spec.preview) for spec in installed() if spec.preview})
    return [("GET", "/preview", handler), ("POST", "/preview", handler)]


def previewer(channels: Mapping[str, Callable[[str], str]]) -> Handler:
    """Make the handler of `/preview`: one answer as every channel would show it. `channels`: name → safe HTML."""

    async def preview(request: web.Request) -> web.StreamResponse:
        form = await request.post()  # empty for a GET
        markdown = str(form.get("markdown", SAMPLE))[:MAX_MARKDOWN]
        columns = {name: show(markdown) for name, show in channels.items()}
        columns["Plain text"] = plain_column(plain(parse(markdown)))
        return web.Response(
            text=preview_page(columns, markdown),
            content_type="text/html",
            headers={"Content-Security-Policy": PREVIEW_POLICY},
        )

    return preview
