"""Damaged and hostile documents, made by number: bombs, loops, pipes, sockets, long lines, wrong names, anything."""

from __future__ import annotations

import os
import random
import socket
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.documents.papers import packed, pdf, pdf_of, word

MEGABYTE = 1_000_000
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
ENDS = (".md", ".txt", ".html", ".csv", ".pdf", ".docx")
_pdf = cache(lambda: pdf([[f"Line {n} of a page."] for n in range(20)]))
_word = cache(word)


def _docx(xml: bytes) -> bytes:
    kinds = (
        b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
        b'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.'
        b'document.main+xml"/>'
        b"</Types>"
    )
    rels = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        b'Target="word/document.xml"/></Relationships>'
    )
    return packed({"[Content_Types].xml": kinds, "_rels/.rels": rels, "word/document.xml": xml})


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    return (
        f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a0 "ha">{entities}]><w:document {NAMESPACE}><w:body><w:p><w:r>'
        "<w:t>&a11;</w:t></w:r></w:p></w:body></w:document>"
    ).encode()


@cache
def _zeros(size: int) -> bytes:
    return _docx(b"<w:t>" + b"0" * size)


@cache
def _pages_bomb(size: int) -> bytes:
    stream = zlib.compress(b"(spam) Tj T* " * (size // 13))
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    )


def _pages_loop() -> bytes:
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R /Outlines 3 0 R >>",
        b"<< /Type /Pages /Count 9999999 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>",
        b"<< /First 3 0 R /Last 3 0 R /Next 3 0 R /Parent 3 0 R /Title (again) >>",
    )


def _locked() -> bytes:
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 0 /Kids [] >>",
        b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32),
        trailer=b"/Encrypt 3 0 R /ID [<41> <41>]",
    )


def _damaged(chance: random.Random) -> tuple[str, bytes]:
    end, data = chance.choice(((".pdf", _pdf()), (".docx", _word())))
    broken = bytearray(data[: chance.randint(1, len(data))])
    for _ in range(chance.randint(0, 30)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return end, bytes(broken)


def _long_line(chance: random.Random, size: int) -> tuple[str, bytes]:
    unit = chance.choice(
        (b"a", b"word ", b"a.", b"[", b"](", b"**", b"<b>", b"&amp;", b'"', b",", b"> ", b"| ", b"- ", b"#")
    )
    return chance.choice(ENDS[:4]), unit * (size // len(unit))


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket is short
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def _wrong_name(chance: random.Random) -> tuple[str, bytes]:
    kinds = (_pdf(), _word(), b"\x89PNG\r\n\x1a\n" + bytes(99), b"MZ\x90\x00" + bytes(99), b"\x1f\x8b\x08" + bytes(99))
    return chance.choice(ENDS), chance.choice(kinds)


def _content(number: int, chance: random.Random, size: int) -> tuple[str, bytes]:
    """The end of the name, and the bytes, of a file."""
    deep, bomb = 100_000, 10 * min(size, 10 * MEGABYTE)
    size = chance.choice((size, min(size, 19 * MEGABYTE)))  # refused for its size, or read to its end
    makers: tuple[Callable[[], tuple[str, bytes]], ...] = (
        lambda: _damaged(chance),
        lambda: _long_line(chance, size),
        lambda: _wrong_name(chance),
        lambda: (chance.choice(ENDS), chance.randbytes(chance.randint(0, 5000))),
        lambda: (".docx", _zeros(bomb)),
        lambda: (".docx", _docx(_laughs())),
        lambda: (".docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)),
        lambda: (".pdf", _pages_bomb(bomb)),
        lambda: (".pdf", _pages_loop()),
        lambda: (".pdf", _locked()),
        lambda: (".html", b"<div>" * deep + b"deep"),
        lambda: (".html", b"<table><tr><td>" * (deep // 10) + b"deep"),
        lambda: (".md", chance.choice((b"> ", b"- ", b"[", b"*a _b ")) * deep),
        lambda: (".csv", b'question,answer\n"' + b"never closed, " * (size // 14)),
        lambda: (".txt", ("\ufeffhalf a letter".encode("utf-16-le") + b"\x00")),
        lambda: (chance.choice(ENDS), b""),
        lambda: (chance.choice(ENDS), bytes(chance.randint(1, size))),
    )
    return makers[number % len(makers)]()


def write_hostile(folder: Path, count: int, *, seed: int = 0, size: int = MEGABYTE) -> None:
    """Write so many entries, every one of which a listing counts; `size` is that of the long lines, in bytes."""
    chance = random.Random(seed)
    specials: tuple[Callable[[Path], object], ...] = (
        lambda path: os.mkfifo(path),
        _socket,
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.write_bytes(b"x" * (20 * 1024 * 1024 + 1)),
    )
    for number in range(count):
        if number % 8 == 7:
            specials[(number // 8) % len(specials)](folder / f"{number:04}{chance.choice(ENDS)}")
            continue
        end, data = _content(number, chance, size)
        name = ("long " * 40, "two\nlines", "rtl \u202e gpj", "\x1b[31mred", "plain")[number % 5][:200]
        (folder / f"{number:04} {name}{end}").write_bytes(data)
