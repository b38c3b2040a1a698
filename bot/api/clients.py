"""The clients of all sites that questions go to, with the keys of the settings; keys may be changed while they work."""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog
from pydantic import SecretStr

from bot.adapter import Vault
from bot.api.client import ApiClient
from bot.api.gate import Gates
from bot.api.http import Slots, shared_http
from bot.config import Config, Route, route_name, site_of
from bot.config.routes import NO_ROUTE, UNNAMED, figures_of
from bot.errors import BotError, Misconfigured
from bot.telemetry.logging import add_secrets
from bot.telemetry.metrics import Metrics

SITE_KEY: Final = "key:"
"""What the names of API keys in the vault begin with; the site follows."""

log = structlog.get_logger(__name__)


class ApiClients:
    """The client of each route; clients with the same key share its gate, and all share connections and their bound.

    They are made at the start: TLS reads its authorities for 50 ms, which the first question would wait for.
    """

    def __init__(self, config: Config, metrics: Metrics, calls: int) -> None:
        self.gates = Gates()
        metrics.lanes_waiting.labels(reason="gate").set_function(lambda: sum(gate.waiting for gate in self.gates.all()))
        self._http, self._slots = shared_http(config.base_url), Slots(calls)
        self._config, self._metrics = config, metrics
        self._keys: dict[str, SecretStr] = {}
        self._former: dict[str, ApiClient] = {}
        self._clients = {"": self._client(NO_ROUTE)}
        self._figures = {"": UNNAMED, **{route_name(route): figures_of(route) for route in reversed(config.routes)}}
        for route in reversed(config.routes):  # of two with the same patterns the first one is taken
            self._clients[route_name(route)] = self._client(route)
        for name in set(self._figures.values()):
            metrics.route_gate_shut.labels(route=name).set_function(partial(self._must_wait, name))

    def _client(self, route: Route) -> ApiClient:
        key = route.api_key or self._config.api_key or SecretStr("")
        return self._made(site_of(self._config, route), key, figures_of(route))

    def _made(self, site: str, key: SecretStr, route: str = UNNAMED) -> ApiClient:
        tenant_id, _, site_id = site.partition("/")
        return ApiClient(
            base_url=self._config.base_url,
            api_key=key,
            tenant_id=tenant_id,
            site_id=site_id,
            gate=self.gates.of(key),
            metrics=self._metrics,
            route=route,
            http=self._http,
            slots=self._slots,
        )

    def of_site(self, site: str) -> ApiClient:
        """Return the client of a site that open questions were sent to and no route leads to any more."""
        if (client := self._former.get(site)) is None:
            current = (client for client in self._clients.values() if f"{client.tenant_id}/{client.site_id}" == site)
            key = self._keys.get(site) or self._config.api_key or SecretStr("")
            client = self._former[site] = next(current, None) or self._made(site, key)
        return client

    async def remember(self, vault: Vault) -> None:
        """Keep the keys of the sites of the routes, and read those of former ones; needs BOT_ENCRYPTION_KEY."""
        if not self._config.encryption_keys:
            return
        try:
            kept = {name: await vault.get(name) or "" for name in await vault.names(SITE_KEY)}
        except Misconfigured as error:
            log.warning("routes.keys", hint=str(error))
            return
        for route in (NO_ROUTE, *reversed(self._config.routes)):
            name, key = f"{SITE_KEY}{site_of(self._config, route)}", route.api_key or self._config.api_key
            if key is not None and kept.get(name) != key.get_secret_value():
                await vault.put(name, key.get_secret_value())
        self._keys = {name.removeprefix(SITE_KEY): SecretStr(key) for name, key in kept.items()}

    def of_route(self, name: str) -> ApiClient:
        """Return the client of a route, "" for the site of the settings and for a route that is gone from them."""
        return self._clients.get(name) or self._clients[""]

    async def rotate(self, config: Config) -> frozenset[str]:
        """Use the keys of new settings, each once a call with it has read its site; return the routes that keep theirs.

        Until then, and where the API refuses the new key, the old one is used.
        """
        kept = set()
        for name, client in self._clients.items():
            route = next((route for route in config.routes if route_name(route) == name), NO_ROUTE)
            key = route.api_key or config.api_key
            if key is None or key == client.key:
                continue
            add_secrets(key.get_secret_value())
            try:
                await self._made(f"{client.tenant_id}/{client.site_id}", key).site()
            except BotError as error:
                kept.add(name)
                log.error("key.refused", route=name or "UPPZY_API_KEY", hint=str(error))  # noqa: TRY400  # no bug
            else:
                client.use_key(key, self.gates.of(key))
                log.info("key.changed", route=name or "UPPZY_API_KEY")
        self._config = config
        return frozenset(kept)

    async def suggestions(self) -> tuple[str, ...]:
        """Ask for the suggested questions of the site of the settings."""
        return (await self.of_route("").widget_config()).suggestions

    def waits_for(self) -> tuple[str, str] | None:
        """Say why calls with one of the keys have to wait, in a word and a sentence; None when they need not."""
        shut = [gate for gate in self.gates.all() if not gate.is_open]
        return (shut[0].reason, shut[0].trouble) if shut else None

    def tenants(self) -> list[tuple[frozenset[str], ApiClient]]:
        """Return a client of each tenant in use, with the names under which its figures are counted."""
        names: dict[tuple[str, int], set[str]] = {}
        clients: dict[tuple[str, int], ApiClient] = {}
        for name, client in self._clients.items():
            tenant = (client.tenant_id, id(client.gate))
            names.setdefault(tenant, set()).add(self._figures[name])
            clients.setdefault(tenant, client)
        return [(frozenset(names[tenant]), client) for tenant, client in clients.items()]

    def _must_wait(self, name: str) -> int:
        """Whether calls of a route that is counted under this name have to wait, as a metric's value."""
        return int(any(not client.gate.is_open for key, client in self._clients.items() if self._figures[key] == name))

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()
