"""`stats` and `limits`: what the API says of the tenant and the site."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.cli.output import Json, Route, api, document, progress, reading, table
from bot.cli.words import named


async def stats(*, user: str | None = None, route: Route = None, json: Json = False) -> None:
    """Show the API's statistics of the tenant and the site.

    Example: uppzy-bot stats

    Parameters
    ----------
    user
        The statistics of one person instead, by the e-mail address the API knows.
    """
    async with api(route=route) as client:
        with progress("asking the API"):
            if user is not None:
                parts = {"user": await reading(lambda: client.user_statistics(user))}
            else:
                tenant, site = await asyncio.gather(reading(client.tenant_statistics), reading(client.site_statistics))
                parts = {"tenant": tenant, "site": site}
    if json:
        document({name: figures.values for name, figures in parts.items()})
        return
    columns = {name: figures.numbers() for name, figures in parts.items()}
    names = list(dict.fromkeys(what for figures in columns.values() for what in figures))
    rows = [(named(what), *(figures.get(what, "") for figures in columns.values())) for what in names]
    table(("what", *columns), rows, empty="The API gave no figures.")


async def limits(*, route: Route = None, json: Json = False) -> None:
    """Show the tenant's limits, and how much of them is used.

    Example: uppzy-bot limits
    """
    from bot.api.assumptions import used_ratios

    async with api(route=route) as client:
        with progress("asking the API"):
            limits, usage = await asyncio.gather(reading(client.limits), reading(client.usage))
    ratios = used_ratios(limits.values, usage.values)
    if json:
        document({"limits": limits.values, "usage": usage.values, "used_ratio": ratios})
        return
    table(("limit", "used", "of", "share"), rows_of(limits.numbers(), usage.numbers(), ratios), empty="")


def rows_of(
    limits: Mapping[str, float], usage: Mapping[str, float], ratios: Mapping[str, float]
) -> list[tuple[object, ...]]:
    """Bring limits and what is used of them together by their names; what has no counterpart stands alone.

    >>> rows_of({"limits.messages": 200.0}, {"usage.messages": 50.0, "usage.users": 3.0}, {"messages": 0.25})
    [('messages', 50.0, 200.0, '25%'), ('users', 3.0, '', '')]
    """
    limit = {_plain(name): value for name, value in limits.items()}
    used = {_plain(name): value for name, value in usage.items()}
    names = list(dict.fromkeys([*limit, *used]))
    return [
        (named(name), used.get(name, ""), limit.get(name, ""), f"{ratios[name]:.0%}" if name in ratios else "")
        for name in names
    ]


def _plain(name: str) -> str:
    for wrapper in ("limits.", "usage."):
        name = name.removeprefix(wrapper)
    return name.removeprefix("max_").removesuffix("_limit").removesuffix("_used")
