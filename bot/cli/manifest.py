"""`manifest CHANNEL`: the registration of the bot at a channel, printed or applied."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import App, Parameter
from pydantic import BaseModel

from bot.adapter import ChannelSpec, Manifest, ManifestOptions, Want
from bot.cli.output import Json, WrongUsage, config, document, note, say
from bot.errors import BotError, ConfigError

app = App(name="manifest")


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

    Example: uppzy-bot manifest slack --mode socket

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

    registration = manifest_of(channel, installed())
    options = chosen(channel, registration, ManifestOptions(mode=mode, url=url, agent=agent, wants=_wants()))
    if apply:
        done = await registration.apply(_settings(channel), options)
        if json:
            document({"channel": channel, "done": done})
        else:
            for line in done or ["Nothing had to be changed."]:
                say(line)
        return
    text = registration.text(options)
    if not json:
        print(text, end="", flush=True)
    differences = await _differences(channel, registration, options.wants)
    if json:
        document({"channel": channel, "manifest": text, "differences": differences})
    elif differences is not None:
        for line in differences or [f"{channel.capitalize()} has all that the bot needs."]:
            note(line)
        if differences:
            note("Nothing was changed; --apply makes it so.")


def manifest_of(channel: str, channels: tuple[ChannelSpec, ...]) -> Manifest:
    """Import the channel's registration. Raises `WrongUsage` where there is none."""
    from bot.config import load_object

    offered = {spec.name: spec.manifest for spec in channels if spec.manifest}
    if channel not in offered:
        others = f"there is one for {' and '.join(offered)}" if offered else "no installed channel has one"
        raise WrongUsage(f"There is no manifest for {channel}; {others}.")
    registration: Manifest = load_object(offered[channel])
    return registration


def chosen(channel: str, registration: Manifest, options: ManifestOptions) -> ManifestOptions:
    """Return the options. Raises `WrongUsage` for one that the channel does not know, or that another one needs."""
    given = {name for name, value in asdict(options).items() if value is not None and name != "wants"}
    if unknown := sorted(given - registration.options):
        raise WrongUsage(f"The manifest of {channel} has no --{unknown[0]}; leave it out.")
    if options.mode == "http" and not options.url:
        raise WrongUsage("--mode http needs --url, the bot's public https address.")
    return options


def _wants() -> frozenset[Want]:
    """Tell what the settings have switched on; nothing where there are none yet, or wrong ones."""
    from bot.config import wants

    try:
        settings = config()
    except ConfigError:
        return frozenset()
    return wants(settings)


async def _differences(channel: str, registration: Manifest, wants: frozenset[Want]) -> list[str] | None:
    """List where the channel shows something else; None where that cannot be asked."""
    try:
        settings = _settings(channel)
    except ConfigError:
        # Who has no settings yet, or wrong ones, needs the text all the same.
        note("What differs at the channel is not shown, for the settings are wrong; see `uppzy-bot config check`.")
        return None
    try:
        return await registration.differences(settings, wants)
    except BotError as error:
        note(f"What differs at the channel is not shown: {error}")
        return None


def _settings(channel: str) -> BaseModel:
    return config().channels[channel]
