"""The demo's surroundings: an assistant of its own on a free loopback port, answering from a folder of documents."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.config import Config
from bot.errors import BotError

DATA = Path("data")
DELAY = 1.2
"""Seconds the demo's assistant takes, so that the sign of work can be seen."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the demo runs in. `config` points at the assistant; `docs` is the folder to change."""

    config: Config
    docs: Path
    suggestions: tuple[str, ...]


async def prepare(config: Config, docs: Path | None, rough: bool, stack: AsyncExitStack) -> Surroundings:
    """Start the assistant; it is closed with the stack."""
    from bot.assistant.server import SAMPLES, AssistantOptions, start

    DATA.mkdir(exist_ok=True)  # noqa: ASYNC240  # before anything runs
    folder = docs or SAMPLES
    options = AssistantOptions(
        docs=folder, port=0, delay=DELAY, data=DATA / "demo-assistant.db", rough=rough, watch=True
    )
    assistant = await start(options)
    stack.push_async_callback(assistant.close)
    config = replace(config, base_url=assistant.base_url, api_key=SecretStr("demo"), tenant_id="demo", site_id="demo")
    client = ApiClient(
        base_url=assistant.base_url, api_key=SecretStr("demo"), tenant_id="demo", site_id="demo", gate=Gate()
    )
    try:
        suggestions = (await client.widget_config()).suggestions
    except BotError:
        suggestions = ()
    finally:
        await client.aclose()
    return Surroundings(config, folder, suggestions)
