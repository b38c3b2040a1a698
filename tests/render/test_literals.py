"""What is shown as it was written: addresses, arithmetic, formulas, cells of tables, fences, names of files."""

from __future__ import annotations

import pytest

from bot.render import parse
from bot.render.blocks import Code, Span, Spans, Table, Text
from bot.render.bounds import CELLS, DELIMITERS, NESTING
from bot.render.parse import TOO_MUCH


def spans(markdown: str) -> Spans:
    return tuple(span for block in parse(markdown).blocks if isinstance(block, Text) for span in block.spans)


def text(markdown: str) -> str:
    return "".join(span.text for span in spans(markdown))


@pytest.mark.parametrize(
    ("written", "href"),
    [
        ("https://git.example.com/acme/src/__tests__/cart.test.js", None),
        ("https://docs.example.com/_static_/x", None),
        ("https://cron.example/*/5", None),
        ("https://a.example/~~old~~/x", None),
        ("https://de.wikipedia.org/wiki/Foo_(bar)", None),
        ("https://user.example:8443/a_b_c?x=*1*&y=_2_#part_two", None),
        ("https://m\u00fcnchen.example/stra\u00dfe", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("www.example.com/a_b_c", "http://www.example.com/a_b_c"),
        ("https://api.example.com/v1/{id}/items", "https://api.example.com/v1/%7Bid%7D/items"),
        ("first_last_name@mail.example.com", "mailto:first_last_name@mail.example.com"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "see {}.", "({})", "**{}**", "_x_ {}, _y_", "> - {} *z*", "\u8bf7\u770b {}\u3002"]
)
def test_an_address_is_a_literal_with_one_link(written: str, href: str | None, around: str) -> None:
    linked = [span for span in spans(around.format(written)) if span.href]
    assert [(span.text, span.href) for span in linked] == [(written, href or written)]


@pytest.mark.parametrize(
    ("markdown", "shown", "href"),
    [
        ("see https://a.example/x\u67e5\u770b", "https://a.example/x", "https://a.example/x"),
        ("\u8bbf\u95eehttps://a.example/x\u3002", "https://a.example/x", "https://a.example/x"),
        ("(https://a.example/x), and", "https://a.example/x", "https://a.example/x"),
        ("https://a.example/snake\\_case", "https://a.example/snake_case", "https://a.example/snake_case"),
        ("https://a.example/?a=1&amp;b=2", "https://a.example/?a=1&b=2", "https://a.example/?a=1&b=2"),
        ("[https://a.example/x_y_z](https://a.example/x_y_z)", "https://a.example/x_y_z", "https://a.example/x_y_z"),
        ("[the guide](https://a.example/x_y_z)", "the guide", "https://a.example/x_y_z"),
    ],
)
def test_where_an_address_begins_and_ends(markdown: str, shown: str, href: str) -> None:
    assert [(span.text, span.href) for span in spans(markdown) if span.href] == [(shown, href)]


def test_an_address_in_code_is_code() -> None:
    assert spans("`https://a.example/_x_`") == (Span("https://a.example/_x_", code=True),)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("Call [our hotline](tel:+493012345).", "Call our hotline (+493012345)."),
        ("[+49 30 12345](tel:+493012345)", "+49 30 12345"),
        ("[text us](sms:12345?body=hi)", "text us (12345)"),
        ("[](tel:112)", "112"),
        ("[x](javascript:alert(1))", "x"),
    ],
)
def test_a_telephone_link_keeps_its_number(markdown: str, shown: str) -> None:
    assert text(markdown) == shown
    assert not [span for span in spans(markdown) if span.href]


@pytest.mark.parametrize(
    "written",
    [
        "G = G1*G2*G3 and 2*pi*5",
        "20*log10(abs(15-1*25))",
        "2**10 + 3**5",
        "a**b + c**d",
        "a_b_c and x_1 + x_2",
        "5 * 3 * 2 and 5 ** 3 ** 2",
        "$a_i * b_i$ and $x^2 * y^2$",
        "\\(x_1 * x_2 \\ge 5\\)",
        "\\[ a * b \\\\ c * d \\]",
        "$$\\frac{a_1}{b_1} * \\sum_{i} x_i * 2$$",
        "\\begin{matrix} a & b \\\\ c*d & e*f \\end{matrix}",
        "$5 and $10",
    ],
)
def test_arithmetic_and_formulas_keep_every_sign(written: str) -> None:
    assert spans(written) == (Span(written),)


