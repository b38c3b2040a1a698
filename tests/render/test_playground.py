"""The playground: safe HTML, with the exact output of what is hard."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.playground.parts import PlaygroundPart
from adapters.playground.preview import preview
from adapters.playground.render import PART_SIZE, render
from bot.events import Answer, Home, Notice, RecentQuestion
from bot.render import parse, plain
from tests.render.judges import html_problems

LINK = 'target="_blank" rel="noopener noreferrer nofollow ugc"'


def parts_of(markdown: str) -> list[PlaygroundPart]:
    return render(Answer(text=markdown, asker_id="1"))


def html(markdown: str) -> str:
    (part,) = parts_of(markdown)
    return part.html


def test_everything_a_part_can_have() -> None:
    shown = html(
        "## A\n\na **b *c*** `<d>` ~~e~~\nf [g](https://example.org?a=1&b=2)\n\n> q\n\n---\n\n```c++\n<x>\n```"
    )
    assert shown == (
        '<h2 dir="auto">A</h2>'
        '<p dir="auto">a <strong>b </strong><strong><em>c</em></strong> <code>&lt;d&gt;</code> <s>e</s><br>'
        f'f <a href="https://example.org?a=1&amp;b=2" {LINK}>g</a></p>'
        '<blockquote><p dir="auto">q</p></blockquote><hr>'
        '<pre data-language="c++" tabindex="0"><code>&lt;x&gt;</code></pre>'
    )


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("asks", [False, True])
def test_buttons_hang_on_the_last_part_of_an_answer_that_asks_for_a_rating(plain: bool, asks: bool) -> None:
    answer = Answer(text="word " * PART_SIZE, asker_id="1", asks_rating=asks)
    *first, last = render(answer, plain=plain)
    assert first
    assert not any(part.buttons for part in first)
    assert last.buttons == asks


def test_lists_nest_and_keep_their_numbers() -> None:
    assert html("3. a\n   - [x] b\n\n   c\n4. [ ] d\n\n- e") == (
        '<ol><li value="3">a<ul><li class="task">☑ b</li></ul><p dir="auto">c</p></li><li value="4">☐ d</li></ol>'
        "<ul><li>e</li></ul>"
    )


def test_a_table() -> None:
    assert html("| a | b |\n|---|--:|\n| <i> | **1** |") == (
        '<div class="wide"><table><thead><tr><th dir="auto">a</th><th class="right" dir="auto">b</th></tr></thead>'
        '<tbody><tr><td dir="auto">&lt;i&gt;</td><td class="right" dir="auto"><strong>1</strong></td></tr></tbody>'
        "</table></div>"
    )


def test_nothing_in_an_answer_becomes_markup() -> None:
    shown = html(
        '<script>alert(1)</script> [x](https://example.org/"onmouseover="alert(1)) [y](javascript:alert(1)) &lt;b&gt;'
    )
    assert shown == (
        '<p dir="auto">&lt;script&gt;alert(1)&lt;/script&gt; '
        f'<a href="https://example.org/%22onmouseover=%22alert(1)" {LINK}>x</a> y &lt;b&gt;</p>'
    )


def test_a_list_of_thirty_levels() -> None:
    shown = html("\n".join("  " * level + f"- level {level}" for level in range(30)))
    assert shown == "".join(f"<ul><li>level {level}" for level in range(30)) + "</li></ul>" * 30


def test_a_word_of_forty_thousand_characters() -> None:
    parts = parts_of("W" * 40_000)
    assert "".join(part.text for part in parts) == "W" * 40_000
    assert max(len(part.text) for part in parts) <= PART_SIZE


def test_a_part_has_its_text_its_kind_and_the_last_of_an_answer_buttons() -> None:
    parts = parts_of("# Head\n\n" + "word " * 2_000)
    assert parts[0].text.startswith("Head\n\nword word")
    assert [part.buttons for part in parts] == [False] * (len(parts) - 1) + [True]
    assert {part.kind for part in parts} == {"answer"}
    (notice,) = render(Notice(text="**x**", kind="why"))
    assert notice == PlaygroundPart(html='<p dir="auto"><strong>x</strong></p>', text="x", kind="why")


@pytest.mark.parametrize("content", ["", "\u200b", "```\n```", "\ud800", "\n\n>\n- "])
def test_there_is_always_a_part(content: str) -> None:
    parts = parts_of(content)
    assert parts
    assert all(html_problems(part.to_json()) == [] for part in parts)


def test_a_question_is_not_read_as_markdown() -> None:
    (part,) = render(Notice(text="is **this** <b>?", kind="question"))
    assert part.html == '<p dir="auto">is **this** &lt;b&gt;?</p>'


def test_home_lists_what_was_asked() -> None:
    asked = RecentQuestion(
        text="why *so*\n# x?", ref=None, asked_at=datetime(2026, 11, 22, tzinfo=UTC), outcome="answered"
    )
    (part,) = render(Home(user_id="1", recent=(asked,)))
    assert part.html == '<p dir="auto">Ask a question below.</p><ul><li>answered: why *so* # x?</li></ul>'


def test_the_preview_is_what_would_be_shown() -> None:
    assert preview("a *b*") == (
        '<article class="message"><p dir="auto">a <em>b</em></p>'
        '<footer><span class="button">Helpful</span> <span class="button">Not helpful</span></footer></article>'
    )


def test_the_plain_form_is_the_words_alone() -> None:
    (part,) = render(Answer(text="# A <b>\n\n- *b*\n- `c & d`\n\n> e", asker_id="1"), plain=True)
    (formed,) = parts_of("# A <b>\n\n- *b*\n- `c & d`\n\n> e")
    assert part == PlaygroundPart(text=formed.text, buttons=True)
    assert "A <b>" in part.text
    assert "c & d" in part.text


@pytest.mark.parametrize(
    "markdown", ["W" * 40_000, "- *item*\n" * 3_000, "| a | b |\n|---|---|\n" + "| c | d |\n" * 2_000]
)
def test_the_plain_form_of_what_is_long_loses_nothing(markdown: str) -> None:
    parts = render(Answer(text=markdown, asker_id="1"), plain=True)
    assert len(parts) > 1
    assert max(len(part.text) for part in parts) <= PART_SIZE
    assert not any(part.html for part in parts)
    whole = plain(parse(markdown))
    assert "".join("".join(part.text for part in parts).split()) == "".join(whole.split())


@pytest.mark.parametrize("content", ["", "\u200b", "```\n```", "\ud800", "\n\n>\n- "])
def test_there_is_always_a_plain_part(content: str) -> None:
    parts = render(Answer(text=content, asker_id="1"), plain=True)
    assert parts
    assert all(part.text.strip() for part in parts)
