"""Who the bot is in a workspace; what `auth.test` said once at the start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The account and the bot's own ids, by which its own doings are told from other people's.

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
