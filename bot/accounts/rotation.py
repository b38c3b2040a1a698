"""Keys, tokens and secrets of new settings, taken over without a restart; what else has changed is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.accounts.receiving import Make, Receiving
from bot.config import Config, Route, route_name
from bot.context import Context

RotateApi = Callable[[Config], Awaitable[frozenset[str]]]
"""Uses new API keys; returns the routes that keep theirs, see `ApiClients.rotate`."""

log = structlog.get_logger(__name__)


async def use_secrets(ctx: Context, config: Config, rotate_api: RotateApi, receiving: Receiving, make: Make) -> None:
    """Use the keys, tokens and secrets of new settings.

    An API key or a token counts once reads with it have worked, and until then the old one is used; a secret by which
    a channel signs, once a delivery has come with it, and until then the old one holds beside it. All other settings
    count from the next start, and so do routes and accounts that were added or changed.
    """
    if [_without_key(route) for route in ctx.config.routes] != [_without_key(route) for route in config.routes]:
        log.warning("config", name="routes", expected="a restart, for more than keys has changed there")
        config = config.model_copy(update={"routes": ctx.config.routes})
    kept = await rotate_api(config)
    routes = tuple(
        old if route_name(old) in kept else new for old, new in zip(ctx.config.routes, config.routes, strict=True)
    )
    changed: dict[str, object] = {"routes": routes, "encryption_keys": config.encryption_keys}
    if "" not in kept:
        changed["api_key"] = config.api_key
    ctx.config = ctx.config.model_copy(update=changed)
    if not await receiving.renew(config.accounts, make):
        log.warning("config", name="channels", expected="a restart, for more than secrets has changed there")


def _without_key(route: Route) -> Route:
    return route.model_copy(update={"api_key": None})
