"""Sends traces to an OpenTelemetry collector, with the OpenTelemetry SDK, in the background.

Resource, sampler, queue, client and protocol are the SDK's, with its `OTEL_` variables. Its tracer and its encoder are
left out: they lock, copy and check each attribute for code that nobody knows, which would cost a turn a millisecond.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from opentelemetry.exporter.otlp.proto.common._internal import _encode_resource as encode_resource
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanContext, TraceFlags

import bot
from bot.telemetry.traces import HttpAttempt, Piece, TraceIds, Traces, TraceSpan

CLOSE_SECONDS: Final = 0.5
"""How long the last spans may take at the end of the process; what a collector has not taken by then is lost."""

KINDS: Final[Mapping[Piece, ProtoSpan.SpanKind.ValueType]] = {
    "question": ProtoSpan.SPAN_KIND_CONSUMER,
    "event": ProtoSpan.SPAN_KIND_CONSUMER,
    "submit": ProtoSpan.SPAN_KIND_CLIENT,
    "poll": ProtoSpan.SPAN_KIND_CLIENT,
    "send": ProtoSpan.SPAN_KIND_PRODUCER,
    "feedback": ProtoSpan.SPAN_KIND_CLIENT,
}
OPERATIONS: Final[Mapping[Piece, str]] = {"question": "process", "event": "receive", "send": "send"}
"""The pieces that are messaging, by the operation's name in the semantic conventions."""
TEMPLATES: Final[Mapping[Piece, str]] = {
    "submit": "POST /m2m/sites/{site_id}/chat/async",
    "poll": "GET /m2m/sites/{site_id}/chat/requests/{request_id}",
    "feedback": "POST /m2m/sites/{site_id}/chat/feedback",
}
"""The names of the spans that are calls of the API: method and template of the path."""
FLAGS: Final = 0x101
"""Sampled, and not remote, as the protocol's flags of a span say it."""
ALL_SAMPLED: Final = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
"""What the SDK's queue looks at; what is not sampled never comes there."""


class _Queued(ReadableSpan):
    """A span in the SDK's queue, as it is told; it is put into the protocol's form where it is sent."""

    def __init__(self, told: TraceSpan) -> None:  # the SDK's own would copy what nobody reads
        self._context = ALL_SAMPLED
        self.told = told


class Exporter(OTLPSpanExporter):
    """The SDK's exporter, with spans that are put into the protocol's form at once."""

    def __init__(self, resource: Resource, certificate_file: str | None) -> None:
        super().__init__(certificate_file=certificate_file)
        self._resource = encode_resource(resource)
        self._servers: dict[str, dict[str, str | int]] = {}

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; the SDK's client tries again, bounded by OTEL_EXPORTER_OTLP_TIMEOUT."""
        request = ExportTraceServiceRequest()
        if spans:
            one = request.resource_spans.add(resource=self._resource)
            scope = one.scope_spans.add()
            scope.scope.name, scope.scope.version = "uppzy-bot", bot.__version__
            for span in spans:
                if isinstance(span, _Queued):
                    self._add(scope, span.told)
        sent = self._client.export(request.SerializeToString())
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE

    def _add(self, scope: ScopeSpans, told: TraceSpan) -> None:
        ids, piece, began = told.trace.ids, told.piece, told.began or told.ended
        attributes = self._attributes(told)
        span = scope.spans.add(
            trace_id=ids.trace.to_bytes(16),
            span_id=told.id.to_bytes(8),
            name=TEMPLATES.get(piece) or f"{OPERATIONS[piece]} {told.trace.question.channel}",
            kind=KINDS[piece],
            flags=FLAGS,
            start_time_unix_nano=_nanoseconds(began),
            end_time_unix_nano=_nanoseconds(told.ended),
        )
        if piece != "question":
            span.parent_span_id = ids.root.to_bytes(8)
        elif told.trace.question.generation:  # leads to what became of it before it was opened again
            before = TraceIds.of(told.trace.question.reference, told.trace.question.generation - 1)
            span.links.add(trace_id=before.trace.to_bytes(16), span_id=before.root.to_bytes(8), flags=FLAGS)
        _put(span, attributes)
        for call in told.calls if piece == "poll" else told.calls[:-1]:
            _put(span.events.add(name=piece, time_unix_nano=_nanoseconds(call.at)), _status(call))
        if "error.type" in attributes:
            span.status.code = Status.STATUS_CODE_ERROR

    def _attributes(self, told: TraceSpan) -> dict[str, str | int]:
        question, piece, error = told.trace.question, told.piece, told.error
        if (operation := OPERATIONS.get(piece)) is not None:
            said: dict[str, str | int] = {
                "messaging.system": question.channel,
                "messaging.operation.name": operation,
                "messaging.operation.type": operation,
            }
            if piece == "question":
                said |= {"session.id": question.session_id, "uppzy_bot.reference": question.reference}
        elif told.calls:
            said = self._http(told)
            if error and not told.calls[-1].status.startswith("2"):
                error = told.calls[-1].status
        else:
            said = {}
        said |= told.attributes
        if error:
            said["error.type"] = error
        else:
            said.pop("error.type", None)
        return said

    def _http(self, told: TraceSpan) -> dict[str, str | int]:
        last = told.calls[-1]
        origin, _, _ = last.url.partition("/m2m/")
        if (server := self._servers.get(origin)) is None:
            server = self._servers[origin] = _server(origin)
        said = {"http.request.method": last.method, "url.full": last.url, **server, **_status(last)}
        if told.piece != "poll" and len(told.calls) > 1:
            said["http.request.resend_count"] = len(told.calls) - 1
        return said


