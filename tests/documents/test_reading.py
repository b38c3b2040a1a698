"""What each reader makes of documents as they really are; each case was once read badly."""

from __future__ import annotations

import io

import docx
import pytest

from bot.documents import Passage, pairs
from bot.documents.formats import read
from bot.documents.lines import Joiner
from bot.documents.pdf import PageLine, _Reader, _without_running


def _page(body: str, name: str = "a.html") -> list[Passage]:
    return read(name, f"<!doctype html><title>T</title><body>{body}".encode()).passages


def test_code_keeps_its_lines_and_is_no_heading() -> None:
    (passage,) = _page("<h2>Cron</h2><p>Add:</p><pre># every friday\n\n0 17 * * fri  <b>mail</b>\n</pre>")
    assert passage == Passage("prose", "Cron", "Add:\n\n```\n# every friday\n\n0 17 * * fri  mail\n```")
    (passage,) = _page("<pre>import sys\ntry:\n    f()</pre>")
    assert (passage.kind, passage.body) == ("code", "```\nimport sys\ntry:\n    f()\n```")


def test_what_leads_elsewhere_is_no_text() -> None:
    passages = _page(
        '<header>Site</header><div role="navigation">index | next</div><div class="navheader">Prev</div>'
        '<div class="toc"><dl><dt><a href="#a">One</a></dt><dt><a href="#b">Two</a></dt></dl></div>'
        '<h1>Guide<a class="headerlink" href="#x">¶</a></h1><p>Words.<a href="#p">§</a></p>'
        '<article><header><p>By Ada.</p></header></article><ul><li><a href="/">Home</a><li><a href="/b">Shop</a>'
        '<li><a href="/c">About</a></ul><footer>© us</footer><div aria-hidden="true">Hidden</div>'
    )
    assert passages == [
        Passage("contents", "", "- One\n- Two"),
        Passage("prose", "", "Words.\n\nBy Ada."),
        Passage("contents", "", "- Home\n- Shop\n- About"),
    ]


def test_numbers_of_footnotes_are_no_text_and_a_remark_keeps_its_name() -> None:
    (passage,) = _page(
        '<p>Sid breaks toys.<a href="#fn2" class="footnote"><sup>[2]</sup></a></p>'
        '<div class="admonition note"><p class="admonition-title">Note</p><p>Not ours.</p></div>'
        '<div class="footnote"><p><a href="#ref2"><sup>[2] </sup></a>In the film, see <a href="#b">[Lee]</a>.</p></div>'
    )
    assert passage.body == "Sid breaks toys.\n\n**Note**\n\nNot ours.\n\nIn the film, see [Lee]."


def test_a_term_goes_with_what_is_said_of_it() -> None:
    long = "Return a copy without case. " * 15
    passages = _page(
        f"<h2>Strings</h2><dl><dt><code>str.casefold()</code></dt><dd><p>{long}</p><dl><dt>note</dt>"
        "<dd><p>More.</p><p>Still.</p></dd></dl></dd><dt>b</dt><dt>c</dt><dd>Two names.</dd></dl><p>After.</p>"
    )
    assert [(passage.kind, passage.heading) for passage in passages] == [
        ("term", "Strings › str.casefold()"),
        ("term", "Strings › str.casefold() › note"),
        ("term", "Strings › b, c"),
        ("prose", "Strings"),
    ]
    (passage,) = _page("<dl><dt>Fee</dt><dd>Five euros.</dd><dt>Key</dt><dd>At the desk.</dd></dl>")
    assert passage.body == "- **Fee**: Five euros.\n- **Key**: At the desk."


def test_tables_keep_rows_and_lists_their_numbers() -> None:
    (passage,) = _page(
        "<table><tr><th>A</th><th>B|C</th></tr><tr><td><p>1</p></td><td>2<br>3</td></tr></table>"
        "<ol><li>One<ul><li>deep</li></ul></li><li>Two</li></ol>"
    )
    assert passage.body == "| A | B\\|C |\n|---|---|\n| 1 | 2 3 |\n\n1. One\n  - deep\n2. Two"
    layout = "<table><tr><td><h2>Head</h2><p>Text.</p></td></tr></table>"
    assert _page(layout) == [Passage("prose", "Head", "Text.")]
    assert _page("<p>日本語の\n文章です。</p>")[0].body == "日本語の文章です。"


