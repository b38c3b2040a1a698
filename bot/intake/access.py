"""Who gets answers: the policy of `[access]`. Pure."""

from __future__ import annotations

from bot.context import Context
from bot.events import Standing
from bot.sessions import Address


def is_admitted(ctx: Context, address: Address, user: str, standing: Standing, *, seen_as: str) -> bool:
    """Whether this person gets answers in this place; `deny` wins over `allow`, `allow` over the standing.

    `seen_as`: the conversation's id now, which people see; `address` has the first one known. Either may be listed.
    """
    access = ctx.config.access
    ids = {f"{address.channel}:{address.account}:{id_}" for id_ in (user, address.conversation, seen_as)}
    if ids & access.deny:
        return False
    return bool(ids & access.allow) or access.admitted.get((address.channel, standing), True)
