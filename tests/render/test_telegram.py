"""Telegram: the exact text and entities of what is hard, and what else the adapter asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.telegram.compose import openable
from adapters.telegram.ids import RATE_BAD, RATE_GOOD
from adapters.telegram.parts import TelegramPart
from adapters.telegram.preview import preview
from adapters.telegram.render import keyboard, render
from bot.events import Answer, Home, Notice, RecentQuestion
from tests.render.judges import telegram_problems, units

J = "\u2060"


def parts_of(markdown: str) -> list[TelegramPart]:
    return render(Answer(text=markdown, asker_id="1"))


def one(markdown: str) -> TelegramPart:
    (part,) = parts_of(markdown)
    return part


def entity(kind: str, offset: int, length: int, **more: str) -> dict[str, object]:
    return {"type": kind, "offset": offset, "length": length, **more}


def test_everything_a_message_can_have() -> None:
    part = one("# Head\n\na **b *c*** `d` ~~e~~ [f](https://example.org)\n\n> q **r**\n> > s\n\n```py\nx\n```\n\n---")
    assert part.text == "Head\n\na b c d e f\n\nq r\ns\n\nx\n\n────────"
    assert list(part.entities) == [
        entity("bold", 0, 4),
        entity("bold", 8, 3),
        entity("italic", 10, 1),
        entity("code", 12, 1),
        entity("strikethrough", 14, 1),
        entity("text_link", 16, 1, url="https://example.org"),
        entity("blockquote", 19, 5),
        entity("bold", 21, 1),
        entity("pre", 26, 1, language="py"),
    ]
    assert part.buttons is True


def test_a_hundred_entities_nested_in_one_place() -> None:
    """Marks within marks of the same kind are one mark; the link is outermost and whole."""
    part = one("**a *b ~~c " * 34 + "[x](https://example.org)" + " c~~ b* a**" * 34)
    assert part.text == "a b c " * 34 + "x" + " c b a" * 34
    assert list(part.entities) == [
        entity("bold", 0, 204),
        entity("italic", 2, 202),
        entity("strikethrough", 4, 200),
        entity("text_link", 204, 1, url="https://example.org"),
        entity("bold", 204, 1),
        entity("italic", 204, 1),
        entity("strikethrough", 204, 1),
        entity("bold", 205, 204),
        entity("italic", 205, 202),
        entity("strikethrough", 205, 200),
    ]


def test_more_than_a_hundred_entities_are_several_messages() -> None:
    parts = parts_of(" ".join(f"**b{n}**" for n in range(250)))
    assert [len(part.entities) for part in parts] == [100, 100, 50]
    assert " ".join(part.text for part in parts) == " ".join(f"b{n}" for n in range(250))
    assert [part.buttons for part in parts] == [False, False, True]


def test_a_word_of_forty_thousand_characters() -> None:
    parts = parts_of("W" * 40_000)
    assert "".join(part.text for part in parts) == "W" * 40_000
    assert [len(part.text) for part in parts[:-1]] == [3_972] * 10


def test_a_list_of_thirty_levels() -> None:
    part = one("\n".join("  " * level + f"- level {level}" for level in range(30)))
    lines = part.text.split("\n")
    assert lines[:4] == ["• level 0", "   ◦ level 1", "      ▪ level 2", "         • level 3"]
    assert lines[29] == " " * 21 + "▪ level 29"  # deeper than eight levels the indentation ends
    assert len(lines) == 30
    assert list(part.entities) == []


def test_a_wall_of_families() -> None:
    family = "👨‍👩‍👧‍👦"
    parts = parts_of(family * 1_000)
    assert "".join(part.text for part in parts) == family * 1_000
    for part in parts:
        assert part.text.replace(family, "") == ""
        assert units(part.text) <= 4096


def test_arabic_and_chinese_with_code() -> None:
    part = one(
        '1. افتح `Security` ثم **اضغط**\n   ```bash\n   passwd "م"\n   ```\n2. **重要：**请设置`x=1`。👍🏽 **好**'
    )
    assert part.text == '1. افتح Security ثم اضغط\npasswd "م"\n2. 重要：请设置x=1。👍🏽 好'
    assert list(part.entities) == [
        entity("code", 8, 8),
        entity("bold", 20, 4),
        entity("pre", 25, 10, language="bash"),
        entity("bold", 39, 3),
        entity("code", 45, 3),
        entity("bold", 54, 1),
    ]


def test_names_and_commands_are_defused_outside_code_and_addresses() -> None:
    part = one(
        "@durov (@ab_c) /start /stop@bot a/b and/or /usr/bin x@example.org `@durov /start` tg://user?id=1 **@du**rov"
    )
    assert part.text == (
        f"@{J}durov (@{J}ab_c) /{J}start /{J}stop@bot a/b and/or /usr/bin x@example.org @durov /start "
        f"tg:{J}//user?id=1 @{J}durov"
    )
    assert telegram_problems(part.to_json()) == []


def test_a_cut_does_not_bring_a_name_to_life() -> None:
    parts = parts_of("x" * 4_093 + "@durov/start " + "y" * 4_000)
    assert all(telegram_problems(part.to_json()) == [] for part in parts)
    assert "".join(part.text for part in parts).replace(J, "").startswith("x" * 4_093 + "@durov/start")


def test_the_code_of_a_name_is_code_and_links_keep_their_address() -> None:
    part = one("```\n@durov /start\n```\nhttps://example.org/@durov/start [@durov](https://example.org/@durov)")
    assert part.text == f"@durov /start\nhttps://example.org/@durov/start @{J}durov"
    assert [found.get("url") for found in part.entities[1:]] == [
        "https://example.org/@durov/start",
        "https://example.org/@durov",
    ]


def test_links_that_telegram_drops_show_their_address() -> None:
    part = one("[a](http://localhost:8080/x) [b](mailto:b@example.org) [**c** d](mailto:c@example.org)")
    assert part.text == "a (http://localhost:8080/x) b (b@example.org) c d (c@example.org)"
    assert list(part.entities) == [entity("bold", 46, 1)]


@pytest.mark.parametrize(
    "text", ["http://localhost/ü is it", "http://localhost/x¹໐", "see http://intranet/a b%20c", "http://wiki/東京"]
)
def test_an_address_that_telegram_drops_is_not_shown_twice(text: str) -> None:
    """It is its own label, though other characters stand for some of it in the link."""
    assert one(text).text == text


def test_an_address_in_a_label_that_goes_on_is_another_one() -> None:
    assert one("[http://localhost/ab](http://localhost/a)").text == "http://localhost/ab (http://localhost/a)"
    for label in ("(http://localhost/a)", "«http://localhost/a»", "http://localhost/a: here", "at http://localhost/a."):
        assert one(f"[{label}](http://localhost/a)").text == label
    assert one("[ann@example.org: write](mailto:ann@example.org)").text == "ann@example.org: write"
    assert one("[joann@example.org](mailto:ann@example.org)").text == "joann@example.org (ann@example.org)"


def test_a_link_is_never_cut_by_the_marks_around_it() -> None:
    part = one("**a [b *c***](https://example.org) d**")
    links = [found for found in part.entities if found["type"] == "text_link"]
    assert len(links) == 1
    assert telegram_problems(part.to_json()) == []


def test_a_narrow_table_is_aligned() -> None:
    part = one("| Name | 価格 |\n|---|--:|\n| 日本 | 1 |\n| b | 1000 |")
    assert part.text == "Name  価格\n────  ────\n日本     1\nb     1000"
    assert list(part.entities) == [entity("pre", 0, units(part.text))]


def test_a_wide_table_and_one_with_links_are_lines() -> None:
    part = one("| Key | Value |\n|---|---|\n| a | [b](https://example.org) |\n| c | |")
    assert part.text == "Key · Value\n\nKey: a\nValue: b\n\nKey: c"
    wide = one("| Key | Value |\n|---|---|\n| a | " + "long " * 20 + "|")
    assert wide.text == "Key · Value\n\nKey: a\nValue: " + ("long " * 20).strip()


def test_rows_are_not_cut_and_the_header_stands_on_every_message() -> None:
    parts = parts_of("| Nr | Name |\n|--:|---|\n" + "".join(f"| {n} | item {n} |\n" for n in range(600)))
    rows = [line for part in parts for line in part.text.split("\n")[2:]]
    assert rows == [f"{n:>3}  item {n}" for n in range(600)]
    assert {part.text.split("\n")[0] for part in parts} == {" Nr  Name"}
    assert len(parts) > 1


def test_code_over_several_messages_keeps_its_language_and_its_indentation() -> None:
    code = "\n".join(f"    line {n}" for n in range(600))
    parts = parts_of(f"```python\n{code}\n```")
    assert "\n".join(part.text for part in parts) == code
    assert {part.entities[0]["language"] for part in parts} == {"python"}


@pytest.mark.parametrize(
    "text", ["", " \n ", "\u200b\u2060", "\u3164", "```\n```", "\ud800", "[](javascript:x)", "\u202e" * 5_000]
)
def test_there_is_always_a_message(text: str) -> None:
    parts = parts_of(text)
    assert parts
    assert all(telegram_problems(part.to_json()) == [] for part in parts)


def test_notices_have_no_buttons_and_a_why_asks_for_a_reply() -> None:
    assert render(Notice(text="**Working** on it.", kind="progress")) == [
        TelegramPart(text="Working on it.", entities=(entity("bold", 0, 7),), progress=True)
    ]
    (why,) = render(Notice(text="What was wrong?", kind="why", user_id="1"))
    assert why.force_reply is True
    (info,) = render(Notice(text="/new begins anew", kind="info"))
    assert info.text == "/new begins anew"  # our own commands may be tapped
    assert not render(Notice(text="x", kind="failure"))[0].force_reply


def test_a_question_is_quoted_as_it_was_written() -> None:
    (part,) = render(Notice(text="what is **x**, @durov?", kind="question", user_id="1"))
    assert part.text == f"what is **x**, @{J}durov?\nAsked with /{J}ask"


def test_home_is_a_message() -> None:
    asked = RecentQuestion(text="how @durov", ref=None, asked_at=datetime(2026, 11, 22, tzinfo=UTC), outcome="answered")
    (part,) = render(Home(user_id="1", recent=(asked,)))
    assert "answered: how" in str(part.text)
    assert part.buttons is False


def test_the_keyboard_ticks_the_recorded_rating() -> None:
    def faces(rating: Any) -> list[tuple[str, str]]:
        return [(button["text"], button["callback_data"]) for button in keyboard(rating)["inline_keyboard"][0]]

    assert faces(None) == [("👍", RATE_GOOD), ("👎", RATE_BAD)]
    assert faces("good") == [("👍 ✓", RATE_GOOD), ("👎", RATE_BAD)]
    assert faces("bad") == [("👍", RATE_GOOD), ("👎 ✓", RATE_BAD)]


_labels = st.sampled_from(["a", "example", "-", "_", "münchen", "127", "0", "xn--a", "%41", "~", "1"])
_hosts = st.lists(_labels, max_size=4).map(".".join)


@settings(deadline=None, database=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(_hosts, st.sampled_from(["", ":80", ":0", ":99999", ":x", "@b", "/p", "?q", "#f", "/@durov", "/a b"]))
def test_no_link_that_telegram_would_drop_is_sent_as_one(host: str, rest: str) -> None:
    for part in parts_of(f"[a](<http://{host}{rest}>) and http://{host}{rest}"):
        assert telegram_problems(part.to_json()) == []
    assert not openable(f"mailto:a@{host}")


@settings(deadline=None, database=None, derandomize=True, max_examples=500, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from([*"@/:.-_<>()~!é日 \n", "ab", "durov", "start", "tg", "ton", "tonsite", "//", "\u0301", "x9"]),
        max_size=20,
    )
)
def test_nothing_that_telegram_finds_by_itself_is_live(pieces: list[str]) -> None:
    for part in parts_of("\\" + "".join(pieces)):
        assert telegram_problems(part.to_json()) == []


def test_the_preview_is_what_would_be_sent() -> None:
    html = preview("a <b> & **c** @durov\n\n```\n<script>\n```")
    assert html == (
        '<article class="message" dir="auto"><div class="text">a &lt;b&gt; &amp; <strong>c</strong> @\u2060durov\n'
        '<pre tabindex="0">&lt;script&gt;</pre></div>'
        '<footer><span class="button">👍</span> <span class="button">👎</span></footer></article>'
    )
