"""What names and tables say of a document, and that the readers know nothing of who asks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bot.documents
from bot.assistant.listing import listing
from bot.cli.sources import find
from bot.documents import FILE_BYTES, SUFFIXES, Kind, Pair, kind_by_name, pairs, title_from_name
from bot.documents.formats import _READERS
from bot.documents.kinds import kind_of
from tests.documents.papers import pdf

HOUSE = Path(bot.documents.__file__).parent


def test_the_readers_import_nothing_else_of_the_bot() -> None:
    for path in HOUSE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert module.split(".")[0] != "bot" or module.startswith("bot.documents"), (path.name, module)


def test_what_the_package_offers_is_there() -> None:
    assert all(hasattr(bot.documents, name) for name in bot.documents.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        bot.documents.nothing_such  # noqa: B018


def test_the_subprocess_loads_no_library_before_a_file_needs_it() -> None:
    script = """
import sys
import bot.documents.worker
wanted = {"asyncio", "subprocess", "orjson", "pypdfium2", "docx", "lxml", "charset_normalizer"}
print(*sorted(wanted & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_every_kind_has_a_reader_and_a_media_type() -> None:
    assert set(_READERS) == set(Kind) == set(SUFFIXES.values())
    assert len({kind.media_type for kind in Kind}) == len(Kind)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.MD", b"x", Kind.MARKDOWN),
        ("a.txt", b"%PDF-1.7", Kind.PDF),
        ("a", b"PK\x03\x04", Kind.DOCX),
        ("a.txt", b" <!DOCTYPE html>", Kind.HTML),
        ("a.md", b"<html>", Kind.MARKDOWN),
        ("a.bin", b"x", Kind.TEXT),
    ],
)
def test_content_outranks_the_name_where_it_is_plain(name: str, data: bytes, kind: Kind) -> None:
    assert kind_of(name, data) is kind


def test_titles_of_files_that_name_none() -> None:
    assert title_from_name("guides/opening-hours.txt") == "Opening hours"
    assert title_from_name("---.txt") == "---.txt"
    assert title_from_name("") == ""
    assert len(title_from_name("x" * 400)) == 300


def test_a_table_of_questions_keeps_its_rows_numbers() -> None:
    assert pairs("Frage;Antwort\n\nWo?;Hier\nWann?\n;\n") == [Pair(3, "Wo?", "Hier"), Pair(4, "Wann?", "")]
    assert pairs("name,price\n1,2\n") is None
    assert pairs("") is None


async def test_push_takes_titles_sizes_and_tables_from_the_readers(tmp_path: Path) -> None:
    (tmp_path / "code.md").write_text("```\n# a comment\n```\n\nReal title\n==========\n\nText.\n")
    (tmp_path / "late_hours.pdf").write_bytes(pdf([["Late hours are on Thursday."]]))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-")
    (tmp_path / "faq.tsv").write_text("Frage\tAntwort\nWo?\tHier\nWann?\t\n")
    with (tmp_path / "video.docx").open("wb") as file:
        file.truncate(FILE_BYTES + 1)
    (tmp_path / "page.html").write_text("<title>A page</title><h2>Part</h2><p>Yes.<h2>Next</h2><pre>x\n y</pre>")
    (tmp_path / "price_list.csv").write_text("name,price\nbell,3\n")
    found = (await find([tmp_path], [])).sources.values()
    contents = {source.title: source.content for source in found}
    assert contents["A page"] == "# A page\n\n## Part\n\nYes.\n\n## Next\n\n```\nx\n y\n```\n"
    assert contents["Price list"] == "## bell\n\n| name | price |\n|---|---|\n| bell | 3 |\n"
    titles = {source.title: source.problem for source in found}
    assert titles == {
        "Real title": "",
        "late_hours": "",
        "Wo?": "",
        "row 3": "row 3 has no answer",
        "video.docx": "the file is larger than 20 MB",
        "broken.pdf": "the PDF is damaged",
        "A page": "",
        "Price list": "",
    }


def test_a_folder_passes_over_what_no_reader_knows(tmp_path: Path) -> None:
    for name in ("a.text", "b.HTM", "c.png", "d"):
        (tmp_path / name).write_text("x")
    assert list(listing(tmp_path).files) == ["a.text", "b.HTM"]
    assert kind_by_name("c.png") is None


def test_a_table_of_questions_is_one_whatever_else_its_head_holds() -> None:
    """The mark that stands most often in the first line is not the one that parts it."""
    for table in (
        'question,answer,"tags; a; b; c"\nWhen?,At nine.,x\n',
        'question;answer;"a, b, c, d"\nWhen?;At nine.;x\n',
        "question\tanswer\nWhen?\tAt nine.\n",
    ):
        rows = pairs(table)
        assert rows is not None, table
        assert [(row.question, row.answer) for row in rows] == [("When?", "At nine.")]
    assert pairs("name,price\nbell,3\n") is None
