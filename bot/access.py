"""Who gets answers: the policy of `[access]`, and which route a conversation takes. Pure."""

from __future__ import annotations

from bot.config import Access
from bot.config.routes import NO_ROUTE, route_for, route_name
from bot.store.conversations import Where

__all__ = ["NO_ROUTE", "admitted", "route_for", "route_name"]


def admitted(access: Access, where: Where, user: str, standing: str, *, seen_as: str) -> bool:
    """Whether this person gets answers in this place; `deny` wins over `allow`, `allow` over the standing.

    `seen_as`: the conversation's id now, which people see; `where` has the first one known. Either may be listed.
    """
    names = {f"{where.channel}:{where.account}:{one}" for one in (user, where.conversation, seen_as)}
    if names & access.deny:
        return False
    return bool(names & access.allow) or access.admitted.get((where.channel, standing), True)
