"""The demo: the bot on a page, with an assistant of its own on a free loopback port, answering from a folder."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.app import Page, running, settle, stop_signal
from bot.config import Config, installed, load_object
from bot.errors import ConfigError, Misconfigured
from bot.render import parse, plain
from bot.store.lock import sole_engine
from bot.web.preview import MAX_MARKDOWN, PREVIEW_POLICY, SAMPLE, plain_column, preview_page

if TYPE_CHECKING:
    from bot.assistant.server import RunningAssistant

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
STEMS = ("demo", "demo-assistant", "playground")
"""Names of the databases in `DATA`."""
DELAY = 1.2
"""Seconds the demo's assistant takes, so that the sign of work can be seen."""

PATIENCE = 5.0
"""Seconds the page waits for the folder to be read; the rest is read meanwhile."""


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
        await asyncio.to_thread(_make_ready, options.docs)
        config, assistant = await _prepare(config, options, stack)
        reading = asyncio.ensure_future(assistant.first_look())
        stack.callback(reading.cancel)
        stopping = asyncio.ensure_future(stop.wait())
        stack.callback(stopping.cancel)
        await asyncio.wait([reading, stopping], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return
        bot = await stack.enter_async_context(
            running(config, pages=pages(assistant, suggests=options.docs is not None))
        )
        settle(bot)
        print(bot.web.url, flush=True)  # noqa: T201  # the first line a person or a script waits for
        _say(f"Open {bot.web.url} in a browser. Ctrl-C stops it.")
        await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            _say(*reading.result().lines())
        await stop.wait()


def _say(*lines: str) -> None:
    """Tell whoever looks at the terminal."""
    print(*map(_harmless, lines), sep="\n", file=sys.stderr, flush=True)  # noqa: T201


def _make_ready(docs: Path | None) -> None:
    """See that no other demo runs in this folder, and that what is here is about these documents.

    A conversation about other documents would be shown beside these, and lean on what they do not say: what was there
    is put aside, and comes back with its folder.

    Raises:
        Misconfigured: another demo runs here.
    """
    DATA.mkdir(parents=True, exist_ok=True)
    try:
        alone = sole_engine(DATA / "demo.db")
    except ConfigError:
        raise Misconfigured(
            "Another demo runs in this folder already: use its page, stop it with Ctrl-C where it runs, or start this "
            "one in another folder."
        ) from None
    with alone:
        wanted = "" if docs is None else hashlib.sha256(str(docs.resolve()).encode()).hexdigest()[:12]
        marker = DATA / "demo-docs"
        there = marker.read_text(encoding="utf-8").strip() if marker.exists() else wanted
        if there != wanted:
            _move(DATA, DATA / "other-docs" / (there or "samples"))
            _move(DATA / "other-docs" / (wanted or "samples"), DATA)
        marker.write_text(wanted, encoding="utf-8")


def _move(source: Path, target: Path) -> None:
    """Move the demo's databases, with their logs, from one folder to another."""
    for stem in STEMS:
        for path in source.glob(f"{stem}.db*") if source.is_dir() else ():
            if not path.name.endswith(".lock"):
                target.mkdir(parents=True, exist_ok=True)
                path.replace(target / path.name)


def _harmless(line: str) -> str:
    """A line without what could steer a terminal: names of files are anybody's."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _report_page(assistant: RunningAssistant, suggests: bool) -> Handler:
    """Make the handler of `/documents`: what became of the folder's files and what to ask, as JSON for the page."""

    async def documents(_: web.Request) -> web.StreamResponse:
        report = await assistant.report()
        suggestions = await assistant.suggestions() if suggests else ()
        return web.json_response({**asdict(report), "summary": report.summary(), "suggestions": suggestions})

    return documents


async def _prepare(config: Config, options: DemoOptions, stack: AsyncExitStack) -> tuple[Config, RunningAssistant]:
    """Start the assistant, which is closed with the stack; the settings of a bot that asks it, on the page, and it."""
    from bot.assistant.server import SAMPLES, AssistantOptions, start

    docs = options.docs or _own_samples(SAMPLES)
    assistant = await start(
        AssistantOptions(
            docs=docs, port=0, delay=DELAY, data=DATA / "demo-assistant.db", rough=options.rough, watch=True, patience=0
        )
    )
    stack.push_async_callback(assistant.close)
    suggestions = SUGGESTIONS if options.docs is None else ()
    (spec,) = (spec for spec in installed() if spec.name == PLAYGROUND)
    playground = spec.settings(enabled=True, data=DATA / "playground.db", suggestions=suggestions, docs=str(docs))
    accounts = dict(config.accounts) if options.channels else {}
    update = {"base_url": assistant.base_url, "accounts": {**accounts, PLAYGROUND: (playground,)}}
    return config.model_copy(update=update), assistant


def _own_samples(samples: Path) -> Path:
    """Copy the sample documents once, so that people may change them and ask again."""
    folder = DATA / "docs"
    if not folder.exists():
        shutil.copytree(samples, folder)
    return folder


def pages(assistant: RunningAssistant, *, suggests: bool = True) -> list[Page]:
    """Make what the demo serves beside the bot: `/preview` of an answer, and what became of the folder's files.

    `suggests`: the page is told what to ask of these files.
    """
    preview = previewer({spec.name.capitalize(): load_object(spec.preview) for spec in installed() if spec.preview})
    documents = _report_page(assistant, suggests)
    return [("GET", "/preview", preview), ("POST", "/preview", preview), ("GET", "/documents", documents)]


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