@pytest.mark.parametrize(
    ("markdown", "bold"),
    [
        ("**\u793e\u533a\u663e\u793a\uff1a**Fable", ["\u793e\u533a\u663e\u793a\uff1a"]),
        (
            "**\u6ce8\u610f\uff1a**2024\u5e74\u3002\u3053\u308c\u306f**\u300c\u91cd\u8981\u300d**API",
            ["\u6ce8\u610f\uff1a", "\u300c\u91cd\u8981\u300d"],
        ),
        ("**\u0e2a\u0e33\u0e04\u0e31\u0e0d:**\u0e01\u0e23\u0e38\u0e13\u0e32", ["\u0e2a\u0e33\u0e04\u0e31\u0e0d:"]),
        ("\u0e14\u0e39**(\u0e19\u0e35\u0e48)**\u0e14\u0e35", ["(\u0e19\u0e35\u0e48)"]),
        ("**\u1781\u17d2\u1798\u17c2\u179a\u17d6**abc", ["\u1781\u17d2\u1798\u17c2\u179a\u17d6"]),
        ("**\uc911\uc694:**\uc608", ["\uc911\uc694:"]),
        ("foo**bar**baz and **bold**", ["bar", "bold"]),
    ],
)
def test_bold_is_bold_in_scripts_without_blanks(markdown: str, bold: list[str]) -> None:
    assert [span.text for span in spans(markdown) if span.bold] == bold
    assert "*" not in text(markdown)


def test_a_break_is_a_line_and_in_a_table_a_slash() -> None:
    assert text("Open:<br>Mon 9\u201317<br/>Sat<BR />closed") == "Open:\nMon 9\u201317\nSat\nclosed"
    assert text("`<br>` and <your-name>") == "<br> and <your-name>"
    (table,) = parse("| a |\n|---|\n| b<br>c |").blocks
    assert isinstance(table, Table)
    assert table.rows == (((Span("b / c"),),),)


def cells(markdown: str) -> list[list[str]]:
    (table,) = parse(markdown).blocks
    assert isinstance(table, Table)
    return [["".join(span.text for span in cell) for cell in row] for row in (table.header, *table.rows)]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("| Find it | `ps aux | grep nginx` |", ["Find it", "ps aux | grep nginx"]),
        ("| Find it | ``a ` | b`` |", ["Find it", "a ` | b"]),
        ("`a|b` | c", ["a|b", "c"]),
        ("| a | b | c | *d* |", ["a", "b | c | d"]),
        ("| a |", ["a", ""]),
        ("| a \\| b | c |", ["a | b", "c"]),
        ("| `a \\| b` | c |", ["a | b", "c"]),
        ("| ` | b |", ["`", "b"]),
    ],
)
def test_no_word_of_a_table_is_lost(row: str, shown: list[str]) -> None:
    assert cells(f"| x | y |\n|---|---|\n{row}") == [["x", "y"], shown]
    assert cells(f"> | x | y |\n> |---|---|\n> {row}") == [["x", "y"], shown]


def test_a_fence_of_markdown_may_hold_a_fence() -> None:
    inner = "Some\n```python\nprint(1)\n```\nrest"
    assert parse(f"```markdown\n{inner}\n```\n\nafter").blocks[0] == Code(inner, "markdown")
    assert parse(f"````md\n{inner}\n````").blocks == (Code(inner, "md"),)
    first, second = parse("```python\na\n```\n```python\nb\n```").blocks
    assert isinstance(first, Code)
    assert isinstance(second, Code)
    assert (first.text, second.text) == ("a", "b")


@pytest.mark.parametrize(
    "name",
    [
        "deploy.sh",
        "README.md",
        "main.rs",
        "setup.py",
        "report.zip",
        "ASP.NET",
        "example.com/x",
        "a.example.com:80",
        "10.0.0.1",
    ],
)
def test_a_name_that_looks_like_an_address_is_shown_as_code(name: str) -> None:
    assert spans(f"Run {name}, then **{name}**.") == (
        Span("Run "), Span(name, code=True), Span(", then "), Span(name, code=True), Span("."),
    )  # fmt: skip


@pytest.mark.parametrize(
    "written", ["the end.Next one", "e.g. this, U.S.A.", "3.14 and v1.2.3", "a...b", "Node.js and e.g.this"]
)
def test_what_nobody_takes_for_an_address_stays_text(written: str) -> None:
    assert spans(written) == (Span(written),)


@pytest.mark.parametrize(
    "written",
    [
        "a | b\n-|-\n" + "1 | 2\n" * (CELLS // 2),
        "*a " * DELIMITERS + "*b",
        "> " * (NESTING + 1) + "end",
        "- " * (NESTING + 1) + "end",
    ],
)
def test_an_answer_with_too_much_formatting_is_shown_as_it_was_written_and_says_so(written: str) -> None:
    note, *rest = parse(written).blocks
    assert isinstance(note, Text)
    assert note.spans == (Span(TOO_MUCH, italic=True),)
    assert (
        "\n".join("".join(span.text for span in one.spans) for one in rest if isinstance(one, Text)) == written.strip()
    )


def test_an_answer_with_much_formatting_is_formatted() -> None:
    assert len(parse("a | b\n-|-\n" + "1 | 2\n" * (CELLS // 2 - 1)).blocks) == 1
    assert spans("*a* " * (DELIMITERS // 2))[0] == Span("a", italic=True)
