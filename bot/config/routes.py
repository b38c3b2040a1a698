"""Which route a conversation takes: the most specific one that fits. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final, Literal, NamedTuple, TypeAlias

from pydantic import SecretStr

from bot.config.model import Config, Route
from bot.shared import BoundedDict

NO_ROUTE: Final = Route()
UNNAMED: Final = "default"
"""Under what the figures of routes without a name are counted, and of what goes by no route."""
PARTS: Final = ("conversation", "account", "channel")
"""What makes a route specific, the most first."""
KNOWN: Final = 10_000
"""Conversations whose routes are kept in memory."""
Where: TypeAlias = tuple[str, str, str]
"""Channel, account, conversation."""


class FittingRoute(NamedTuple):
    """A route that fits a conversation: its name, "" for none, and why it fits, a sentence."""

    name: str
    route: Route
    why: str = ""


class Routes:
    """The routes of the settings. Finding one costs the same however many there are that name a place exactly."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.all = tuple(routes)
        self._exact: dict[Where, Route] = {}
        self._patterns: list[Route] = []
        for route in routes:
            if all(part == "*" or not _is_pattern(part) for part in _where(route)):
                self._exact.setdefault(_where(route), route)  # of two alike the first is taken
            else:
                self._patterns.append(route)
        self._known: BoundedDict[Where, tuple[str, Route]] = BoundedDict(KNOWN)

    def of(self, channel: str, account: str, conversation: str) -> tuple[str, Route]:
        """Return the route of a conversation with its name, "" for none."""
        where = (channel, account, conversation)
        if (known := self._known.get(where)) is None:
            fitting = self.fitting(*where)
            known = self._known[where] = fitting[0][:2] if fitting else ("", NO_ROUTE)
        return known

    def fitting(self, channel: str, account: str, conversation: str) -> list[FittingRoute]:
        """Return all routes that fit, the one that is taken first, each with the reason why it fits."""
        where = (channel, account, conversation)
        named = [
            route
            for first in (channel, "*")
            for second in (account, "*")
            for third in (conversation, "*")
            if (route := self._exact.get((first, second, third))) is not None
        ]
        fits = [route for route in self._patterns if all(map(fnmatchcase, where, _where(route)))]
        ranked = sorted({route_name(route): route for route in reversed([*named, *fits])}.values(), key=self._rank)
        return [FittingRoute(route_name(route), route, _why(route)) for route in ranked]

    def names_account(self, channel: str, account: str) -> bool:
        """Whether a route says this account, or a pattern that fits it and not everything."""
        return any(
            route.account != "*" and fnmatchcase(account, route.account) and fnmatchcase(channel, route.channel)
            for route in self.all
        )

    def named(self, name: str) -> Route | None:
        """Return the route of that name, None where the settings have it no more."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Route]:
        return {route_name(route): route for route in reversed(self.all)}

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {route_name(route): number for number, route in reversed(list(enumerate(self.all)))}

    def _rank(self, route: Route) -> tuple[object, ...]:
        """The most specific comes first; of two as specific, the one that is written first."""
        parts = [_specific(getattr(route, part)) for part in PARTS]
        return (*((-kind, -letters) for kind, letters in parts), self._positions[route_name(route)])


def route_for(routes: tuple[Route, ...], channel: str, account: str, conversation: str) -> tuple[str, Route]:
    """Return the most specific route that fits, with its name, "" for none."""
    return Routes(routes).of(channel, account, conversation)


def route_name(route: Route) -> str:
    """Name a route by its patterns: turns keep the name, and the settings may list others before it one day."""
    return f"{route.channel}:{route.account}:{route.conversation}"


def figures_of(route: Route | None) -> str:
    """Name under what the figures of a route are counted: a word the operator chose, so that no id becomes a label."""
    return (route and route.name) or UNNAMED


def site_of(config: Config, route: Route) -> str:
    """Name where the questions of a route go, `tenant/site`: turns keep it, for a route may change."""
    return f"{route.tenant_id or config.tenant_id}/{route.site_id or config.site_id}"


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


def _where(route: Route) -> Where:
    return route.channel, route.account, route.conversation


def _is_pattern(part: str) -> bool:
    return bool(set("*?[") & set(part))


def _specific(part: str) -> tuple[int, int]:
    """How much a pattern says: 2 for an id, 1 for a pattern, and how many of its letters are none of a pattern."""
    if not _is_pattern(part):
        return 2, len(part)
    letters = sum(letter not in "*?[]" for letter in part)
    return (1, letters) if part != "*" else (0, 0)


def _why(route: Route) -> str:
    said = []
    for part in PARTS:
        pattern = getattr(route, part)
        if pattern != "*":
            said.append(f"{part} {'fits' if _is_pattern(pattern) else 'is'} {pattern}")
    return ", ".join(said) or "fits everything"
