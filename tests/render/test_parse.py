"""Markdown to neutral blocks: what a model's habits and mistakes become."""

from __future__ import annotations

import pytest

from bot.render import Code, Marker, Place, Rule, Span, Table, Text, is_blank, parse, plain


def only(markdown: str) -> tuple[Span, ...]:
    (block,) = parse(markdown).blocks
    assert isinstance(block, Text)
    return block.spans


def test_marks_become_flags() -> None:
    assert only("a **b *c* `d`** ~~e~~") == (
        Span("a "),
        Span("b ", bold=True),
        Span("c", bold=True, italic=True),
        Span(" ", bold=True),
        Span("d", code=True),
        Span(" "),
        Span("e", strike=True),
    )


def test_what_is_left_open_stays_as_written() -> None:
    assert only("**a [b](https://example.org `c") == (
        Span("**a [b]("),
        Span("https://example.org", href="https://example.org"),
        Span(" `c"),
    )
    assert parse("```py\nx = 1").blocks == (Code("x = 1", "py"),)


def test_emphasis_in_scripts_without_spaces() -> None:
    assert only("**重要：**请") == (Span("重要：", bold=True), Span("请"))
    assert only("価格は**（税込）**です") == (Span("価格は"), Span("（税込）", bold=True), Span("です"))


def test_list_items_know_their_number_and_their_box() -> None:
    blocks = parse("3. a\n   - [x] b\n\n   c\n4. ```\n   d\n   ```").blocks
    assert blocks == (
        Text((Span("a"),), Place(depth=1, marker=Marker(3))),
        Text((Span("b"),), Place(depth=2, marker=Marker(None, done=True), tight=True)),
        Text((Span("c"),), Place(depth=1)),
        Text((), Place(depth=1, marker=Marker(4), tight=True)),
        Code("d", "", Place(depth=1, tight=True)),
    )


def test_a_table_has_even_rows_and_its_widths() -> None:
    (table,) = parse("| a | 日本 |\n|:--|--:|\n| long | |\n| x |").blocks
    assert isinstance(table, Table)
    assert table.align == ("left", "right")
    assert table.widths == (4, 4)
    assert table.rows == (((Span("long"),), ()), ((Span("x"),), ()))


def test_a_break_tag_in_a_cell_is_a_break() -> None:
    (table,) = parse("| a |\n|---|\n| x<br>y `<br>` |").blocks
    assert isinstance(table, Table)
    assert table.rows == (((Span("x / y "), Span("<br>", code=True)),),)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "tg://user?id=1",
        ),
        *(
            "ton://x",
            "//evil.example",
            "/docs",
            "#top",
            "https:evil",
            "http://",
            "ftp://example.org",
            "slack://x",
        ),
        *("java&#115;cript:alert(1)", "https://[1::", "mailto:", "mailto:a@example.org?bcc=b@example.org"),
    ],
)
def test_only_web_and_mail_links_live(target: str) -> None:
    assert only(f"[label]({target})") == (Span("label"),)


def test_links_that_live() -> None:
    assert only("[a](https://example.org/x_(y)?a=1&b=2)") == (Span("a", href="https://example.org/x_(y)?a=1&b=2"),)
    assert only("[a](mailto:b@example.org)") == (Span("a", href="mailto:b@example.org"),)
    assert only("[](https://example.org)") == (Span("https://example.org", href="https://example.org"),)


def test_addresses_written_out_are_links_without_the_punctuation_around_them() -> None:
    spans = only(
        "(see https://example.org/a_(b)), www.example.org/c. <https://example.org/d> https://example.org/e。次"
    )
    assert [(span.text, span.href) for span in spans if span.href] == [
        ("https://example.org/a_(b)", "https://example.org/a_(b)"),
        ("www.example.org/c", "http://www.example.org/c"),
        ("https://example.org/d", "https://example.org/d"),
        ("https://example.org/e", "https://example.org/e"),
    ]


def test_a_label_that_is_another_address_is_followed_by_the_true_one() -> None:
    evil = "https://evil.example/login"
    spans = only(f"[https://bank.example]({evil})")
    assert "".join(span.text for span in spans) == "https://bank.example (evil.example)"
    assert {span.href for span in spans} == {evil}
    assert plain(parse("[www.bank.example/x](https://bank.example/x)")).startswith("www.bank.example/x (https")


def test_pictures_are_links_to_them() -> None:
    assert only("![a *cat*](https://example.org/c.png)") == (Span("a cat", href="https://example.org/c.png"),)
    assert only("![cat](javascript:x)") == (Span("cat"),)
    badge = only("[![badge](https://example.org/b.svg)](https://example.org/build)")
    assert badge[0] == Span("badge", href="https://example.org/build")
    assert badge[-1] == Span("🖼", href="https://example.org/b.svg")


def test_definitions_no_link_uses_are_shown_where_they_stood() -> None:
    shown = plain(
        parse("See [the page][a].\n\n[a]: https://example.org/a\n[b]: https://example.org/b 'B'\n[^1]: word\n\nend")
    )
    assert shown == ("See the page (https://example.org/a).\n\n[b]: https://example.org/b 'B'\n[^1]: word\n\nend")


def test_html_is_text() -> None:
    assert only("<b>x</b> <your-name> &lt;i&gt; <!-- c -->") == (Span("<b>x</b> <your-name> <i> <!-- c -->"),)


def test_bidi_controls_and_controls_do_not_pass() -> None:
    assert only("a\u202eb\u2066c\u200fd\x07e") == (Span("abcd e"),)
    assert only("\u05d0\u202eb\u2066c.\u200f") == (Span("\u05d0bc.\u200f"),), "in Hebrew a mark serves"
    assert only("`a\u202eb\x1b`") == (Span("a\ufffdb\ufffd", code=True),)
    assert parse("```\na\u2066b\n```").blocks == (Code("a\ufffdb"),)


def test_halves_of_surrogate_pairs_become_one_or_a_sign() -> None:
    assert only("a\ud83d\ude00b\ud800c") == (Span("a😀b\ufffdc"),)


def test_every_kind_of_line_end() -> None:
    assert parse("\ufeff# a\r\nb\rc\u2028d").blocks == (
        Text((Span("a"),), Place(), 1),
        Text((Span("b\nc\nd"),), Place(tight=True)),
    )


def test_below_the_deepest_level_text_stays() -> None:
    for markdown in ("> " * 5_000 + "end", "- " * 5_000 + "end", "1. > " * 2_000 + "end"):
        assert plain(parse(markdown)).endswith("end")
    (rule,) = parse("***").blocks
    assert isinstance(rule, Rule)


def test_brackets_without_end_do_not_take_for_ever() -> None:
    for markdown in ("[" * 50_000, "![" * 25_000, "[a](" * 12_000, "[" * 20_000 + "]" * 20_000):
        assert plain(parse(markdown)) == markdown


def test_what_a_reader_would_not_see_is_blank() -> None:
    for text in ("", " \n\t", "\u200b\u2060", "\u3164\u2800", "\u0301", "\ufe0f"):
        assert is_blank(text), ascii(text)
    for text in (".", "a", "😀", "漢"):
        assert not is_blank(text)


def test_plain_text_of_everything() -> None:
    markdown = (
        "# Head\n\n> said *so*\n\n1. one\n   - two\n\n| a | b |\n|---|--:|\n| x | 10 |\n\n---\n\n```py\ncode\n```"
    )
    assert plain(parse(markdown)) == (
        "Head\n\n> said so\n\n1. one\n   ◦ two\n\na   b\n─  ──\nx  10\n\n────────\n\ncode"
    )
    assert plain(parse("one two three"), 9) == "one two …"