class OtelTraces(Traces):
    """Spans, queued and sent in batches by a thread; a full queue drops the oldest."""

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float]) -> None:
        super().__init__(clock)
        provider = TracerProvider(resource=_resource(environ), shutdown_on_exit=False)
        self._sampler = provider.sampler
        self._processor = BatchSpanProcessor(exporter(environ, provider.resource))

    def is_sampled(self, ids: TraceIds) -> bool:
        """Whether the sampler of OTEL_TRACES_SAMPLER keeps the trace."""
        return self._sampler.should_sample(None, ids.trace, "process").decision is Decision.RECORD_AND_SAMPLE

    def export(self, span: TraceSpan) -> None:
        """Queue a span."""
        self._processor.on_end(_Queued(span))

    async def close(self) -> None:
        """Send what is left; a collector that does not answer is not waited for."""
        thread = threading.Thread(target=self._processor.shutdown, daemon=True, name="traces-close")
        thread.start()
        await asyncio.to_thread(thread.join, CLOSE_SECONDS)


def exporter(environ: Mapping[str, str], resource: Resource) -> Exporter:
    """Make what speaks to the collector; its certificate may be in SSL_CERT_FILE, as that of everybody else."""
    own = ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
    given = any(environ.get(name) for name in own)
    return Exporter(resource, None if given else environ.get("SSL_CERT_FILE"))


def reaches(environ: Mapping[str, str]) -> bool:
    """Whether the collector takes a request without spans. Blocks for some seconds where it does not answer."""
    one = exporter(environ, Resource.get_empty())
    try:
        return one.export(()) is SpanExportResult.SUCCESS
    finally:
        one.shutdown()  # type: ignore[no-untyped-call]  # the library's own annotation is missing


def _resource(environ: Mapping[str, str]) -> Resource:
    """Say which process this is; the OTEL_ variables may say it otherwise."""
    own = {"service.version": bot.__version__, "service.instance.id": str(uuid4())}
    if not environ.get("OTEL_SERVICE_NAME") and "service.name=" not in environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        own["service.name"] = "uppzy-bot"
    return Resource.create(own)


def _server(origin: str) -> dict[str, str | int]:
    parts = urlsplit(origin)
    return {"server.address": parts.hostname or "", "server.port": parts.port or 443}


def _status(call: HttpAttempt) -> dict[str, str | int]:
    return {"http.response.status_code": int(call.status)} if call.status.isdigit() else {"error.type": call.status}


def _put(where: ProtoSpan | ProtoSpan.Event, attributes: Mapping[str, str | int]) -> None:
    for key, value in attributes.items():
        pair = where.attributes.add(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1_000_000) * 1000
