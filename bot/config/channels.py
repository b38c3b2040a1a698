"""Which channels are installed: packages name them by entry points of the group `uppzy_bot.channels`, ours too.

An entry point's name is the channel's, its value "module:CHANNEL". No SDK is imported here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import pairwise
from typing import Any

from bot.adapter import ChannelSpec
from bot.errors import Misconfigured

GROUP = "uppzy_bot.channels"


@cache
def installed() -> tuple[ChannelSpec, ...]:
    """Return every installed channel, by name. Looks once in a process, for it reads a file of every package.

    Raises:
        Misconfigured: one cannot be loaded, two have the same name, or there is none.
    """
    return specs_of(entry_points(group=GROUP))


def specs_of(entries: Iterable[EntryPoint]) -> tuple[ChannelSpec, ...]:
    """Load the channels of these entry points; errors are those of `installed`."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    for entry, following in pairwise(ordered):
        if entry.name == following.name:
            both = f"{_package(entry)} and {_package(following)}"
            raise Misconfigured(f"The packages {both} both bring a channel named {entry.name}; uninstall one of them.")
    if not ordered:
        raise Misconfigured("No channel is installed, not even those of uppzy-bot; install it again with pip.")
    return tuple(map(_loaded, ordered))


def _loaded(entry: EntryPoint) -> ChannelSpec:
    try:
        spec, what = entry.load(), f"{entry.value} is no ChannelSpec of that name"
    except Exception as error:  # whatever somebody else's module raises
        spec, what = None, f"{type(error).__name__}: {error}"
    if isinstance(spec, ChannelSpec) and spec.name == entry.name:
        return spec
    what = f"The channel {entry.name} of the package {_package(entry)} cannot be used ({what})"
    raise Misconfigured(f"{what}; update or uninstall that package.")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def load_object(path: str) -> Any:
    """Import what a `ChannelSpec` names as "module:name". Raises `Misconfigured` when there is no such thing."""
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise Misconfigured(f"{path} cannot be loaded ({reason}); install its channel's package again.") from error
