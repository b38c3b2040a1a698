"""Documents in, out, and between draft and active."""

from __future__ import annotations

from aiohttp import BodyPartReader
from aiohttp.http_exceptions import HttpProcessingError

from bot.assistant.errors import ApiError
from bot.assistant.models import BulkDeleteBody, BulkStatusBody, PatchBody, QaBody, TextBody
from bot.assistant.service import Call, Result
from bot.documents import FILE_BYTES

_FIELDS = {"title": 300, "category": 100, "status": 20}


async def listed(call: Call) -> Result:
    """All documents of the site."""
    return {"documents": await call.service.documents.listed(call.site_id)}


async def text(call: Call) -> Result:
    """Create a text document."""
    return await call.service.documents.add_text(call.site_id, call.read(TextBody), call.tenant.plan.documents)


async def qa(call: Call) -> Result:
    """Create a question with its answer."""
    return await call.service.documents.add_qa(call.site_id, call.read(QaBody), call.tenant.plan.documents)


async def upload(call: Call) -> Result:
    """Store a file; it is read in the background."""
    fields: dict[str, str] = {}
    name: str | None = None
    data = b""
    if not call.request.content_type.startswith("multipart/"):
        raise ApiError(400, "invalid payload")
    try:
        async for part in await call.request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ApiError(400, "invalid payload")
            if part.name == "file":
                name, data = part.filename or "document.txt", await _bytes(part, FILE_BYTES)
            elif part.name in _FIELDS:
                fields[part.name] = (await _bytes(part, 4 * _FIELDS[part.name])).decode()
            else:
                raise ApiError(400, "only file, title, category and status are known")
    except (ValueError, AssertionError, HttpProcessingError):  # aiohttp's words for a body that is no multipart
        raise ApiError(400, "invalid payload") from None
    if name is None:
        raise ApiError(400, "file is required")
    if fields.get("status", "draft") not in ("draft", "active"):
        raise ApiError(400, "status must be 'draft' or 'active'")
    if any(len(value) > _FIELDS[field] for field, value in fields.items()):
        raise ApiError(400, "a field is too long")
    return await call.service.documents.add_file(
        call.site_id,
        call.tenant.plan.documents,
        name=name[-200:],
        data=data,
        title=fields.get("title"),
        category=fields.get("category"),
        status=fields.get("status"),
    )


async def patch(call: Call) -> Result:
    """Change a document."""
    return await call.service.documents.patch(call.site_id, call.path["document_id"], call.read(PatchBody))


async def bulk_status(call: Call) -> Result:
    """Switch several documents."""
    return {"updated": await call.service.documents.set_status(call.site_id, call.read(BulkStatusBody))}


async def bulk_delete(call: Call) -> Result:
    """Delete several documents."""
    return {"deleted": await call.service.documents.delete(call.site_id, call.read(BulkDeleteBody).document_ids)}


async def _bytes(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(65536):
        data += chunk
        if len(data) > limit:
            raise ApiError(413 if part.name == "file" else 400, f"{part.name} is larger than {limit} bytes")
    return bytes(part.decode(bytes(data)))
