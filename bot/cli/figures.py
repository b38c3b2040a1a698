"""`stats` and `limits`: what the API says of the tenant and the site."""

from __future__ import annotations

import asyncio

from bot.cli.output import Json, api, document, progress, reading, table


async def stats(*, user: str | None = None, json: Json = False) -> None:
    """Show the API's statistics of the tenant and the site.

    Parameters
    ----------
    user
        The statistics of one person instead, by the e-mail address the API knows.
    """
    async with api() as client:
        with progress("asking the API"):
            if user is not None:
                parts = {"user": await reading(lambda: client.user_statistics(user))}
            else:
                tenant, site = await asyncio.gather(reading(client.tenant_statistics), reading(client.site_statistics))
                parts = {"tenant": tenant, "site": site}
    if json:
        document({name: figures.values for name, figures in parts.items()})
        return
    rows = [(name, what, value) for name, figures in parts.items() for what, value in figures.numbers().items()]
    table(("of", "what", "value"), rows, empty="The API gave no figures.")


async def limits(*, json: Json = False) -> None:
    """Show the tenant's limits, and how much of them is used."""
    from bot.api.assumptions import used_ratios

    async with api() as client:
        with progress("asking the API"):
            limits, usage = await asyncio.gather(reading(client.limits), reading(client.usage))
    ratios = used_ratios(limits.values, usage.values)
    if json:
        document({"limits": limits.values, "usage": usage.values, "used_ratio": ratios})
        return
    rows = [("limit", what, value) for what, value in limits.numbers().items()]
    rows += [("used", what, value) for what, value in usage.numbers().items()]
    shown = [(*row, "") for row in rows] + [("ratio", what, "", f"{ratio:.0%}") for what, ratio in ratios.items()]
    table(("of", "what", "value", "used"), shown, empty="The API names no limits.")
