"""The splitter, with a scale that is easy to reckon with: a character weighs one, a block two."""

from __future__ import annotations

import re

import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.render import Block, Code, Document, Span, Spans, Table, Text, Weight, parse, plain, split, units
from tests.render.mixes import mixes

COMMON = settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


class Scale:
    def __init__(self, size: int, marks: int = 1_000, tables: int = 1_000) -> None:
        self.limit: Weight = (size, marks, tables)

    def span(self, span: Span, before: Span | None) -> tuple[int, int]:
        return units(span.text), int(span.bold or span.href is not None)

    def frame(self, block: Block, before: Block | None) -> Weight:
        return 2 + (self.row(block, block.header) if isinstance(block, Table) else 0), 0, int(isinstance(block, Table))

    def row(self, table: Table, row: tuple[Spans, ...]) -> int:
        return sum(units(span.text) for cell in row for span in cell)


def shown(markdown: str, size: int, marks: int = 1_000, tables: int = 1_000) -> list[str]:
    return [plain(Document(part)) for part in split(parse(markdown).blocks, Scale(size, marks, tables))]


def test_nothing_gives_nothing_and_a_little_stays_whole() -> None:
    assert shown("", 10) == []
    assert shown("a\n\nb\n\nc", 100) == ["a\n\nb\n\nc"]


def test_blocks_stay_whole_while_they_can() -> None:
    assert shown("aaaa bbbb\n\ncccc dddd\n\ne", 14) == ["aaaa bbbb", "cccc dddd\n\ne"]


def test_text_is_cut_at_a_sentence_then_at_a_space() -> None:
    assert shown("One two. Three four five six", 18) == ["One two.", "Three four five", "six"]
    assert shown("one two three four", 12) == ["one two", "three four"]


def test_a_word_longer_than_a_part_is_cut_between_graphemes() -> None:
    family = "👨‍👩‍👧‍👦"
    assert units(family) == 11
    assert shown(family * 4, 2 + 25) == [family * 2, family * 2]
    assert shown("e\u0301" * 5, 2 + 3) == ["e\u0301"] * 5


def test_without_a_space_the_cut_is_where_a_word_begins() -> None:
    assert shown("😀" * 5 + "word" + "😀" * 3, 2 + 13) == ["😀" * 5, "word" + "😀" * 3]
    parts = split(parse("```\n(aaaa)(bbbb)(cccc)\n```").blocks, Scale(12))
    assert [block.text for part in parts for block in part if isinstance(block, Code)] == ["(aaaa)(", "bbbb)(", "cccc)"]


def test_a_grapheme_longer_than_a_part_is_cut_after_all() -> None:
    parts = shown("a" + "\u0301" * 30, 12)
    assert "".join(parts) == "a" + "\u0301" * 30
    assert len(parts) == 4


def test_links_and_inline_code_move_whole_to_the_next_part() -> None:
    parts = split(parse("word word [one two three](https://example.org) and `x y z` end").blocks, Scale(22))
    links = [span.text for part in parts for block in part for span in block.spans if span.href]  # type: ignore[union-attr]  # only texts
    assert links == ["one two three"]
    codes = [span.text for part in parts for block in part for span in block.spans if span.code]  # type: ignore[union-attr]  # only texts
    assert codes == ["x y z"]


def test_a_link_longer_than_a_part_stays_a_link_in_both() -> None:
    parts = split(parse("[" + "a" * 30 + "](https://example.org)").blocks, Scale(22))
    spans = [span for part in parts for block in part for span in block.spans]  # type: ignore[union-attr]  # only texts
    assert [span.href for span in spans] == ["https://example.org"] * 2


def test_code_is_cut_between_lines_and_is_code_of_the_language_again() -> None:
    parts = split(parse("```py\na = 1\nb = 2\n\n    c = 3\n```").blocks, Scale(14))
    assert [block for part in parts for block in part] == [
        Code("a = 1\nb = 2\n", "py", parts[0][0].place),
        Code("    c = 3", "py", parts[1][0].place),
    ]


def test_a_table_is_cut_between_rows_under_its_header_again() -> None:
    parts = split(parse("| h | i |\n|---|---|\n" + "| aa | bb |\n" * 5).blocks, Scale(2 + 2 + 8))
    tables = [block for part in parts for block in part if isinstance(block, Table)]
    assert [len(table.rows) for table in tables] == [2, 2, 1]
    assert {table.header for table in tables} == {((Span("h"),), (Span("i"),))}


def test_a_row_longer_than_a_part_becomes_text_that_says_which_cell_is_which() -> None:
    text = "\n".join(shown("| h | i |\n|---|---|\n| " + "long " * 8 + "| b |\n| c | d |", 30))
    assert text.startswith("h · i\n\nh: long long")
    assert "i: b" in text
    assert text.endswith("c  d")


def test_a_header_as_long_as_a_part_is_not_repeated_with_every_row() -> None:
    text = "".join(shown("| " + "head " * 10 + "|\n|---|\n" + "| x |\n" * 50, 60))
    assert len(text) < 50 * 50


def test_a_number_stays_with_its_item_and_a_heading_with_its_text() -> None:
    markdown = "1. ```\n   aaaa bbbb\n   ```\n2. x\n3. ```\n   cccc dddd\n   ```"
    assert shown(markdown, 18) == ["1.\naaaa bbbb\n2. x", "3.\ncccc dddd"]
    assert shown("aaaaaaaa\n\n# Head\n\nbbbbbbbb", 18) == ["aaaaaaaa", "Head\n\nbbbbbbbb"]


def test_only_the_first_part_of_an_item_has_its_number() -> None:
    assert shown("7. one two three four\n8. five", 15) == ["7. one two three", "four\n8. five"]


def test_marks_and_tables_are_limits_too() -> None:
    assert shown("**a** b **c** d **e** f", 100, marks=2) == ["a b c d", "e f"]
    table = "| a |\n|---|\n| b |\n\n"
    assert len(shown(table * 3, 1_000, tables=1)) == 3


@settings(COMMON, max_examples=300)
@given(mixes, st.integers(24, 400), st.integers(3, 40))
def test_parts_keep_the_limits_and_everything_else(markdown: str, size: int, marks: int) -> None:
    scale = Scale(size, marks)
    blocks = parse(markdown).blocks
    parts = split(blocks, scale)
    assert all(parts)
    for part in parts:
        before: Block | None = None
        total = [0, 0]
        for block in part:
            total[0] += scale.frame(block, before)[0]
            match block:
                case Text(spans=spans):
                    weights = [scale.span(span, None) for span in spans]
                    total = [total[0] + sum(w[0] for w in weights), total[1] + sum(w[1] for w in weights)]
                case Code(text=text):
                    total[0] += units(text)
                case Table(rows=rows):
                    total[0] += sum(scale.row(block, row) for row in rows)
            before = block
        assert total[0] <= size
        assert total[1] <= marks
    assert _ink("".join(plain(Document(part)) for part in parts if not _has_table(part))) in (
        _ink("".join(plain(Document((block,))) for block in blocks)),
        *(
            [_ink("".join(plain(Document(part)) for part in parts if not _has_table(part)))]
            if _has_table(blocks)
            else []
        ),
    )


def _has_table(blocks: tuple[Block, ...]) -> bool:
    return any(isinstance(block, Table) for block in blocks)


def _ink(text: str) -> str:
    """What is printed, without white space, quote signs and the addresses behind labels."""
    return re.sub(r"[\s>]+", "", regex.sub(r"\((?:https?|mailto|[^\s()]*@)[^)]*\)", "", text))
