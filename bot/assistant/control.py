"""`/control`: faults, scripted answers and the record of requests, for programs on this machine only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from bot.assistant.contract import OPERATIONS
from bot.assistant.errors import ApiError
from bot.assistant.faults import fault_from
from bot.assistant.http import JSON_LIMIT, local
from bot.assistant.service import Service

_RULE = ("endpoint", "contains", "times", "skip", "per_minute", "share", "every")
_LINE = ("contains", "answer", "delay", "error", "times")
_NAMES = {operation.name for operation in OPERATIONS}


def add_control(app: web.Application, service: Service) -> None:
    """Add the routes."""
    for method, path, handler in (
        ("POST", "/control/faults", _add_fault),
        ("DELETE", "/control/faults", _clear_faults),
        ("POST", "/control/script", _add_line),
        ("DELETE", "/control/script", _clear_script),
        ("GET", "/control/requests", _requests),
        ("DELETE", "/control/requests", _forget),
    ):
        app.router.add_route(method, path, _guarded(service, handler))


def _guarded(
    service: Service, handler: Callable[[Service, web.Request], Awaitable[web.Response]]
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not local(request):
            raise ApiError(404, "not found")
        return await handler(service, request)

    return guarded


async def _add_fault(service: Service, request: web.Request) -> web.Response:
    body = await _json(request)
    rule = {name: body.pop(name) for name in _RULE if name in body}
    if rule.get("endpoint") is not None and rule["endpoint"] not in _NAMES:
        raise ApiError(400, f"endpoint is one of {', '.join(sorted(_NAMES))}")
    _numbers(rule, "times", "skip", "per_minute", "share", "every")
    try:
        fault = fault_from(body)
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    service.faults.add(fault, **rule)
    return web.json_response({"status": "ok"}, status=201)


async def _clear_faults(service: Service, request: web.Request) -> web.Response:
    service.faults.clear()
    return web.json_response({"status": "ok"})


async def _add_line(service: Service, request: web.Request) -> web.Response:
    body = await _json(request)
    unknown = set(body) - set(_LINE)
    if unknown:
        raise ApiError(400, f"a scripted answer has no {', '.join(sorted(unknown))}")
    for name in ("contains", "answer", "error"):
        if not isinstance(body.get(name, ""), str | None):
            raise ApiError(400, f"{name} is a text")
    _numbers(body, "delay", "times")
    service.script.add(**body)
    return web.json_response({"status": "ok"}, status=201)


async def _clear_script(service: Service, request: web.Request) -> web.Response:
    service.script.clear()
    return web.json_response({"status": "ok"})


async def _requests(service: Service, request: web.Request) -> web.Response:
    entries = [
        {
            "endpoint": entry.endpoint,
            "method": entry.method,
            "path": entry.path,
            "body": entry.body.decode("utf-8", "replace") if isinstance(entry.body, bytes) else entry.body,
            "at": entry.at,
            "status": entry.status,
            "fault": entry.fault,
        }
        for entry in service.recorder
    ]
    return web.Response(body=orjson.dumps({"requests": entries}), content_type="application/json")


async def _forget(service: Service, request: web.Request) -> web.Response:
    service.recorder.clear()
    return web.json_response({"status": "ok"})


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.content.read(JSON_LIMIT))
    except orjson.JSONDecodeError:
        raise ApiError(400, "invalid payload") from None
    if not isinstance(body, dict):
        raise ApiError(400, "invalid payload")
    return body


def _numbers(values: dict[str, Any], *names: str) -> None:
    for name in names:
        value = values.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise ApiError(400, f"{name} is a number of 0 or more")
