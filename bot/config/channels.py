"""Which channels are installed: found by entry points of the group `uppzy_bot.channels`, ours included."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from bot.adapter import ChannelSpec
from bot.errors import Misconfigured

GROUP = "uppzy_bot.channels"


@cache
def installed() -> tuple[ChannelSpec, ...]:
    """Return the specs of all installed channels, by name. Raises `Misconfigured` when one cannot be used."""
    specs: dict[str, ChannelSpec] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist is not None else point.value
        try:
            spec = point.load()
        except Exception as error:
            raise Misconfigured(
                f"The channel {point.name} of the package {package} cannot be loaded ({type(error).__name__}); "
                "update or remove that package."
            ) from error
        if not isinstance(spec, ChannelSpec) or spec.name != point.name:
            raise Misconfigured(f"The package {package} brings no channel {point.name}; update or remove that package.")
        if point.name in specs:
            raise Misconfigured(f"Two packages bring a channel {point.name}; remove one of them ({package}).")
        specs[point.name] = spec
    if not specs:
        raise Misconfigured("No channel is installed; install the package again: pip install uppzy-bot.")
    return tuple(specs.values())


def load_object(path: str) -> Any:
    """Import what a spec names as "module:name"."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
