"""`demo`, `run`, `migrate`: what starts the bot, and what must be done before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bot.cli.output import config, folder_of, logs, note, progress, say


async def demo(
    *,
    docs: Path | None = None,
    channels: Annotated[bool, Parameter(negative=())] = False,
    rough: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Serve a page to talk with the bot, answering from a folder of documents; runs until stopped.

    It needs no setting and no network, ignores those of the API and the channels, and keeps to data/demo.db.

    Parameters
    ----------
    docs
        Folder with Markdown, text, PDF, Word and Q&A CSV files; without it, the sample documents.
    channels
        Start the channels too whose tokens are set, after naming the bot it will speak as.
    rough
        Let the assistant misbehave as a busy network does: slow, refusing, cut off, twice.
    """
    from bot.app import DemoOptions, run
    from bot.config import demo_config, installed

    folder_of(docs)
    settings = demo_config(installed(), with_channels=channels)
    logs(settings)
    await run(settings, demo=DemoOptions(docs=docs, channels=channels, rough=rough))


async def run() -> None:
    """Run the bot with the settings in force, until it is told to stop (SIGTERM, Ctrl-C)."""
    from bot.app import run as run_app
    from bot.config import RUN, installed, load

    settings = load(installed(), need=RUN)
    logs(settings)
    await run_app(settings)


async def migrate() -> None:
    """Bring the database to this version; the bot does it at its start too. Nothing to do is no error."""
    from bot.store import open_operator

    settings = config()
    with progress("bringing the database up to date"):
        # Opening it for an operator's command brings it up to date, as opening it for the bot does.
        async with open_operator(settings):
            pass
    say("The database is up to date.")
    if settings.database_url.startswith("sqlite:"):
        note("To be able to go back after an upgrade, copy the file of BOT_DATABASE_URL before it.")
