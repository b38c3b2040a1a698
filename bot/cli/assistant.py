"""`assistant serve`: the embedded assistant on its own, with the API's wire contract."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Protocol

from cyclopts import App, Parameter
from cyclopts.validators import Number

from bot.cli.output import folder_of, note
from bot.errors import Misconfigured

app = App(name="assistant", help="Run the embedded assistant on its own.")


@app.command
async def serve(
    *,
    docs: Path | None = None,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 8081,
    tenant: str = "demo",
    site: str = "demo",
    key: str = "demo",
    delay: Annotated[float, Parameter(validator=Number(gte=0))] = 1.0,
    data: Path = Path("data/assistant.db"),
) -> None:
    """Answer questions from a folder of documents, as the M2M chat API does; reads no settings, runs until stopped.

    The first line on stdout is its base URL.

    Example: uppzy-bot assistant serve --docs handbook --port 8081

    Parameters
    ----------
    docs
        Folder with the documents; without it, those already in the data file.
    host
        Address to bind.
    port
        Port to bind; 0 takes a free one.
    tenant
        The tenant it serves.
    site
        The site it serves.
    key
        The API key it takes.
    delay
        Seconds an answer takes.
    data
        File that keeps requests, sessions, feedback and documents.
    """
    from bot.assistant.server import AssistantOptions, start
    from bot.telemetry.logging import configure

    folder_of(docs)
    configure(style="console", secrets=[key])
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    options = AssistantOptions(
        docs=docs,
        host=host,
        port=port,
        tenant=tenant,
        site=site,
        key=key,
        delay=delay,
        data=data,
        watch=True,
        patience=0,
    )
    try:
        running = await start(options)
    except OSError as error:
        raise Misconfigured(
            f"The assistant cannot start at {host}:{port} with {data} ({error.strerror or error}); "
            "choose another --port, --host or --data."
        ) from None
    try:
        await run_until(stopped, running)
    finally:
        await running.close()


class Reading(Protocol):
    """What serves while its folder is still being read."""

    base_url: str

    async def first_look(self) -> object:
        """Wait until the folder has been read once."""


async def run_until(stopped: asyncio.Event, running: Reading) -> None:
    """Say where it serves once the folder is read, or some seconds have passed; whoever stops it waits for neither."""
    from bot.assistant.server import PATIENCE

    reading, stopping = asyncio.ensure_future(running.first_look()), asyncio.ensure_future(stopped.wait())
    await asyncio.wait([reading, stopping], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    reading.cancel()
    if not stopped.is_set():
        print(running.base_url, flush=True)
        note("Stop it with Ctrl-C.")
    await stopping
