"""Who gets answers: the policy of `[access]`. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from bot.context import Context
from bot.events import Standing
from bot.sessions import Address

Refusal: TypeAlias = Literal["denied"] | Standing
"""Why somebody gets no answers: a list of `[access]` denies them or the place, or people of their standing are not
admitted."""


def is_admitted(ctx: Context, address: Address, user: str, standing: Standing, *, seen_as: str) -> bool:
    """Whether this person gets answers in this place; see `why_refused`."""
    return why_refused(ctx, address, user, standing, seen_as=seen_as) is None


def why_refused(ctx: Context, address: Address, user: str, standing: Standing, *, seen_as: str) -> Refusal | None:
    """Say why this person gets no answers in this place, None where they do; `deny` wins over `allow`, `allow` over the
    standing.

    `seen_as`: the conversation's id now, which people see; `address` has the first one known. Either may be listed.
    """
    access = ctx.config.access
    ids = {f"{address.channel}:{address.account}:{id_}" for id_ in (user, address.conversation, seen_as)}
    if ids & access.deny:
        return "denied"
    admitted = bool(ids & access.allow) or access.admitted.get((address.channel, standing), True)
    return None if admitted else standing
