"""A loopback OpenTelemetry collector: takes OTLP over HTTP, and reads it with the protocol's own definitions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True, slots=True)
class Told:
    """One span as it arrived. `process`: which process of which service sent it. Times in seconds since the epoch."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    began: float
    ended: float
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[str]
    failed: bool
    process: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """`spans` are those that arrived; `status` is what is answered."""

    url: str = ""
    status: int = 200
    spans: list[Told] = field(default_factory=list)
    raw: bytes = b""
    requests: int = 0
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Collector:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests += 1
        if self.status != 200:
            return web.Response(status=self.status)
        assert request.content_type == "application/x-protobuf"
        self.raw += body
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            process = values(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                assert of_scope.scope.name == "uppzy-bot"
                self.spans += [told(span, process) for span in of_scope.spans]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )

    def named(self, name: str) -> list[Told]:
        return [span for span in self.spans if span.name == name]

    async def until(self, predicate: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < end, [span.name for span in self.spans]
            await asyncio.sleep(0.02)


def told(span: Span, process: dict[str, Any]) -> Told:
    return Told(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        began=span.start_time_unix_nano / 1e9,
        ended=span.end_time_unix_nano / 1e9,
        attributes=values(span.attributes),
        events=[(event.name, values(event.attributes)) for event in span.events],
        links=[link.trace_id.hex() for link in span.links],
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        process=process,
    )


def values(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}
