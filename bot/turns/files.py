"""Files that came with a question: fetched by their channel, read by the bounded readers, kept nowhere.

Reading changes nothing outside, so after a crash a file is fetched again; a file that cannot be had, or not read, costs
its text and never the answer. Its address is the channel's own matter; nothing that a person wrote is ever fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import structlog

from bot.adapter import FILE_BYTES, FILE_SECONDS, Adapter
from bot.context import Context
from bot.documents import Kind, ParseError, Parser, kind_by_name
from bot.errors import BotError, Unavailable
from bot.events import File

MOST_FILES: Final = 5
"""Files of one question that are read."""
WAIT: Final = 2.0
"""Seconds before a file that could not be had just now is asked for once more."""
READABLE: Final = ("text/", str(Kind.PDF.media_type), str(Kind.DOCX.media_type))
"""How the media types begin of what can be read, whatever its name."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """What was in a file, "" where it was not read. `cut`: there was more."""

    name: str
    text: str = ""
    cut: bool = False


def is_readable(file: File) -> bool:
    """Whether a file claims to be of a kind that can be read, and to be small enough.

    >>> plan = File(channel="c", account_id="a", file_id="f", name="Plan.PDF")
    >>> is_readable(plan), is_readable(replace(plan, name="cat.jpg", media_type="image/jpeg"))
    (True, False)
    """
    if file.size is not None and file.size > FILE_BYTES:
        return False
    return kind_by_name(file.name) is not None or file.media_type.lower().startswith(READABLE)


class FileReader:
    """Reads the files of questions. `parser` is shared by all of them."""

    def __init__(self, ctx: Context, parser: Parser) -> None:
        self._ctx = ctx
        self._parser = parser

    async def read(self, files: Sequence[File], chars: int) -> list[FileText]:
        """Read files in their order, no more than `chars` characters of all of them."""
        texts: list[FileText] = []
        for number, file in enumerate(files):
            text = ""
            if chars > 0 and number < MOST_FILES and is_readable(file):
                text = await self._text(file)
            texts.append(FileText(name=file.name, text=text[:chars], cut=len(text) > chars))
            chars -= len(text)
        return texts

    async def _text(self, file: File) -> str:
        adapter = self._ctx.adapters.get(file.channel)
        if adapter is None:
            return ""
        try:
            async with asyncio.timeout(2 * FILE_SECONDS):
                content = await self._open(adapter, file)
                name = file.name if kind_by_name(file.name) else str(PurePath(file.name or "file").with_suffix(".txt"))
                parsed = await self._parser.parse(name, lambda: content)
        except (BotError, ParseError, TimeoutError) as error:
            # What is wrong with the file, for the operator; none of these sentences holds words of it or an address.
            log.warning("file.unreadable", channel=file.channel, reason=str(error) or "It took too long.")
            return ""
        return "\n\n".join("\n".join(filter(None, (each.heading, each.body))) for each in parsed.passages)

    async def _open(self, adapter: Adapter, file: File) -> bytes:
        try:
            return await adapter.open(file)
        except Unavailable as error:
            wait = error.retry_after if error.retry_after is not None else WAIT
            if wait > FILE_SECONDS:
                raise
            await asyncio.sleep(wait)
            return await adapter.open(file)
