"""What the operations work with, and one request on its way through them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel

from bot.assistant.accounts import Accounts, TenantAccount
from bot.assistant.chats import Chats
from bot.assistant.contract import Operation
from bot.assistant.counts import Usage
from bot.assistant.database import AssistantDatabase
from bot.assistant.documents import Documents
from bot.assistant.faults import Fault, Faults
from bot.assistant.recorder import Recorder
from bot.assistant.script import Script

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts of a running assistant."""

    database: AssistantDatabase
    accounts: Accounts
    documents: Documents
    chats: Chats
    usage: Usage
    faults: Faults
    recorder: Recorder
    script: Script


@dataclass(slots=True, kw_only=True)
class Call:
    """One checked request: the key is valid, the path is the tenant's own, body and query are as described."""

    service: Service
    operation: Operation
    request: web.Request
    tenant: TenantAccount
    body: BaseModel | None = None
    query: BaseModel | None = None
    fault: Fault | None = None
    path: dict[str, str] = field(default_factory=dict)

    @property
    def site_id(self) -> str:
        """The site in the path."""
        return self.path["site_id"]

    def read(self, model: type[M]) -> M:
        """The body, known to be of this model."""
        assert isinstance(self.body, model)
        return self.body

    def asked(self, model: type[M]) -> M:
        """The query, known to be of this model."""
        assert isinstance(self.query, model)
        return self.query


Result = dict[str, Any]
"""The fields of an operation's reply."""
