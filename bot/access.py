"""Who gets answers: the policy of `[access]`, and which route a conversation takes. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from bot.config import Access, Route
from bot.store.conversations import Where

NO_ROUTE = Route()


def admitted(access: Access, where: Where, user: str, standing: str, *, seen_as: str) -> bool:
    """Whether this person gets answers in this place; `deny` wins over `allow`, `allow` over the standing.

    `seen_as`: the conversation's id now, which people see; `where` has the first one known. Either may be listed.
    """
    names = {f"{where.channel}:{where.account}:{one}" for one in (user, where.conversation, seen_as)}
    if names & access.deny:
        return False
    return bool(names & access.allow) or access.admitted.get((where.channel, standing), True)


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
