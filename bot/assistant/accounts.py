"""Workspaces, their sites, keys and plans. They are given at the start and live in memory."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a workspace may do; None is no limit."""

    name: str = "demo"
    api_access: bool = True
    requests_per_minute: int | None = None
    messages_per_month: int | None = 1_000_000
    documents: int | None = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAccount:
    """A workspace. Several keys may be valid at once, as during a rotation."""

    id: str
    sites: tuple[str, ...]
    keys: tuple[str, ...] = field(repr=False)
    name: str = ""
    plan: Plan = Plan()


class Accounts:
    """Who may come in, and as whom."""

    def __init__(self, tenants: tuple[TenantAccount, ...]) -> None:
        self._tenants: dict[str, TenantAccount] = {}
        self._keys: dict[str, str] = {}
        self._calls: dict[str, deque[float]] = {}
        for tenant in tenants:
            self.add(tenant)

    def add(self, tenant: TenantAccount) -> None:
        """Take a workspace in, or replace the one of that id; keys it no longer names are void."""
        self._keys = {key: owner for key, owner in self._keys.items() if owner != tenant.id}
        self._tenants[tenant.id] = tenant
        for key in tenant.keys:
            self._keys[key] = tenant.id

    def revoke(self, key: str) -> None:
        """Make a key void from the next request on."""
        self._keys.pop(key, None)

    def by_key(self, key: str) -> TenantAccount | None:
        """The workspace a key opens."""
        owner = self._keys.get(key)
        return self._tenants[owner] if owner is not None else None

    def by_site(self, site_id: str) -> TenantAccount | None:
        """The workspace a site belongs to."""
        return next((tenant for tenant in self._tenants.values() if site_id in tenant.sites), None)

    def wait(self, tenant: TenantAccount) -> float:
        """Count a call; 0 if it may go on, else the seconds until the plan lets one in again."""
        limit = tenant.plan.requests_per_minute
        if limit is None:
            return 0.0
        now = time.monotonic()
        calls = self._calls.setdefault(tenant.id, deque())
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= limit:
            return max(calls[0] + 60 - now, 0.001) if calls else 60.0
        calls.append(now)
        return 0.0
