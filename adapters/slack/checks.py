"""What `doctor` says about Slack: token, scopes, event delivery, Socket Mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from adapters.slack.client import Client
from adapters.slack.config import SlackSettings
from adapters.slack.http import EVENTS_PATH, FRESH_SECONDS
from adapters.slack.identity import Identity
from adapters.slack.manifest import AGENT_ONLY, MANIFEST, NOT_NEEDED, SCOPES, WANTED
from bot.adapter import Check, Want
from bot.errors import BotError, Misconfigured, Unavailable
from bot.shared import way_to

REACH: Final = "Check the network, SLACK_API_URL and status.slack.com."
RENEW_BOT: Final = (
    "Copy the Bot User OAuth Token of the app (OAuth & Permissions) into SLACK_BOT_TOKEN; if that is what is set, "
    "install the app again first."
)
RENEW_APP: Final = "Make an app-level token with connections:write and set SLACK_APP_TOKEN."
RENEW_CONFIG: Final = "Make a new configuration token, for it lives twelve hours, and set SLACK_CONFIG_TOKEN."


async def check_account(
    settings: SlackSettings, client: Client, wants: frozenset[Want], *, open_sockets: int = 0
) -> list[Check]:
    """Look at everything that can be looked at from here; a failure is a finding, never an exception."""
    try:
        identity = await client.who_am_i()
    except BotError as error:
        refused = isinstance(error, Misconfigured) and error.reason not in ("url", "redirect")
        way = Check(check="slack way", status="ok", detail=way_to(client.base_url).words)
        return [way, Check(check="slack token", status="fail", detail=str(error), fix=RENEW_BOT if refused else REACH)]
    name = f"{identity.user or identity.user_id} in {identity.team or identity.team_id}"
    return [
        Check(check="slack way", status="ok", detail=way_to(client.base_url).words),
        Check(check="slack token", status="ok", detail=f"The bot is {name}."),
        *_ends(settings),
        _clock(identity),
        _scopes(identity, wants),
        await _safely("slack events", lambda: _delivery(settings), RENEW_CONFIG),
        await _safely("slack socket mode", lambda: _socket_mode(settings, client, open_sockets), RENEW_APP),
    ]


def _ends(settings: SlackSettings) -> list[Check]:
    """Warn of a token that ends by itself: of one from the settings nobody has what renews it."""
    token = settings.bot_token.get_secret_value() if settings.bot_token else ""
    if not token.startswith("xoxe."):
        return []
    return [
        Check(
            check="slack token expiry",
            status="warn",
            detail="The app has token rotation on: SLACK_BOT_TOKEN ends within twelve hours of when it was made.",
            fix="Let the workspace install the app by OAuth (SLACK_CLIENT_ID), which renews its token, or change the "
            "token in time and send SIGHUP.",
        )
    ]


def _clock(identity: Identity) -> Check:
    off = abs(identity.seconds_off)
    if off < FRESH_SECONDS / 5:
        return Check(check="slack clock", status="ok", detail=f"This machine and Slack agree within {off + 1:.0f} s.")
    return Check(
        check="slack clock",
        status="fail" if off >= FRESH_SECONDS else "warn",
        detail=f"This machine's clock is {off:.0f} s off Slack's; signatures older than {FRESH_SECONDS} s are refused.",
        fix="Switch on time synchronisation (NTP) on this machine.",
    )


def _scopes(identity: Identity, wants: frozenset[Want]) -> Check:
    if not identity.scopes:
        return Check(
            check="slack scopes",
            status="warn",
            detail="Slack did not say which scopes the token has.",
            fix="Compare OAuth & Permissions in the app's settings with `uppzy-bot manifest slack`.",
        )
    missing = sorted(set(SCOPES) - identity.scopes)
    needed = [scope for scope in missing if scope not in AGENT_ONLY | NOT_NEEDED]
    if needed:
        return Check(
            check="slack scopes",
            status="fail",
            detail=f"The token lacks {', '.join(needed)}.",
            fix="Apply the manifest (`uppzy-bot manifest slack --apply`) and install the app again.",
        )
    useful = {scope: SCOPES[scope] for scope in NOT_NEEDED} | dict(WANTED[want] for want in wants)
    if lacking := sorted(set(useful) - identity.scopes):
        return Check(
            check="slack scopes",
            status="warn",
            detail=f"The token lacks {'; '.join(f'{scope}, which {useful[scope]}' for scope in lacking)}.",
            fix="Apply the manifest (`uppzy-bot manifest slack --apply`) and install the app again.",
        )
    if missing:
        return Check(
            check="slack scopes",
            status="ok",
            detail="All scopes but those of the agent view are there: the eyes stand for work, no stop button.",
        )
    return Check(check="slack scopes", status="ok", detail="The token has every scope of the manifest.")


async def _delivery(settings: SlackSettings) -> Check:
    """Compare the app's own settings with the manifest, where a configuration token lets us read them."""
    way = "Socket Mode" if settings.socket_mode else f"POST {EVENTS_PATH}"
    if settings.config_token is None:
        return Check(
            check="slack events",
            status="warn",
            detail=f"Events are expected over {way}; whether the app subscribes to them was not looked up.",
            fix="Set SLACK_CONFIG_TOKEN to let doctor compare, or mention the bot in a channel and see it answer.",
        )
    differences = await MANIFEST.differences(settings)
    if differences is None:
        return Check(
            check="slack events",
            status="warn",
            detail=f"Events are expected over {way}; which app the tokens belong to could not be found out.",
            fix="Set SLACK_APP_TOKEN, or give the bot the scope users:read, to let doctor compare.",
        )
    if differences:
        return Check(
            check="slack events",
            status="fail",
            detail=f"The app's settings differ from the manifest: {'; '.join(differences)}.",
            fix="Apply the manifest: `uppzy-bot manifest slack --apply`.",
        )
    return Check(check="slack events", status="ok", detail=f"The app subscribes to every event, over {way}.")


async def _socket_mode(settings: SlackSettings, client: Client, open_sockets: int) -> Check:
    if settings.app_token is None:
        return Check(check="slack socket mode", status="ok", detail="Not used: events come over HTTP.")
    if open_sockets:
        # Slack gives out few tickets a minute; who is connected needs no other.
        return Check(check="slack socket mode", status="ok", detail=f"{open_sockets} connections are open.")
    answer = await client.call("apps.connections.open", read=True, token=settings.app_token.get_secret_value())
    detail = f"Slack gave a ticket for a connection. {way_to(str(answer['url'])).words}"
    return Check(check="slack socket mode", status="ok", detail=detail)


async def _safely(name: str, look: Callable[[], Awaitable[Check]], renew: str) -> Check:
    try:
        return await look()
    except Misconfigured as error:
        return Check(check=name, status="fail", detail=str(error), fix=renew)
    except BotError as error:
        if isinstance(error, Unavailable) and error.reason == "rate_limited":
            detail = "Slack limits how often this may be asked, so it was not looked up."
            return Check(check=name, status="warn", detail=detail, fix="Look again in a minute.")
        return Check(check=name, status="fail", detail=str(error), fix=REACH)
    except (KeyError, TypeError, ValueError):
        return Check(check=name, status="warn", detail="Slack's answer could not be read.", fix=REACH)
