"""The OpenAPI description, made from the table of operations and the models."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web
from pydantic.json_schema import models_json_schema

from bot import __version__
from bot.assistant.contract import OPERATIONS, Operation
from bot.assistant.http import PREFIX
from bot.assistant.models import ErrorReply

_REF = "#/components/schemas/{model}"
_ERRORS = {
    400: "a field is missing or malformed",
    401: "the key is missing or not valid",
    403: "the plan does not allow it",
    404: "not found in the requested scope",
    409: "the state does not allow it",
    413: "the body is too large",
    429: "too many requests; see Retry-After",
    500: "unexpected error",
}


def describe() -> dict[str, Any]:
    """The description as OpenAPI 3.1."""
    bodies = [(op.body, "validation") for op in OPERATIONS if op.body is not None]
    replies = [(op.reply, "serialization") for op in OPERATIONS]
    wanted: list[Any] = list(dict.fromkeys([*bodies, *replies, (ErrorReply, "serialization")]))
    _, definitions = models_json_schema(wanted, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "M2M chat API, embedded",
            "version": __version__,
            "description": "The wire contract of the M2M API, answered from your own documents.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def add_description(app: web.Application) -> None:
    """Serve it, without a key."""
    description = describe()

    async def handle(_: web.Request) -> web.Response:
        return web.json_response(description)

    app.router.add_get(f"{PREFIX}/openapi.json", handle)


def _operation(operation: Operation) -> dict[str, Any]:
    reads = operation.body is not None or operation.query is not None or operation.multipart
    errors = sorted({401, 403, 404, 429, 500, *operation.errors, *([400] if reads else [])})
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {
            str(operation.status): _done(operation),
            **{str(status): _error(status) for status in errors},
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body.__name__)}
    elif operation.multipart:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}
    return described


_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "title": {"type": "string", "maxLength": 300},
        "category": {"type": "string", "maxLength": 100},
        "status": {"type": "string", "enum": ["draft", "active"]},
    },
}


_REQUEST = {"request_id": "$response.body#/request_id"}
_DOCUMENT = {"documents_patch": {"document_id": "$response.body#/id"}}
_LINKS: dict[str, dict[str, dict[str, str]]] = {
    "chat": {"chat_status": _REQUEST},
    "chat_async": {"chat_status": _REQUEST},
    "documents_upload": _DOCUMENT,
    "documents_text": _DOCUMENT,
    "documents_qa": _DOCUMENT,
}
"""Which operation goes on with what another one returned."""


def _done(operation: Operation) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "done", "content": _json(operation.reply.__name__)}
    links = {
        name: {"operationId": name, "parameters": {"site_id": "$request.path.site_id", **parameters}}
        for name, parameters in _LINKS.get(operation.name, {}).items()
    }
    return response | ({"links": links} if links else {})


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.query is not None:
        for name, schema in operation.query.model_json_schema()["properties"].items():
            parameters.append({"name": name, "in": "query", "required": False, "schema": schema})
    return parameters


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model)}}}


def _error(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _ERRORS[status], "content": _json(ErrorReply.__name__)}
    if status == 429:
        response["headers"] = {"Retry-After": {"description": "seconds or an HTTP date", "schema": {"type": "string"}}}
    return response
