"""`demo`, `run`: what starts the bot."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bot.cli.loop import run_on_loop
from bot.cli.output import folder_of, logs, note, say


def demo(
    *,
    docs: Path | None = None,
    channels: Annotated[bool, Parameter(negative=())] = False,
    rough: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Serve a page to talk with the bot, answering from a folder of documents; runs until stopped.

    It needs no setting and no network, ignores those of the API and the channels, and keeps to data/demo.db.

    Example: uppzy-bot demo --docs handbook

    Parameters
    ----------
    docs
        Folder with Markdown, text, HTML, PDF, Word and Q&A CSV files; without it, the sample documents.
    channels
        Start the channels too whose tokens are set, after naming the bot it will speak as.
    rough
        Let the assistant misbehave as a busy network does: slow, refusing, cut off, twice.
    """
    gc.disable()  # as for `run`; both enable it when they are ready
    from bot.config import demo_config, installed
    from bot.demo import DemoOptions
    from bot.demo import run as run_demo

    folder_of(docs)
    settings = demo_config(installed(), with_channels=channels)
    logs(settings)
    if channels and not any(settings.accounts.values()):
        tokens = " or ".join(spec.token for spec in installed() if spec.token)
        note(f"No channel is started, for none is turned on: set {tokens}.")
    run_on_loop(run_demo(settings, DemoOptions(docs=docs, channels=channels, rough=rough)))


def run() -> None:
    """Run the bot with the settings in force, until it is told to stop (SIGTERM, Ctrl-C).

    On SIGHUP it reads them again and takes over new API keys and encryption keys.

    Example: uppzy-bot run
    """
    gc.disable()  # what is imported stays: to look through it again and again takes a tenth of the start
    from bot.app import run as run_bot
    from bot.config import RUN, Config, installed, load

    def read() -> Config:
        return load(installed(), need=RUN)

    settings = read()
    logs(settings)
    run_on_loop(run_bot(settings, read))


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the completion of this command line for a shell, to be put where the shell reads it.

    Example: uppzy-bot completion bash > ~/.local/share/bash-completion/completions/uppzy-bot

    Parameters
    ----------
    shell
        The shell: bash, zsh or fish.
    """
    from bot.cli import make_app

    say(make_app().generate_completion(prog_name="uppzy-bot", shell=shell))
