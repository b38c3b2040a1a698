"""Structured logs on standard error: one line per happening, JSON or for a terminal, without secrets.

Everything goes through here, the standard library's loggers of the SDKs too. What is bound with `context`
(a turn's `reference`) stands in every line logged within, by whomever, in every task started within.

    log = get_logger(__name__)
    with context(reference="k3v9x2ab"):
        log.info("submitted", attempt=1)
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.contextvars import bound_contextvars as context
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.telemetry.redaction import Redactor

__all__ = ["add_secrets", "configure", "context", "get_logger", "redacted"]

QUIET = ("httpx", "httpcore", "slack_sdk", "slack_bolt", "telegram", "aiohttp", "asyncio", "markdown_it", "hpack")
"""Libraries that log addresses (a Telegram address holds the token) or bodies below WARNING."""

_redactor = Redactor()


def get_logger(name: str) -> Any:
    """Return a structlog logger that says in each line where it came from."""
    return structlog.get_logger(name)


def add_secrets(*secrets: str) -> None:
    """Keep these out of all logs from now on: a token that was stored, fetched or refreshed."""
    _redactor.add(*secrets)


def redacted(text: str) -> str:
    """Take out of a text what must not be in a log."""
    return _redactor(text)


def configure(
    *,
    level: Literal["debug", "info", "warning", "error"] = "info",
    style: Literal["console", "json"] = "json",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the process; may be called again, which forgets no secret.

    `stream` defaults to standard error. Colours are used on a terminal only.
    """
    out = _Out(stream)
    threshold = getattr(logging, level.upper())
    _redactor.add(*secrets)
    before: list[Processor] = [
        _name_of_logger,
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after: list[Processor] = [
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redact,
        _renderer(style, colors=out.stream.isatty()),
    ]
    structlog.configure(
        processors=[*before, *after],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *names: _Writer(out, *names),
        cache_logger_on_first_use=False,  # a module's logger must follow a later configure()
    )
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    handler.set_name("uppzy-bot")
    root = logging.getLogger()
    for old in [h for h in root.handlers if h.get_name() == "uppzy-bot"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(threshold)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    # It logs a traceback for every request that is no HTTP; those get 400 and are anybody's to send.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    logging.captureWarnings(True)


class _Out:
    """Where lines go. Standard error is looked up for each one: whoever replaces it wants the lines."""

    def __init__(self, stream: TextIO | None) -> None:
        self._given = stream
        self._lock = threading.Lock()

    @property
    def stream(self) -> TextIO:
        return self._given if self._given is not None else sys.stderr

    def line(self, text: str) -> None:
        with self._lock:
            self.stream.write(text + "\n")
            self.stream.flush()


class _Writer:
    """What structlog writes to; knows the name its logger was asked for with."""

    def __init__(self, out: _Out, name: str = "") -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = out.line


class _Handler(logging.Handler):
    """Sends the records of the standard library's loggers the same way."""

    def __init__(self, out: _Out) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.line(self.format(record))
        except Exception:
            self.handleError(record)


def _name_of_logger(logger: WrappedLogger, _: str, event: EventDict) -> EventDict:
    record: logging.LogRecord | None = event.get("_record")
    name = logger.name if record is None else record.name
    if name:
        event.setdefault("logger", name)
    return event


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    clean: MutableMapping[str, Any] = _redactor.clean(event)
    return clean


def _renderer(style: str, *, colors: bool) -> Processor:
    if style == "console":
        return structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback, pad_event_to=24
        )
    return structlog.processors.JSONRenderer(_dumps)


def _dumps(event: EventDict, **_: object) -> str:
    try:
        return orjson.dumps(event).decode()
    except TypeError:
        # An integer of more than 64 bits, or a lone surrogate: seldom, and no reason to lose the line.
        import json

        return json.dumps(event, default=str)
