"""The demo's surroundings: an assistant of its own on a free loopback port, answering from a folder of documents."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from bot.adapter import HttpHandler
from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.config import Config
from bot.errors import BotError
from bot.render import parse, plain
from bot.web.preview import MAX_MARKDOWN, PREVIEW_POLICY, SAMPLE, plain_column, preview_page

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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the demo runs in. `config` points at the assistant; `docs` is the folder to change."""

    config: Config
    docs: Path
    suggestions: tuple[str, ...]


def _own_samples(samples: Path) -> Path:
    """Copy the sample documents once, so that people may change them and ask again."""
    folder = DATA / "docs"
    if not folder.exists():
        shutil.copytree(samples, folder)
    return folder


def previewer(channels: Mapping[str, Callable[[str], str]]) -> HttpHandler:
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


async def prepare(config: Config, docs: Path | None, rough: bool, stack: AsyncExitStack) -> Surroundings:
    """Start the assistant; it is closed with the stack."""
    from bot.assistant.server import SAMPLES, AssistantOptions, start

    folder = docs or _own_samples(SAMPLES)
    options = AssistantOptions(
        docs=folder, port=0, delay=DELAY, data=DATA / "demo-assistant.db", rough=rough, watch=True
    )
    assistant = await start(options)
    stack.push_async_callback(assistant.close)
    demo = {"base_url": assistant.base_url, "api_key": SecretStr("demo"), "tenant_id": "demo", "site_id": "demo"}
    config = config.model_copy(update=demo)
    client = ApiClient(
        base_url=assistant.base_url, api_key=SecretStr("demo"), tenant_id="demo", site_id="demo", gate=Gate()
    )
    try:
        suggestions = (await client.widget_config()).suggestions
    except BotError:
        suggestions = ()
    finally:
        await client.aclose()
    return Surroundings(config, folder, suggestions or (SUGGESTIONS if docs is None else ()))
