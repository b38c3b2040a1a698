"""User groups: who belongs to those that the access policy lists."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from adapters.slack.client import Client
from adapters.slack.errors import NOT_TOLD
from bot.adapter import Listed
from bot.errors import Misconfigured, Rejected
from bot.shared import BoundedDict

MEMBERS_SECONDS: Final = 300.0
KEEP_GROUPS: Final = 1_000
GROUP: Final = "S"
"""What the id of a user group begins with (usergroup object)."""

log = logging.getLogger(__name__)


class UserGroups:
    """The members of listed groups, asked for by `usergroups.users.list` and remembered for five minutes."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: BoundedDict[str, tuple[float, frozenset[str] | None]] = BoundedDict(KEEP_GROUPS)

    async def of(self, user_id: str, listed: Listed) -> tuple[str, ...]:
        """Return the listed groups that somebody belongs to.

        Of a group that Slack does not tell about (the scope usergroups:read is missing, there is no such group) the
        narrower answer is the safe one: who is denied by it, everybody; who is allowed by it, nobody.

        Raises:
            Unavailable: Slack could not be asked; the payload is not to be acknowledged.
        """
        found = []
        for group in sorted(group for group in listed.allow | listed.deny if group.startswith(GROUP)):
            members = await self._members(group)
            if (group in listed.deny) if members is None else (user_id in members):
                found.append(group)
        return tuple(found)

    async def _members(self, group: str) -> frozenset[str] | None:
        now = self._clock()
        known = self._known.get(group)
        if known is not None and known[0] > now:
            return known[1]
        try:
            answer = await self._client.call("usergroups.users.list", {"usergroup": group}, read=True)
        except (Rejected, Misconfigured) as error:
            if isinstance(error, Misconfigured) and error.reason not in NOT_TOLD:
                raise
            log.warning("who belongs to a user group of [access] is not told: %s", error)
            members = None
        else:
            users = answer.get("users")
            members = frozenset(user for user in users if isinstance(user, str)) if isinstance(users, list) else None
        self._known[group] = (now + MEMBERS_SECONDS, members)
        return members
