"""Files that came with a question: fetched by their channel, read by the bounded readers, kept nowhere.

Reading changes nothing outside, so after a crash a file is fetched again; a file that cannot be had, or not read, costs
its text and never the answer. Its address is the channel's own matter; nothing that a person wrote is ever fetched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import structlog

from bot.adapter import FILE_BYTES, FILE_SECONDS, Adapter
from bot.context import Context
from bot.documents import Kind, kind_by_name
from bot.errors import BotError, Unavailable
from bot.events import File
from bot.notices import NAMELESS
from bot.turns.compose import MOST_FILES, FileText

if TYPE_CHECKING:
    from bot.documents import Parser

WAIT: Final = 2.0
"""Seconds before a file that could not be had just now is asked for once more."""
CPU_SECONDS: Final = 10
"""CPU that reading one file may take, twice that on the clock."""
MEMORY_BYTES: Final = 512 << 20
READABLE: Final = ("text/", str(Kind.PDF.media_type), str(Kind.DOCX.media_type))
"""How the media types begin of what can be read, whatever its name."""


log = structlog.get_logger(__name__)


def is_readable(file: File) -> bool:
    """Whether a file claims to be of a kind that can be read, and to be small enough.

    >>> is_readable(File(channel="c", account_id="a", file_id="f", name="Plan.PDF"))
    True
    >>> is_readable(File(channel="c", account_id="a", file_id="f", name="cat.jpg", media_type="image/jpeg"))
    False
    """
    if file.size is not None and file.size > FILE_BYTES:
        return False
    return kind_by_name(file.name) is not None or file.media_type.lower().startswith(READABLE)


def name_of(file: File) -> str:
    """Return what a file is called, or what it is."""
    if file.name:
        return file.name
    return next(str(what) for kind, what in NAMELESS.items() if file.media_type.startswith(kind))


class FileReader:
    """Reads the files of questions. It is shared by all turns, and to be closed at the end."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._parser: Parser | None = None  # most bots never need one

    async def read(self, files: Sequence[File]) -> list[FileText]:
        """Read files, as far as that is switched on and they can be read; of each no more than a message may hold."""
        most = self._ctx.config.limits.message_chars + 1  # a character more tells that it was cut
        reads = self._ctx.config.context.files
        return [
            FileText(
                name_of(file),
                (await self._text(file))[:most] if reads and number < MOST_FILES and is_readable(file) else "",
            )
            for number, file in enumerate(files)
        ]

    async def close(self) -> None:
        """End all readers."""
        if self._parser is not None:
            await self._parser.close()

    async def _text(self, file: File) -> str:
        adapter = self._ctx.adapters.get(file.channel)
        if adapter is None:
            return ""
        from bot.documents import ParseError, Parser  # what reads documents is loaded with the first one

        try:
            async with asyncio.timeout(2 * FILE_SECONDS):
                content = await self._open(adapter, file)
                # Where the name says nothing, the media type has said that it is text, or the content tells more.
                name = file.name if kind_by_name(file.name) else "file.txt"
                self._parser = self._parser or Parser(seconds=CPU_SECONDS, memory=MEMORY_BYTES)
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
