"""Who gets answers: the policy of `[access]`, and who was invited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bot.config import Access
from bot.events import Conversation, Standing
from bot.intake.arrival import Arrival
from bot.sessions import Address
from bot.store import invitations

Refusal: TypeAlias = Literal["denied", "loop"] | Standing
"""Why somebody gets no answers: a list of `[access]` denies them or the place, people of their standing are not
admitted, or they seem to be a program that answers us (`bot.intake.loops`)."""

ADMITTED_WITH_ACCOUNT: Final = ("member", "public")
"""Standings that an account in `allow` admits; its guests and strangers are a matter of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who says something where. `groups`: those of `[access]` that they belong to. `seen_as`: the conversation's id
    now, which people see; `address` has the first one known. Either may be listed."""

    address: Address
    user: str
    standing: Standing
    groups: tuple[str, ...] = ()
    seen_as: str


def is_admitted(arrival: Arrival, user: str, standing: Standing, groups: tuple[str, ...], where: Conversation) -> bool:
    """Whether this person gets answers in this place; see `why_refused`."""
    asker = Asker(address=arrival.address, user=user, standing=standing, groups=groups, seen_as=where.conversation_id)
    return why_refused(arrival, asker) is None


def why_refused(arrival: Arrival, asker: Asker) -> Refusal | None:
    """Say why this person gets no answers in this place, None where they do."""
    here = asker.address
    why = refused_by(arrival.ctx.config.access, asker)
    if why in (None, "denied") or not invitations.is_invited(arrival.tx, here.channel, here.account, asker.user):
        return why
    return None


def refused_by(access: Access, asker: Asker) -> Refusal | None:
    """Say why the settings refuse somebody, None where they do not; `deny` wins over `allow`, that over the standing.

    Pure. An account alone, `channel:account`, stands for everybody there; in `allow`, for its own people.
    """
    account = f"{asker.address.channel}:{asker.address.account}"
    ids = {f"{account}:{id_}" for id_ in (asker.user, asker.address.conversation, asker.seen_as, *asker.groups)}
    if (ids | {account}) & access.deny:
        return "denied"
    if ids & access.allow or (account in access.allow and asker.standing in ADMITTED_WITH_ACCOUNT):
        return None
    if asker.standing == "pending":
        return "pending"
    return None if access.admitted.get((asker.address.channel, asker.standing), True) else asker.standing
