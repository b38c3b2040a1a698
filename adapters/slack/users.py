"""People: what they are called, and who is a guest or from elsewhere where the payload does not say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from adapters.slack.client import Client
from adapters.slack.errors import NOT_TOLD
from adapters.slack.groups import UserGroups
from adapters.slack.identity import Identity
from adapters.slack.ids import Payload
from bot.adapter import Listed
from bot.errors import BotError, Misconfigured, Rejected
from bot.events import Added, Command, Edit, Event, HomeOpened, Message, Person, Reaction, Standing
from bot.shared import BoundedDict

KEEP_SECONDS: Final = 3600.0
KEEP_PEOPLE: Final = 10_000
LONGEST_NAME: Final = 80
"""Characters; what Slack lets people write as their display name."""
NOBODY: Final = Listed()


class Users:
    """Looks people up by `users.info`. Standings are remembered for an hour, names are not.

    `guests_differ`: the access policy treats guests otherwise than members, so each person has to be looked up.
    """

    def __init__(
        self, client: Client, *, guests_differ: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._groups = UserGroups(client, clock)
        self._guests_differ = guests_differ
        self._clock = clock
        self._known: BoundedDict[str, tuple[float, Standing]] = BoundedDict(KEEP_PEOPLE)

    async def refine(self, event: Event, payload: Payload, identity: Identity, listed: Listed = NOBODY) -> Event:
        """Give the event the true standing of its person and their `listed` groups, looked up only where it can matter.

        Raises:
            Unavailable: Slack could not be asked; the payload is not to be acknowledged.
        """
        if not isinstance(event, Message | Edit | Reaction | Command | Added | HomeOpened) or not event.user_id:
            return event
        if listed != NOBODY and (groups := await self._groups.of(event.user_id, listed)):
            event = replace(event, groups=groups)
        # In an organisation of several workspaces a member has one identity in all of them: the workspace that an event
        # names may be a sister, which only `users.info` can tell from a stranger's.
        sister = event.standing == "external" and identity.enterprise_id is not None
        shared = bool(payload.get("is_ext_shared_channel")) and not _says_team(payload)
        if not sister and (event.standing != "member" or not (shared or self._guests_differ)):
            return event
        doubtful: Standing = "external" if shared or sister else "guest"
        standing = await self._look_up(event.user_id, identity, doubtful)
        return replace(event, standing=standing)

    async def person(self, user_id: str) -> Person | None:
        """Return their name, language and, with the scope users:read.email, address; None where Slack does not tell."""
        try:
            answer = await self._client.call("users.info", {"user": user_id, "include_locale": True}, read=True)
        except Rejected:
            return None
        except Misconfigured as error:
            if error.reason in NOT_TOLD:
                return None
            raise
        return _person(answer.get("user"))

    async def name(self, user_id: str | None) -> str:
        """Return what a person is called, "" where it cannot be looked up now."""
        try:
            person = await self.person(user_id) if user_id else None
        except BotError:
            return ""
        return person.name if person else ""

    async def _look_up(self, user_id: str, identity: Identity, doubtful: Standing) -> Standing:
        now = self._clock()
        known = self._known.get(user_id)
        if known is not None and known[0] > now:
            return known[1]
        try:
            user: dict[str, Any] = (await self._client.call("users.info", {"user": user_id}, read=True))["user"]
        except (Rejected, Misconfigured):
            # Without the scope, or for somebody Slack will not show, the narrower standing is the safe one.
            standing = doubtful
        else:
            standing = _standing(user, identity)
        self._known[user_id] = (now + KEEP_SECONDS, standing)
        return standing


def _person(user: Any) -> Person | None:
    """Read a user object; its fields may be absent, null or "" (users.info, "Profile")."""
    if not isinstance(user, dict):
        return None
    given = user.get("profile")
    profile: dict[str, Any] = given if isinstance(given, dict) else {}
    names = (profile.get("display_name"), user.get("real_name"), profile.get("real_name"), user.get("name"))
    name = next((cleaned for candidate in names if (cleaned := one_line(candidate))), "")
    if not name:
        return None
    locale, email = one_line(user.get("locale")), one_line(profile.get("email"))
    return Person(name=name[:LONGEST_NAME], locale=locale or None, email=email or None)


def one_line(value: Any) -> str:
    """One line of it, without what shows as nothing or turns the line round; joiners are letters of some languages."""
    if not isinstance(value, str):
        return ""
    shown = (sign for sign in value if sign.isprintable() or sign.isspace() or sign in "\u200c\u200d")
    return " ".join("".join(shown).split())


def _says_team(payload: Payload) -> bool:
    event = payload.get("event") or {}
    return bool(event.get("user_team") or event.get("source_team"))


def _standing(user: dict[str, Any], identity: Identity) -> Standing:
    """Read whether somebody is of the workspace, or of its organisation (user object, `enterprise_user`)."""
    found = user.get("enterprise_user")
    organisation: dict[str, Any] = found if isinstance(found, dict) else {}
    teams = organisation.get("teams")
    ours = isinstance(teams, list) and identity.team_id in teams
    ours = ours or (identity.enterprise_id is not None and organisation.get("enterprise_id") == identity.enterprise_id)
    team = user.get("team_id")
    if not ours and (user.get("is_stranger") or (team and not identity.is_home(team))):
        return "external"
    return "guest" if user.get("is_restricted") or user.get("is_ultra_restricted") else "member"
