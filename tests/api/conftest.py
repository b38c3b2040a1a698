"""A scripted server, and a client that talks to it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.api.http import Timeouts
from bot.telemetry.metrics import Metrics
from tests.api.server import ScriptedServer, running

KEY = "key-5f1d0c9b7a3e"

MakeClient = Callable[..., ApiClient]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with running() as found:
        yield found


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def make_client(server: ScriptedServer, metrics: Metrics) -> AsyncIterator[MakeClient]:
    made: list[ApiClient] = []

    def make(base_url: str | None = None, timeouts: Timeouts | None = None) -> ApiClient:
        client = ApiClient(
            base_url=base_url or server.base_url,
            api_key=SecretStr(KEY),
            tenant_id="tenant-1",
            site_id="site-1",
            gate=Gate(random.Random(1)),
            metrics=metrics,
            timeouts=timeouts,
        )
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def client(make_client: MakeClient) -> ApiClient:
    return make_client()