def test_a_remark_is_no_section_and_a_way_to_other_pages_no_table() -> None:
    (passage,) = _page(
        "<h2>Accounts</h2><p>They have a type.</p><h3>Note</h3><p>It stays.</p>"
        "<table><tr><td>Prev</td><td>Accounts</td><td>Next</td></tr><tr><td>A</td><td></td><td>C</td></tr></table>"
        "<table><tr><td></td><td>Tip</td></tr><tr><td>Press F1 first.</td><td></td></tr></table>"
    )
    assert passage == Passage(
        "prose", "Accounts", "They have a type.\n\n**Note**\n\nIt stays.\n\n**Tip**: Press F1 first."
    )


def test_a_page_that_is_nested_too_deeply_is_said_or_read_whole() -> None:
    try:
        body = _page("<div>" * 30_000 + "deep" + "</div>" * 30_000)[0].body
    except Exception as error:
        assert "deep" in str(error)  # noqa: PT017
    else:
        assert body == "deep"


TEXT = """USER GUIDE

Contents

1. Start .......... 1
1.1 Install ....... 2
2. Use ............ 3

1. Start

This is a paragraph whose lines were broken by hand at the width of a page of
paper, which is no reason to break them on a screen of any other width at all.

1.1 Install

Do this:
 * Put the disc in and wait until the light beside it is on and stays
   on.
 * Press the key.

Larkfield Bikes
12 Harbour Street

-q, --quiet
    Say less.

Sizes
-----

name      price   size
mug       3       small
plate     12      large
"""


def test_a_text_is_read_as_people_set_it_out() -> None:
    parsed = read("guide.txt", TEXT.encode())
    assert parsed.title == "USER GUIDE"
    assert [passage.kind for passage in parsed.passages if "...." in passage.body] == ["contents"]
    told = {passage.heading: passage.body for passage in parsed.passages if passage.kind != "contents"}
    assert list(told) == ["1. Start", "1. Start › 1.1 Install", "Sizes"]
    assert "\n" not in told["1. Start"]
    install = told["1. Start › 1.1 Install"]
    assert "- Put the disc in and wait until the light beside it is on and stays on.\n- Press the key." in install
    assert "Larkfield Bikes\n12 Harbour Street" in install
    assert "**-q, --quiet**: Say less." in install
    assert told["Sizes"].startswith("```\nname      price   size\nmug       3       small\n")


def test_a_man_page_has_terms_and_no_running_lines() -> None:
    page = """PROC(5)              Manual              PROC(5)

NAME
       proc - process information

DESCRIPTION
   Files
       /proc/stat
              Kernel  and  system  statistics  that  vary with the
              architecture.

              More of it.

SEE ALSO
       top(1)

Linux                2022                PROC(5)
"""
    parsed = read("proc.txt", page.encode())
    assert parsed.title == "PROC(5)"
    assert [(passage.heading, passage.kind) for passage in parsed.passages] == [
        ("NAME", "prose"),
        ("DESCRIPTION › Files › /proc/stat", "term"),
        ("SEE ALSO", "prose"),
    ]
    assert "Kernel and system statistics" in parsed.passages[1].body


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Größe und Preise für Räder: 3 € — gültig ab März.\n" * 3),
        ("cp1252", "Wann offen? Um neun für alle."),  # short, and a pair of bytes that Big5 has, too
        ("utf-16", "Größe"),
        ("utf-16-le", "Opening hours of the shop on Sundays"),
        ("shift_jis", "夏休みは八月十日から二十日までです。図書館は閉まります。本は返却箱に入れてください。\n" * 3),
        ("euc_jp", "夏休みは八月十日から二十日までです。図書館は閉まります。本は返却箱に入れてください。\n" * 3),
        ("cp1251", "Магазин открыт с девяти до шести часов, кроме воскресенья и праздников.\n" * 3),
        ("gb18030", "图书馆在星期天关闭，其他时间从上午九点开放到下午六点。请把书放进还书箱。\n" * 3),
    ],
)
def test_encodings_are_told_apart(encoding: str, text: str) -> None:
    body = read("a.md", text.encode(encoding)).passages[0].body
    assert body.split("\n")[0] == text.split("\n")[0]


def test_two_columns_are_pairs_or_terms_whatever_they_are_called() -> None:
    for table in (
        "When?,At nine.\nWhere?,Here.\n",
        "Kunde fragt;Wir sagen\nWhen?;At nine.\nWhere?;Here.\n",
        "At nine.\tWhen?\nHere.\tWhere?\n",
    ):
        found = pairs(table)
        assert found is not None, table
        assert [(pair.question, pair.answer) for pair in found] == [("When?", "At nine."), ("Where?", "Here.")]
    said = "A long explanation that says what the word in front of it means."
    assert read("glossary.csv", f"Word,Meaning\nAlpha,{said}\n".encode()).passages == [Passage("term", "Alpha", said)]
    assert pairs("name,price\nbell,3\n") is None


