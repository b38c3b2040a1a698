"""Workspaces and organisations that installed the app by OAuth: kept sealed, with tokens that are renewed in time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from adapters.slack.client import Client
from adapters.slack.identity import Identity
from bot.adapter import Host
from bot.errors import BotError, Misconfigured, Unavailable
from bot.shared import BoundedDict

RENEW_SECONDS: Final = 900.0
"""Before a token ends: it is renewed then. It lives twelve hours (docs.slack.dev, "Using token rotation")."""
KEEP: Final = 2_000
"""Installations in memory; of an account that installed nothing, that is kept for `ABSENT_SECONDS`."""
ABSENT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The app in one workspace, or in an organisation for all its workspaces. `expires_at`: seconds since the epoch."""

    identity: Identity
    token: str
    refresh_token: str | None = None
    expires_at: float | None = None

    @property
    def account(self) -> str:
        """The id of the workspace or, installed for all of its workspaces, of the organisation."""
        return self.identity.team_id

    def to_json(self) -> str:
        """Write it as it is sealed."""
        values = asdict(self)
        values["identity"]["scopes"] = sorted(self.identity.scopes)
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        identity = values.pop("identity")
        return cls(identity=Identity(**{**identity, "scopes": frozenset(identity["scopes"])}), **values)


class Installations:
    """What is stored of one app, `client_id`; and the renewal of its tokens, one at a time among all processes."""

    def __init__(
        self, client: Client, client_id: str, client_secret: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._host: Host | None = None
        self._known: BoundedDict[str, tuple[float, Installation | None]] = BoundedDict(KEEP)
        self.unrenewed: BoundedDict[str, tuple[float, str]] = BoundedDict(KEEP)
        """Accounts whose token could not be renewed lately: when it ends, and why, in a sentence."""

    def open(self, host: Host) -> None:
        """Use the vault of this host."""
        self._host = host

    async def of(self, account: str, *, anew: bool = False) -> Installation | None:
        """Return the installation of an account, None where there is none. `anew`: as it is stored now.

        Raises:
            Unavailable: it cannot be read now.
        """
        until, known = self._known.get(account, (0.0, None))
        if not anew and (known is not None or until > self._clock()):
            return known
        stored = await self._running().vault.get(self._name(account))
        found = None if stored is None else Installation.from_json(stored)
        self._known[account] = (self._clock() + ABSENT_SECONDS, found)
        return found

    async def accounts(self) -> Sequence[str]:
        """Name all accounts that have installed the app."""
        beginning = self._name("")
        return [name.removeprefix(beginning) for name in await self._running().vault.names(beginning)]

    async def save(self, installation: Installation) -> None:
        """Store an installation, in place of an earlier one of the same account."""
        await self._running().vault.put(self._name(installation.account), installation.to_json())
        self._known[installation.account] = (0.0, installation)
        self.unrenewed.pop(installation.account, None)

    async def remove(self, account: str) -> None:
        """Forget an installation: the app was uninstalled."""
        await self._running().vault.put(self._name(account), None)
        self._known[account] = (self._clock() + ABSENT_SECONDS, None)

    def doubt(self, account: str) -> None:
        """Slack has refused the token: read it again before the next call, for another process may have renewed it."""
        self._known.pop(account, None)

    async def token(self, account: str) -> str:
        """Return a token that holds for a while.

        Raises:
            Unavailable: it cannot be had now.
            Misconfigured: the app is not installed there any more, or its token cannot be renewed.
        """
        installation = await self.of(account)
        if installation is None:
            raise Misconfigured("The app is not installed in this workspace any more.", reason="account_gone")
        if not self._is_over_soon(installation):
            return installation.token
        # One at a time, in whatever process: a refresh token is good for one renewal.
        async with self._running().lease(f"{self._name(account)}:token"):
            stored = await self.of(account, anew=True)
            if stored is None:
                raise Misconfigured("The app is not installed in this workspace any more.", reason="account_gone")
            if not self._is_over_soon(stored):
                return stored.token
            try:
                renewed = await self._renew(stored)
            except BotError as error:
                self.unrenewed[account] = (stored.expires_at or 0.0, str(error))
                if not isinstance(error, Unavailable):
                    raise
                if (stored.expires_at or 0.0) > self._clock():
                    return stored.token  # it holds yet; the next call tries again
                raise
            await self.save(renewed)
            return renewed.token

    def _is_over_soon(self, installation: Installation) -> bool:
        return installation.expires_at is not None and installation.expires_at - RENEW_SECONDS < self._clock()

    async def _renew(self, installation: Installation) -> Installation:
        arguments = {"grant_type": "refresh_token", "refresh_token": installation.refresh_token or ""}
        answer = await self.access(arguments)
        return replace(
            installation,
            token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token") or installation.refresh_token),
            expires_at=self.ends_at(answer),
        )

    async def access(self, arguments: dict[str, str]) -> dict[str, Any]:
        """Call `oauth.v2.access`: exchange a code, or renew a token."""
        app = {"client_id": self._client_id, "client_secret": self._client_secret}
        return dict(await self._client.call("oauth.v2.access", {**app, **arguments}, read=True, token=""))

    def ends_at(self, answer: dict[str, Any]) -> float | None:
        """Read when a token of an answer ends; None for one that does not."""
        seconds = answer.get("expires_in")
        return self._clock() + float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None

    def _name(self, account: str) -> str:
        return f"slack:{self._client_id}:installation:{account}"

    def _running(self) -> Host:
        if self._host is None:
            raise Unavailable("Slack is not running yet.", reason="starting")
        return self._host
