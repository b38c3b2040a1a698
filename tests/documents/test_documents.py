"""From files to passages: each kind read, and everything that is wrong with a file said, within limits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.documents import (
    FILE_BYTES,
    Parsed,
    ParseError,
    Parser,
    Passage,
    sentences,
    split,
)
from bot.documents.formats import read
from bot.documents.passages import LONGEST, plain
from tests.documents.papers import packed, pdf, word


def test_markdown_keeps_its_headings() -> None:
    text = """---
title: ignored by the heading below
---
# Guide

Intro with a [link](https://example.com).

## Boats **big** ones

First paragraph.

### Sails

| Sail | Size |
|---|---|
| Jib | 9 m² |

```
code # no heading

more
```

Underlined
----------

Lines.

What now?
=========
Swim.
"""
    title, passages = split(text)
    assert title == "ignored by the heading below"
    assert [(p.heading, p.kind) for p in passages] == [
        ("Guide", "prose"),
        ("Guide › Boats big ones", "prose"),
        ("Guide › Boats big ones › Sails", "prose"),
        ("Guide › Underlined", "prose"),
        ("What now?", "qa"),
    ]
    assert passages[2].body.startswith("| Sail | Size |")
    assert "code # no heading\n\nmore\n```" in passages[2].body
    assert split("# Only\n\nText.")[0] == "Only"
    assert plain("![x](y) *a* **b**") == "x a b"


@given(st.text(max_size=3000))
def test_splitting_any_text_stays_in_bounds_and_loses_no_word(text: str) -> None:
    _, passages = split(text)
    assert all(len(passage.body) <= 2 * LONGEST for passage in passages)
    kept = "".join("".join(f"{passage.heading} {passage.body}" for passage in passages).split())
    for line in text.split("\n"):
        if line.strip().isalnum() and not line.startswith("---"):
            assert "".join(line.split())[:LONGEST] in kept or line.strip() in (split(text)[0], "title")


def test_long_blocks_are_cut_where_they_can_be() -> None:
    prose = " ".join(f"Sentence number {n} is here." for n in range(200))
    _, passages = split(prose)
    assert all(passage.body.endswith(".") for passage in passages)
    assert "".join(p.body for p in passages).replace(" ", "") == prose.replace(" ", "")
    table = "| A | B |\n|---|---|\n" + "\n".join(f"| row {n} | {n} |" for n in range(300))
    _, rows = split(table)
    assert len(rows) > 2
    assert all(passage.body.startswith("| A | B |\n|---|---|\n| row ") for passage in rows)
    assert len(split("x" * 100_000)[1]) > 50
    assert sentences("It costs 3.50. Dr. Who? Yes!") == ["It costs 3.50.", "Dr.", "Who?", "Yes!"]


def test_html_is_read_without_scripts_and_menus() -> None:
    html = b"""<!doctype html><html><head><title>Shop &amp; co</title><script>alert("x")</script></head><body>
    <nav><ul><li>Menu</li></ul></nav><h2>Prices</h2><p>From <b>5</b> euros.</p><ul><li>One<li>Two</ul>
    <table><tr><th>Thing</th><th>Price</th></tr><tr><td>Cup|mug</td><td>3</td></tr></table></body></html>"""
    parsed = read("page.html", html)
    assert parsed.title == "Shop & co"
    (passage,) = parsed.passages
    assert passage.heading == "Prices"
    assert passage.body.startswith("From 5 euros.\n\n- One\n- Two\n\n| Thing | Price |\n|---|---|\n| Cup\\|mug | 3 |")
    assert not {"alert", "Menu"} & set(passage.body.replace("(", " ").split())


def test_pdf_has_pages_and_docx_has_tables() -> None:
    pages = [
        ["Rules of the house", "Guests are asked to leave their shoes at the door.", "Thank you."],
        ["Breakfast is at eight."],
    ]
    parsed = read("rules.pdf", pdf(pages, title="House rules"))
    assert parsed.title == "House rules"
    assert [(p.page, p.heading) for p in parsed.passages] == [(1, "Rules of the house"), (2, "Rules of the house")]
    assert "leave their shoes at the door" in parsed.passages[0].body
    parsed = read("guide.docx", word())
    assert parsed.title == "Harbour guide"
    body = parsed.passages[0].body
    assert parsed.passages[0].heading == "Moorings"
    assert "14 crowns" in body
    assert "- Bring fenders." in body
    assert "| Boat | Fee |\n|---|---|\n| Dinghy | 5 crowns |" in body


def test_csv_is_pairs_or_a_list() -> None:
    parsed = read("faq.csv", b'Frage;Antwort\nWo?;"Hier; oder ""dort"""\n;leer\n')
    assert parsed.passages == [Passage("qa", "Wo?", 'Hier; oder "dort"')]
    parsed = read("prices.tsv", b"Bike\tDay\nCity\t9\nCargo\t\n")
    assert parsed.passages[0] == Passage("prose", "City", "| Bike | Day |\n|---|---|\n| City | 9 |")
    assert parsed.passages[1].body == "| Bike |\n|---|\n| Cargo |"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.md", b" \n\n", "no text was found"),
        ("a.txt", b"\x89PNG\x00\x01", "not a text"),
        ("a.pdf", b"%PDF-1.4 broken", "the PDF is damaged"),
        ("a.pdf", pdf([[]]), "a scanned PDF needs text recognition"),
        ("a.docx", b"PK\x03\x04 broken", "not a readable archive"),
        ("a.docx", packed({"x.txt": b"x"}), "not a DOCX file"),
        ("a.docx", packed({"word/document.xml": b"<x"}), "the DOCX file is damaged"),
        ("a.docx", packed({"word/document.xml": b" " * 30_000_000}), "far more than it holds"),
        ("a.docx", packed({"word/document.xml": b" " * 101_000_000}), "unpacks to more than 100 MB"),
        ("a.csv", b"a,b\n" + b'"' + b"x" * 2_000_000, "the CSV file cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        read(name, data)


def test_a_zip_that_lies_about_its_size_is_not_believed() -> None:
    honest = packed({"word/document.xml": b"<x>" + b" " * 500_000})
    lying = honest.replace((500_003).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    assert lying != honest
    with pytest.raises(ParseError, match="damaged"):
        read("a.docx", lying)


def test_text_in_other_encodings_is_read() -> None:
    for data in ("Größe".encode("cp1252"), "Größe".encode("utf-16"), b"\xef\xbb\xbf" + "Größe".encode()):
        assert read("a.txt", data).passages[0].body == "Größe"
    assert read("a.txt", b"# not a heading").passages[0].body == "\\# not a heading"


@pytest.fixture
def parser() -> Iterator[Parser]:
    made = Parser()
    yield made
    asyncio.run(made.close())


async def test_files_are_read_in_another_process(parser: Parser) -> None:
    parsed = await parser.parse("a.md", lambda: b"# T\n\nHello.")
    assert parsed == Parsed("T", [Passage("prose", "", "Hello.")], [{"hello": 1}])
    (process,) = parser.processes
    assert process != os.getpid()
    environment = psutil.Process(process).environ()
    assert set(environment) <= {"PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    await parser.parse("a.md", lambda: b"Again.")
    assert parser.processes == [process], "it is kept for the next file"
    psutil.Process(process).kill()
    await asyncio.to_thread(psutil.wait_procs, [psutil.Process(process)], timeout=30)
    await parser.parse("a.md", lambda: b"And again.")
    assert parser.processes != [process]
    (process,) = parser.processes
    await parser.close()
    assert not psutil.pid_exists(process)
    with pytest.raises((ParseError, RuntimeError)):
        await parser.parse("a.md", lambda: b"Late.")


async def test_a_file_over_its_time_or_memory_ends_its_process_alone() -> None:
    slow = pdf([[f"Line {n} of a long page, with many words in it." for n in range(50)]] * 1500)
    parser = Parser(seconds=1)
    try:
        with pytest.raises(ParseError, match="took longer than 1 seconds"):
            await parser.parse("slow.pdf", lambda: slow)
        assert parser.processes == []
    finally:
        await parser.close()
    parser = Parser(memory=60_000_000)
    try:
        with pytest.raises(ParseError, match="more memory"):
            await parser.parse("large.txt", lambda: b"word " * 3_900_000)
        with pytest.raises(ParseError, match="larger than 20 MB"):
            await parser.parse("huge.txt", lambda: b"x" * (FILE_BYTES + 1))
        assert (await parser.parse("a.md", lambda: b"Fine.")).passages[0].body == "Fine."
    finally:
        await parser.close()


async def test_closing_ends_a_reader_at_work() -> None:
    slow = pdf([[f"Line {n} of a long page, with many words in it." for n in range(50)]] * 3000)
    parser = Parser()
    reading = asyncio.ensure_future(parser.parse("slow.pdf", lambda: slow))
    async with asyncio.timeout(30):
        while not parser.processes:
            await asyncio.sleep(0.01)
    processes = parser.processes
    await parser.close()
    with pytest.raises(ParseError, match="interrupted"):
        await reading
    assert not any(map(psutil.pid_exists, processes))


_SAMPLES = {
    "a.pdf": pdf([["One line.", "Another (line)."], ["A second page."]], title="T"),
    "a.docx": word(),
    "a.html": b"<h1>T</h1><p>a<table><tr><td>b</table><script>c",
    "a.csv": b'question,answer\n"a ""b""",c\n',
    "a.md": b"# T\n\n| a |\n|---|\n| b |\n\n```\nc\n",
    "a.txt": "Größe\n=====\n\nText.".encode(),
}


@st.composite
def _damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of some kind with pieces cut out, doubled or overwritten, or nothing but noise."""
    name = draw(st.sampled_from(sorted(_SAMPLES)))
    data = draw(st.sampled_from([_SAMPLES[name], b""])) or draw(st.binary(max_size=400))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 60)))
        data = data[:at] + draw(st.one_of(st.binary(max_size=30), st.just(data[at:end] * 2))) + data[end:]
    return draw(st.sampled_from([name, "b.txt", "b"])), data


async def _outcome(parser: Parser, name: str, data: bytes) -> str:
    """The reason a file was not read, or the text that was read."""
    try:
        return "".join(passage.body for passage in (await parser.parse(name, lambda: data)).passages)
    except ParseError as error:
        return str(error)


async def _read_all(files: list[tuple[str, bytes]]) -> None:
    parser = Parser()
    try:
        for name, data in files:
            outcome = await _outcome(parser, name, data)
            assert outcome
            assert "crashed" not in outcome, (name, data)
        processes = parser.processes
    finally:
        await parser.close()
    assert not any(map(psutil.pid_exists, processes)), "nothing is left running"


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_damaged(), min_size=15, max_size=15))
def test_no_bytes_crash_the_reader(files: list[tuple[str, bytes]]) -> None:
    asyncio.run(_read_all(files))


@pytest.mark.prove
@pytest.mark.timeout(1800)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_damaged(), min_size=25, max_size=25))
def test_no_bytes_crash_the_reader_in_full(files: list[tuple[str, bytes]]) -> None:
    asyncio.run(_read_all(files))
