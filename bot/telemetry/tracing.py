"""Turns traces on where the environment of the process asks for them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import structlog

from bot.telemetry.traces import Traces

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""The variables of OpenTelemetry that name the collector; one of them turns traces on."""

log = structlog.get_logger(__name__)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    off = off or environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none"
    return not off and any(environ.get(name, "").strip() for name in ENDPOINTS)


def why_not(environ: Mapping[str, str]) -> str | None:
    """Say what stands in the way of traces that the environment asks for, None for nothing."""
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or ""
    if protocol.strip() not in ("", "http/protobuf"):
        return "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, the one protocol that traces are sent by (port 4318)"
    try:
        import bot.telemetry.otel  # noqa: F401
    except ImportError:
        return "the extra otel: pip install 'uppzy-bot[otel]'; until then no traces are sent"
    return None


def traces_of(environ: Mapping[str, str], clock: Callable[[], float]) -> Traces | None:
    """Make what sends traces where the environment asks for it, None otherwise. A wrong setting costs the traces alone,
    never the answers."""
    if not is_wanted(environ):
        return None
    if (expected := why_not(environ)) is not None:
        log.warning("config", name=next(name for name in ENDPOINTS if environ.get(name)), expected=expected)
        return None
    from bot.telemetry.otel import OtelTraces

    return OtelTraces(environ, clock)


@asynccontextmanager
async def sending(clock: Callable[[], float]) -> AsyncIterator[Traces | None]:
    """Lend what sends traces, None where the environment of the process asks for none."""
    traces = traces_of(os.environ, clock)
    try:
        yield traces
    finally:
        if traces is not None:
            await traces.close()