def test_words_cut_at_the_end_of_a_line_are_whole() -> None:
    joiner = Joiner("a well-known word")
    assert joiner.joined(["this is well-", "known and set-", "ting, Sec\ufffetion"]) == (
        "this is well-known and setting, Section"
    )


def test_running_headers_and_page_numbers_go() -> None:
    pages = [
        [PageLine(f"{n} Chapter 2. The Archive", 9, n), PageLine(f"Text {n} is here.", 9, n), PageLine(str(n), 9, n)]
        for n in range(1, 5)
    ]
    kept = _without_running(
        [[*page[:1], *[PageLine(f"Body {i}{'abcdef'[i]}", 9, 1) for i in range(6)], *page[1:]] for page in pages]
    )
    words = [line.text for page in kept for line in page]
    assert not any("Chapter" in word or word.isdigit() for word in words)
    assert "Body 0a" not in words or len(words) > 20
    outline = _Reader({(1, "archive"): 2}, [[PageLine("2.1 Archive", 12, 1), PageLine("Text.", 9, 1)]]).read("")
    assert outline.passages == [Passage("prose", "2.1 Archive", "Text.", 1)]


def _filled(text: str, indent: int) -> str:
    """Lines that all end at column 60, as nroff fills them with blanks between words; the last one is short."""
    lines: list[list[str]] = [[]]
    for word in text.split():
        if len(" ".join([*lines[-1], word])) > 60 - indent:
            lines.append([])
        lines[-1].append(word)
    full = [
        " " * indent + " ".join(line[:-1]) + line[-1].rjust(60 - indent - len(" ".join(line[:-1]))) for line in lines
    ]
    return "\n".join([*full[:-1], " " * indent + " ".join(lines[-1])])


def test_in_a_man_page_filled_lines_are_prose_and_capitals_a_term() -> None:
    rest = "A process may rest until the time that was asked for has passed, and goes on then as it did before."
    page = (
        f"SLEEP(7)  Manual  SLEEP(7)\n\nDESCRIPTION\n{_filled(rest, 7)}\n\n       SIGREST\n{_filled(rest * 9, 14)}\n\n"
        "   Values\n       max   60 s\n       min   10 s\n\nLinux  2026  SLEEP(7)\n"
    )
    described = read("sleep.txt", page.encode()).passages
    assert [(passage.kind, passage.heading) for passage in described] == [
        ("prose", "DESCRIPTION"),
        ("term", "DESCRIPTION › SIGREST"),
        ("code", "DESCRIPTION › Values"),
    ]
    assert described[0].body == rest
    assert "```" not in described[1].body


def test_word_says_what_is_repeated_once_and_has_no_contents_as_text() -> None:
    document = docx.Document()
    document.add_heading("Former helpers", level=0)
    document.add_heading("Harbour guide", level=1)
    document.add_paragraph("Table of Contents")
    for entry in ("1. Moorings", "Fees", "Former helpers"):
        document.add_paragraph(entry)
    for section in ("Moorings", "Fees", "Boats", "Tides", "Former helpers"):
        document.add_heading(section, level=2)
        document.add_paragraph(f"What is said of {section} is said here.")
        document.add_paragraph("Would you like to comment on this page?")
    out = io.BytesIO()
    document.save(out)
    parsed = read("a.docx", out.getvalue())
    assert parsed.title == "Harbour guide", "the title is that of a section, too"
    assert parsed.passages[0] == Passage(
        "contents", "Harbour guide", "- Table of Contents\n- 1. Moorings\n- Fees\n- Former helpers"
    )
    assert sum("comment" in passage.body for passage in parsed.passages) == 1


def test_word_has_lists_code_and_headings() -> None:
    document = docx.Document()
    document.add_heading("Rules", level=1)
    document.add_paragraph("First", style="List Number")
    document.add_paragraph("Deep", style="List Bullet 2")
    document.add_paragraph("a | b")
    out = io.BytesIO()
    document.save(out)
    (passage,) = read("a.docx", out.getvalue()).passages
    assert passage.heading == "Rules"
    assert passage.body == "- First\n- Deep\n\na \\| b"


@pytest.mark.parametrize("unit", ["a", "a-", ". ", "...", "word "])
def test_a_line_without_end_is_read_in_time_that_grows_with_it(unit: str) -> None:
    """Twice as much of it takes about twice as long; a step that takes the square would take minutes for this."""
    assert read("line.txt", unit.encode() * (400_000 // len(unit))).passages or unit == "..."
