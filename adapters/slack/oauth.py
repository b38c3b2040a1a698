"""Installing the app by OAuth: `/slack/install` sends a browser to Slack, `/slack/oauth_redirect` takes it back."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from slack_sdk.oauth import AuthorizeUrlGenerator

from adapters.slack.client import Client
from adapters.slack.identity import Identity
from adapters.slack.installations import Installation, Installations
from bot.adapter import Host
from bot.errors import BotError, Misconfigured
from bot.shared import is_loopback

INSTALL_PATH: Final = "/slack/install"
REDIRECT_PATH: Final = "/slack/oauth_redirect"
STATE_SECONDS: Final = 600
"""How long a person may take to say yes at Slack."""
MOST_STATES: Final = 1_000
"""Installs under way at once; a further one has to wait until others are over."""
COOKIE: Final = "uppzy_slack_state"
COOKIE_PATH: Final = "/slack"
STATES: Final = "slack:state:"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
AUTHORIZE_URL: Final = "https://slack.com/oauth/v2/authorize"

log = logging.getLogger(__name__)


class InstallFlow:
    """The two addresses of one app. A state is good for one browser, once, for ten minutes.

    What is kept of it in the vault is the hash of the browser's cookie: whoever sees the state's address alone can do
    nothing with it.
    """

    def __init__(
        self,
        app: str,
        client_id: str,
        scopes: list[str],
        installations: Installations,
        client: Client,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._installations = installations
        self._client = client
        self._clock = clock
        # GovSlack has an address of its own, and so has a Slack on loopback.
        address = client.base_url.removesuffix("api/")
        authorize = AUTHORIZE_URL if address == "https://slack.com/" else f"{address}oauth/v2/authorize"
        self._addresses = AuthorizeUrlGenerator(client_id=client_id, scopes=scopes, authorization_url=authorize)
        self._host: Host | None = None

    def serve(self, host: Host) -> None:
        """Serve the two addresses."""
        self._host = host
        host.serve("GET", INSTALL_PATH, self.install)
        host.serve("GET", REDIRECT_PATH, self.redirect)

    async def install(self, request: web.Request) -> web.StreamResponse:
        """Send the browser to Slack, with a new state. `?app=NAME` names one of several apps."""
        if request.query.get("app", self._app) != self._app:
            return web.Response(status=403)
        vault = self._vault
        now, names = int(self._clock()), await vault.names(STATES)
        alive = 0
        for name in names:
            if _ends(name.removeprefix(STATES)) < now:
                await vault.put(name, None)
            else:
                alive += 1
        if alive >= MOST_STATES:
            return _page(503, "Too many installations are under way.", "Try again in ten minutes.")
        state = f"{now + STATE_SECONDS}.{secrets.token_urlsafe(24)}.{self._app}"
        browser = secrets.token_urlsafe(24)
        try:
            await vault.put(f"{STATES}{state}", _hash(browser))
        except Misconfigured as error:
            log.error("the app cannot be installed: %s", error)  # noqa: TRY400  # no mistake of ours
            return _page(503, "The app cannot be installed now.", "The people who run it must set BOT_ENCRYPTION_KEY.")
        response = web.Response(status=302, headers={**HEADERS, "Location": self._addresses.generate(state)})
        local = is_loopback((request.url.host or "").strip("[]"))
        response.set_cookie(
            COOKIE,
            browser,
            max_age=STATE_SECONDS,
            path=COOKIE_PATH,
            httponly=True,
            samesite="Lax",
            secure=not local,
        )
        return response

    async def redirect(self, request: web.Request) -> web.StreamResponse:
        """Take the browser back: check its state, exchange the code, store the installation."""
        state = request.query.get("state", "")
        if state.count(".") >= 2 and state.split(".", 2)[2] != self._app:
            return web.Response(status=403)
        if not await self._is_good(state, request.cookies.get(COOKIE, "")):
            return _again("This installation was not begun here, or more than ten minutes ago.")
        if request.query.get("error") or not request.query.get("code"):
            return _again("Slack says that the app was not installed.")
        try:
            installed = await self._exchange(request.query["code"])
            await self._installations.save(installed)
        except (BotError, KeyError, TypeError, ValueError) as error:
            log.warning("an installation failed: %s", error if isinstance(error, BotError) else type(error).__name__)
            return _again("Slack did not hand the app over.", status=502)
        log.info("the app was installed in %s", installed.account)
        response = _page(200, "The app is installed.", "You can close this page and go back to Slack.")
        response.del_cookie(COOKIE, path=COOKIE_PATH)
        return response

    async def _is_good(self, state: str, browser: str) -> bool:
        """Whether a state was begun here, by this browser, lately, and not yet used; it is used up by a right guess."""
        if not browser or len(state) > 300 or _ends(state) < self._clock():
            return False
        name = f"{STATES}{state}"
        kept = await self._vault.get(name)
        if kept is None or not hmac.compare_digest(kept, _hash(browser)):
            return False
        return await self._vault.take(name) is not None

    async def _exchange(self, code: str) -> Installation:
        answer = await self._installations.access({"code": code})
        token = str(answer["access_token"])
        organisation = answer.get("enterprise") or {}
        identity = await Client(token, self._client.base_url, shares=self._client).who_am_i()
        if answer.get("is_enterprise_install"):
            identity = _of_organisation(identity, organisation)
        return Installation(
            identity=identity,
            token=token,
            refresh_token=answer.get("refresh_token"),
            expires_at=self._installations.ends_at(answer),
        )

    @property
    def _vault(self) -> Any:
        assert self._host is not None
        return self._host.vault


def _of_organisation(identity: Identity, organisation: dict[str, Any]) -> Identity:
    """The account of an installation for all workspaces is the organisation."""
    enterprise = str(organisation["id"])
    return Identity(
        team_id=enterprise,
        enterprise_id=enterprise,
        user_id=identity.user_id,
        bot_id=identity.bot_id,
        team=str(organisation.get("name") or ""),
        user=identity.user,
        workspace_url=identity.workspace_url,
        scopes=identity.scopes,
    )


def _ends(state: str) -> float:
    """Read when a state ends, in seconds since the epoch; 0 for what is none."""
    first = state.partition(".")[0]
    return float(first) if first.isascii() and first.isdigit() and len(first) <= 12 else 0.0


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _again(headline: str, status: int = 400) -> web.Response:
    return _page(status, headline, f'<a style="color:inherit" href="{INSTALL_PATH}">Begin again.</a>')


def _page(status: int, headline: str, words: str) -> web.Response:
    """Make a page of words of ours; `words` may be HTML."""
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<meta name=color-scheme content='light dark'><title>{headline}</title>"
        "<body style='font-family:sans-serif;margin:4rem auto;padding:0 1rem;max-width:32rem'>"
        f"<main><h1 style='font-size:1.4rem'>{headline}</h1><p>{words}</p></main></body></html>"
    )
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)
