"""The HTTP side: each request is recorded, let in, checked, carried out, and answered as the contract says."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.assistant.accounts import TenantAccount
from bot.assistant.contract import OPERATIONS, Operation
from bot.assistant.errors import ApiError
from bot.assistant.faults import Fault, fault_from_header
from bot.assistant.recorder import Recorded
from bot.assistant.routes import HANDLERS
from bot.assistant.service import Call, Service
from bot.shared import is_loopback

PREFIX = "/api/v1"
JSON_LIMIT = 1024 * 1024
DOCUMENT_LIMIT = 8 * JSON_LIMIT
"""Bytes of a JSON body; a document's longest text must fit, be every character escaped."""
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
_log = logging.getLogger(__name__)
_PAGE = "<html><body><h1>It works!</h1></body></html>"


def local(request: web.Request) -> bool:
    """Whether a request comes from a program on this machine: no proxy in between, and no web page behind it."""
    host = request.host.rsplit(":", 1)[0].strip("[]")
    return (
        is_loopback(request.remote or "")
        and is_loopback(host)
        and "Origin" not in request.headers
        and not any(name in request.headers for name in _FORWARDED)
    )


def add_operations(app: web.Application, service: Service) -> None:
    """Make a route of each operation."""
    for operation in OPERATIONS:
        # `documents/text` and its like are no ids: a wrong method on them must not be found here.
        path = operation.path.replace("{document_id}", r"{document_id:(?!(?:text|qa|bulk-status|bulk-delete)$)[^{}/]+}")
        app.router.add_route(operation.method, PREFIX + path, _endpoint(service, operation))


def error_reply(error: ApiError) -> web.Response:
    """An error in the API's envelope."""
    return web.json_response({"error": error.error}, status=error.status, headers=error.headers)


@web.middleware
async def envelope(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Word aiohttp's own errors (no such path, no such method, too large) and unexpected ones as the API does."""
    try:
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise ApiError(415, "the body must not be compressed")
        return await handler(request)
    except ApiError as error:
        return error_reply(error)
    except web.HTTPException as error:
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return error_reply(ApiError(error.status, error.reason.lower(), kept))
    except Exception:
        _log.exception("The assistant failed on a request.")
        return error_reply(ApiError(500, "internal error"))


def _endpoint(service: Service, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        raw = b"" if operation.multipart else await _body(request, operation)
        entry = Recorded(
            operation.name,
            operation.method,
            request.path,
            _readable(raw, request),
            traceparent=request.headers.get("traceparent"),
        )
        service.recorder.add(entry)
        status = 0
        try:
            response = await _answer(service, operation, request, raw, entry)
            status = 0 if response is None else response.status
            return response or web.Response()
        except ApiError as error:
            status = error.status
            raise
        except web.HTTPException as error:
            status = error.status
            raise
        except Exception:
            status = 500
            raise
        finally:
            service.recorder.answered(entry, status)

    return handle


async def _answer(
    service: Service, operation: Operation, request: web.Request, raw: bytes, entry: Recorded
) -> web.Response | None:
    """The response; None when the connection was cut on purpose."""
    fault = _fault(service, operation, request, raw)
    if fault is not None:
        entry.fault = fault.kind
        if fault.seconds > 0:
            await asyncio.sleep(fault.seconds)
        if fault.kind == "drop_before":
            _cut(request)
            return None
        if fault.kind in ("rate_limited", "status") and not fault.after:
            return _faulty(fault)
    reply = await _carry_out(service, operation, request, raw, fault)
    if fault is None or fault.kind in ("delay", "failed", "empty"):
        return reply
    if fault.kind == "drop_after":
        _cut(request)
        return None
    return _faulty(fault)


async def _carry_out(
    service: Service, operation: Operation, request: web.Request, raw: bytes, fault: Fault | None
) -> web.Response:
    tenant = _let_in(service, request)
    service.usage.count(tenant.id)
    path = dict(request.match_info)
    for value in path.values():
        if "\x00" in value or not value.isprintable():
            raise ApiError(404, "not found")
    if "tenant_id" in path and path["tenant_id"] != tenant.id:
        raise ApiError(404, "tenant not found")
    if "site_id" in path and path["site_id"] not in tenant.sites:
        raise ApiError(404, "site not found")
    call = Call(service=service, operation=operation, request=request, tenant=tenant, path=path, fault=fault)
    if operation.body is not None:
        call.body = _parsed(operation.body, raw)
    if operation.query is not None:
        call.query = _queried(operation.query, request)
    result = await HANDLERS[operation.name](call)
    reply = operation.reply.model_validate(result)
    text = reply.model_dump_json(exclude_none=operation.name != "limits")
    return web.Response(text=text, status=operation.status, content_type="application/json")


def _let_in(service: Service, request: web.Request) -> TenantAccount:
    tenant = service.accounts.by_key(request.headers.get("X-API-Key", ""))
    if tenant is None:
        raise ApiError(401, "invalid_api_key")
    if not tenant.plan.api_access:
        raise ApiError(403, "api_access_not_available_on_plan")
    if wait := service.accounts.wait(tenant):
        raise ApiError(429, "too many requests", {"Retry-After": str(math.ceil(wait))})
    return tenant


async def _body(request: web.Request, operation: Operation) -> bytes:
    limit = DOCUMENT_LIMIT if operation.name.startswith("documents") else JSON_LIMIT
    if request.content_length is not None and request.content_length > limit:
        raise ApiError(413, f"the body is larger than {limit} bytes")
    data = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        data += chunk
        if len(data) > limit:
            raise ApiError(413, f"the body is larger than {limit} bytes")
    return bytes(data)


def _parsed(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise ApiError(400, "invalid payload") from None
    if not isinstance(value, dict):
        raise ApiError(400, "invalid payload")
    return _checked(model, value)


def _queried(model: type[BaseModel], request: web.Request) -> BaseModel:
    return _checked(model, {name: request.query.getall(name)[-1] for name in request.query})


def _checked(model: type[BaseModel], value: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"]) or "payload"
    # Documented texts first; the others only name the field, never what was sent.
    if field == "feedback":
        raise ApiError(400, "feedback must be 'good' or 'bad'")
    if field == "session_id":
        raise ApiError(400, "session_id is required")
    raise ApiError(400, f"invalid {field}")


def _readable(raw: bytes, request: web.Request) -> Any:
    if not raw:
        return dict(request.query) or None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw


def _fault(service: Service, operation: Operation, request: web.Request, raw: bytes) -> Fault | None:
    asked = request.headers.get("X-Assistant-Fault")
    if asked is not None and local(request):
        try:
            return fault_from_header(asked)
        except ValueError as error:
            raise ApiError(400, str(error)) from None
    if not service.faults.rules:
        return None
    return service.faults.take(operation.name, raw.decode("utf-8", "replace"))


def _faulty(fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    if fault.kind == "garbage":
        return web.Response(text=_PAGE if fault.body is None else fault.body, content_type="text/html", headers=headers)
    status = 429 if fault.kind == "rate_limited" else fault.status
    if fault.body is not None:
        return web.Response(text=fault.body, status=status, headers=headers)
    words = "too many requests" if status == 429 else "temporarily unavailable"
    return web.json_response({"error": words}, status=status, headers=headers)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
