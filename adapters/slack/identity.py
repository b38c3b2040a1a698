"""Who the bot is in a workspace, by which it tells what is for it and who else is there; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from adapters.slack.ids import Payload
from bot.events import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The account and the bot's own ids, as `auth.test` named them once at the start.

    `scopes` are those of the token, empty when Slack did not say. `workspace_url` ends with a slash.
    `seconds_off` is how far this machine's clock is ahead of Slack's, to the second.
    """

    team_id: str
    user_id: str
    bot_id: str
    enterprise_id: str | None = None
    team: str = ""
    user: str = ""
    workspace_url: str = ""
    scopes: frozenset[str] = frozenset()
    seconds_off: float = 0.0

    @property
    def is_agent(self) -> bool:
        """Whether the app is declared an agent: only then Slack grants `assistant:write`."""
        return "assistant:write" in self.scopes

    def is_home(self, team_id: str) -> bool:
        """Whether the team is the workspace of this installation, or of the same organisation."""
        return team_id in (self.team_id, self.enterprise_id)

    def owns(self, payload: Payload) -> bool:
        """Whether an event, an interaction or a command is for this installation, not for another of the same app.

        `authorizations` decides, for in a shared channel the envelope's team may be another one (Events API, "Event
        type structure"). Where no entry of it names a team or an organisation, the envelope does; what names nobody
        at all came over our own signature or socket, so it is ours.
        """
        authorized = list(_named(_installation(entry) for entry in payload.get("authorizations") or ()))
        named = authorized or list(_named(_envelope(payload)))
        return not named or any(self.is_home(name) for name in named)

    def is_person(self, message: Payload) -> bool:
        """A bot's own post has no subtype today, only `bot_id`; Slackbot and the bot itself are no persons either."""
        user = message.get("user")
        return bool(user) and user not in (self.user_id, "USLACKBOT", "UREVOKEDU") and not message.get("bot_id")

    def is_ours(self, message: Payload) -> bool:
        """Whether the bot wrote the message."""
        return message.get("user") == self.user_id or (bool(self.bot_id) and message.get("bot_id") == self.bot_id)

    def standing_of(self, event: Payload) -> Standing:
        """Say what an event tells of its person, who may be of another workspace in a shared channel."""
        return self.standing_of_team(event.get("user_team") or event.get("source_team"))

    def standing_of_team(self, team_id: str | None) -> Standing:
        """A guest looks like a member here; the adapter looks people up where the difference counts."""
        return "external" if team_id is not None and not self.is_home(team_id) else "member"


def accounts_of(payload: Payload) -> list[str]:
    """Name the installations that a payload may be for: organisations, workspaces; see `Identity.owns`."""
    authorized = list(_named(_installation(entry) for entry in payload.get("authorizations") or ()))
    return [str(name) for name in dict.fromkeys(authorized or [*_named(_envelope(payload))])]


def _named(names: Iterable[Any]) -> Iterator[Any]:
    return (name for name in names if name)


def _installation(entry: Payload) -> Any:
    """The organisation of an installation for all its workspaces, else the workspace."""
    team, enterprise = entry.get("team_id"), entry.get("enterprise_id")
    return (enterprise or team) if entry.get("is_enterprise_install") else (team or enterprise)


def _envelope(payload: Payload) -> tuple[Any, ...]:
    """Say which workspaces the payload itself names, or else which organisations.

    A form that somebody of another workspace sends off names that one as `team`, and the one where the app is as
    `app_installed_team_id`; Bolt reads them in this order too. A click of somebody of another workspace names ours.
    """
    installed = (payload.get("view") or {}).get("app_installed_team_id")
    teams = (
        (installed,)
        if installed
        else (payload.get("team_id"), payload.get("context_team_id"), _id(payload.get("team")))
    )
    organisations = (
        payload.get("enterprise_id"),
        payload.get("context_enterprise_id"),
        _id(payload.get("enterprise")),
    )
    installed_for_all = str(payload.get("is_enterprise_install")).lower() == "true"  # a form says it as a word
    first, second = (organisations, teams) if installed_for_all else (teams, organisations)
    return first if any(first) else second


def _id(value: Any) -> Any:
    """A workspace or an organisation is an object with an `id`, or the id alone."""
    return value.get("id") if value and not isinstance(value, str) else value
