"""Workspaces and sites: who they are, what they may, what they used, how they look."""

from __future__ import annotations

import json
import sqlite3

from bot.assistant.counts import statistics
from bot.assistant.models import WIDGET_DEFAULTS, HistoryQuery, WidgetPatch
from bot.assistant.service import Call, Result


async def tenant(call: Call) -> Result:
    """The workspace."""
    owner = call.tenant
    return {"id": owner.id, "name": owner.name or owner.id, "plan": owner.plan.name, "sites": list(owner.sites)}


async def limits(call: Call) -> Result:
    """The plan's limits."""
    plan = call.tenant.plan
    values = {
        "requests_per_minute": plan.requests_per_minute,
        "messages": plan.messages_per_month,
        "documents": plan.documents,
    }
    return {"tenant_id": call.tenant.id, "plan": plan.name, "limits": values}


async def usage(call: Call) -> Result:
    """Use of this month."""
    return {"tenant_id": call.tenant.id} | await call.service.usage.month(call.tenant.id, call.tenant.sites)


async def usage_history(call: Call) -> Result:
    """Use by day."""
    days = call.asked(HistoryQuery).days
    return {"tenant_id": call.tenant.id, "history": await call.service.usage.history(call.tenant.id, days)}


async def tenant_statistics(call: Call) -> Result:
    """Counts over all sites."""
    return {"tenant_id": call.tenant.id} | await statistics(call.service.database, call.tenant.sites)


async def site(call: Call) -> Result:
    """The site."""
    config = await _widget(call)
    return {"id": call.site_id, "tenant_id": call.tenant.id, "name": config["displayName"] or call.site_id}


async def site_statistics(call: Call) -> Result:
    """Counts of a site."""
    return {"site_id": call.site_id} | await statistics(call.service.database, [call.site_id])


async def user_statistics(call: Call) -> Result:
    """Counts of one person; zeros for somebody unknown, so that nobody can be found out."""
    email = call.path["email"]
    return {"site_id": call.site_id, "email": email} | await statistics(call.service.database, [call.site_id], email)


async def widget(call: Call) -> Result:
    """How the site presents itself."""
    return await _widget(call)


async def patch_widget(call: Call) -> Result:
    """Change what is named, leave the rest."""
    changes = call.read(WidgetPatch).model_dump(exclude_none=True)
    site_id = call.site_id

    def write(c: sqlite3.Connection) -> Result:
        config = _stored(c, site_id) | changes
        c.execute("INSERT OR REPLACE INTO widgets VALUES (?, ?)", (site_id, json.dumps(config)))
        return WIDGET_DEFAULTS | config

    return await call.service.database.write(write)


async def _widget(call: Call) -> Result:
    site_id = call.site_id
    return WIDGET_DEFAULTS | await call.service.database.read(lambda c: _stored(c, site_id))


def _stored(c: sqlite3.Connection, site_id: str) -> Result:
    row = c.execute("SELECT config FROM widgets WHERE site_id = ?", (site_id,)).fetchone()
    config: Result = {} if row is None else json.loads(row["config"])
    return config
