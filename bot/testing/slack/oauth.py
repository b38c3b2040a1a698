"""The loopback Slack hands its app over: a page that asks, codes, tokens of further workspaces, their renewal."""

from __future__ import annotations

import html
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from bot.testing.slack import payloads
from bot.testing.slack.rules import Refused

if TYPE_CHECKING:
    from bot.testing.slack.platform import FakeSlack

CLIENT_ID = "123.456"
CLIENT_SECRET = "loopback-client-secret"  # of nobody


@dataclass
class Grant:
    """What a person said yes to: the app in a workspace or, with `org`, in all of an organisation's."""

    team: str
    org: bool = False
    expires_in: int | None = None


@dataclass
class Oauth:
    """`grants`: code → what it stands for; a code is good once. `holders`: token → grant. `redirect_url`: of the app.
    `dead`: tokens that are good no more."""

    slack: FakeSlack
    grants: dict[str, Grant] = field(default_factory=dict)
    holders: dict[str, Grant] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    refreshable: dict[str, Grant] = field(default_factory=dict)
    redirect_url: str = ""
    next_grant: Grant = field(default_factory=lambda: Grant("T9"))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def page(self, request: web.Request) -> web.Response:
        """Ask whether the app may be installed, as `/oauth/v2/authorize` does."""
        if request.query.get("client_id") != CLIENT_ID or not request.query.get("scope"):
            return web.Response(status=400, text="no such app")
        state = request.query.get("state", "")
        yes = f"{self.redirect_url}?{urlencode({'code': self.code(self.next_grant), 'state': state})}"
        no = f"{self.redirect_url}?{urlencode({'error': 'access_denied', 'state': state})}"
        text = f"<!doctype html><title>Slack</title><a id=yes href='{html.escape(yes)}'>Allow</a> " + (
            f"<a id=no href='{html.escape(no)}'>Cancel</a>"
        )
        return web.Response(text=text, content_type="text/html")

    def code(self, grant: Grant) -> str:
        """Make a code for a grant."""
        code = f"code-{next(self._numbers)}"
        self.grants[code] = grant
        return code

    def access(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer `oauth.v2.access`."""
        if arguments.get("client_id") != CLIENT_ID or arguments.get("client_secret") != CLIENT_SECRET:
            raise Refused("bad_client_secret")
        if arguments.get("grant_type") == "refresh_token":
            grant = self.refreshable.pop(str(arguments.get("refresh_token")), None)
            if grant is None:
                raise Refused("invalid_refresh_token")
            return self._issued(grant)
        found = self.grants.pop(str(arguments.get("code")), None)
        if found is None:
            raise Refused("invalid_code")
        organisation = {"id": found.team, "name": f"Org {found.team}"} if found.org else None
        return {
            **self._issued(found),
            "app_id": payloads.APP,
            "bot_user_id": self.slack.bot_user,
            "team": None if found.org else {"id": found.team, "name": f"Team {found.team}"},
            "enterprise": organisation,
            "is_enterprise_install": found.org,
        }

    def _issued(self, grant: Grant) -> dict[str, Any]:
        number = next(self._numbers)
        token = f"xoxb-{number:06d}-loopback-installed-{grant.team}"
        self.holders[token] = grant
        issued: dict[str, Any] = {"access_token": token, "token_type": "bot"}
        if grant.expires_in is not None:
            self.ends[token] = time.time() + grant.expires_in
            refresh = f"xoxe-1-{number:06d}-loopback-refresh-{grant.team}"
            self.refreshable[refresh] = grant
            issued |= {"expires_in": grant.expires_in, "refresh_token": refresh}
        return issued

    def holder(self, token: str) -> Grant | None:
        """Return the grant of a token that is good now."""
        if self.ends.get(token, time.time() + 1) < time.time():
            return None
        return self.holders.get(token)
