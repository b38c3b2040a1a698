"""Which route a conversation takes. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import SecretStr

from bot.config.model import Config, Route

NO_ROUTE = Route()


def route_for(routes: tuple[Route, ...], channel: str, account: str, conversation: str) -> tuple[str, Route]:
    """Return the first route that fits, with its name, "" for none."""
    wanted = (channel, account, conversation)
    for route in routes:
        if all(map(fnmatchcase, wanted, (route.channel, route.account, route.conversation))):
            return route_name(route), route
    return "", NO_ROUTE


def route_name(route: Route) -> str:
    """Name a route by its patterns: turns keep the name, and the settings may list others before it one day."""
    return f"{route.channel}:{route.account}:{route.conversation}"


def api_key_for(config: Config, name: str) -> SecretStr | None:
    """Return the API key that the questions of a route are asked with, by the route's name."""
    key = next((route.api_key for route in config.routes if route_name(route) == name), None)
    return key or config.api_key


def wants(config: Config) -> frozenset[Literal["files", "emails"]]:
    """Tell what the settings have switched on that a channel may have to permit (`bot.adapter.Want`)."""
    on: dict[Literal["files", "emails"], bool] = {
        "files": config.context.files,
        "emails": any(route.send_email for route in config.routes),
    }
    return frozenset(want for want, is_on in on.items() if is_on)
