"""`manifest CHANNEL`: the registration of the bot at a channel, printed or applied."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from types import ModuleType
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from bot.adapter import ChannelSpec
from bot.cli.output import Json, config, document, note, say
from bot.errors import Misconfigured

app = App(name="manifest", help="Make the app's registration at a channel.")


@app.default
async def manifest(
    channel: str,
    /,
    *,
    mode: Literal["socket", "http"] | None = None,
    url: str | None = None,
    agent: Annotated[bool | None, Parameter(negative="--no-agent")] = None,
    apply: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Print the registration of the bot at a channel, or apply it there.

    Where the channel can be asked, and its token is set, what differs there is listed too (on standard error).

    Parameters
    ----------
    channel
        The channel, such as slack or telegram.
    mode
        How events arrive, where the channel offers both: socket needs no public address, http needs --url.
    url
        The bot's public address, https.
    agent
        Be an agent of the channel's own kind, where it has one (the default), or a plain bot.
    apply
        Register it at the channel, with the tokens in the settings.
    """
    from bot.config import installed

    made = _module(channel, installed())
    chosen = {"mode": mode, "url": url, "agent": agent}
    options = {name: value for name, value in chosen.items() if value is not None}
    known = set(inspect.signature(made.manifest).parameters)
    if unknown := sorted(set(options) - known):
        raise Misconfigured(f"The manifest of {channel} has no --{unknown[0]}; leave it out.")
    if not apply:
        text = made.manifest(**options)
        if not json:
            print(text, end="", flush=True)
        differences = await _differences(made, channel)
        if json:
            document({"channel": channel, "manifest": text, "differences": differences})
        elif differences is not None:
            for line in differences or [f"{channel.capitalize()} shows exactly this."]:
                note(line)
            if differences:
                note("Nothing was changed; --apply makes it so.")
        return
    done: list[str] = await made.apply(_settings(channel), **options)
    if json:
        document({"channel": channel, "done": done})
    else:
        for line in done or ["Nothing had to be changed."]:
            say(line)


async def _differences(made: ModuleType, channel: str) -> list[str] | None:
    """List where the channel shows something else; None if that cannot be asked (no `diff`, or no token)."""
    if not hasattr(made, "diff"):
        return None
    settings = _settings(channel)
    return await made.diff(settings) if settings.enabled else None


def _module(channel: str, channels: tuple[ChannelSpec, ...]) -> ModuleType:
    """Find the channel's own `manifest` module: `manifest(**options)` and `apply(settings, **options)`.

    Where the channel can be asked what it shows it has `diff(settings)` too: one sentence for each difference.
    """
    found = {spec.name: spec.adapter.rpartition(".")[0] + ".manifest" for spec in channels}
    offered = [name for name, module in found.items() if importlib.util.find_spec(module) is not None]
    if channel not in offered:
        raise Misconfigured(f"There is no manifest for {channel}; there is one for {' and '.join(offered)}.")
    return importlib.import_module(found[channel])


def _settings(channel: str) -> Any:
    return config().channels[channel]
