"""Telegram's plain form: the same words without any entity, and nothing live that the entities had kept quiet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.telegram.parts import TelegramPart
from adapters.telegram.render import render
from bot.events import Answer, Home, Notice, NoticeKind, RecentQuestion
from bot.testing.telegram.text import found
from tests.render import judges
from tests.render.answers import each_answer, read
from tests.render.judges import part_of, tdlib, telegram_problems, units

J = "\u2060"


def plain(markdown: str) -> list[TelegramPart]:
    parts = render(Answer(text=markdown, asker_id="1"), plain=True)
    for part in parts:
        assert part.entities == ()
        assert 0 < units(part.text) <= 4000
        assert telegram_problems(part.to_json()) == []
    assert [part.buttons for part in parts] == [False] * (len(parts) - 1) + [True]
    return parts


def one(markdown: str) -> str:
    (part,) = plain(markdown)
    return part.text


def links(text: str) -> list[str]:
    """What Telegram links by itself in the text, by TDLib's own code."""
    return [judges.part_of(text, entity["offset"], entity["length"]) for entity in found(text)]


def test_everything_a_message_can_have() -> None:
    text = one(
        "# Head\n\na **b *c*** `d` ~~e~~ [f](https://example.org)\n\n> q **r**\n\n```py\nx\n```\n\n---\n\n"
        "| A | B |\n|-|-|\n| 1 | 2 |"
    )
    assert text == "Head\n\na b c d ~e~ f (https://example.org)\n\n> q r\n\nx\n\n────────\n\nA  B\n─  ─\n1  2"


@each_answer
def test_hard_answers_keep_their_words_in_order(path: Path) -> None:
    answer = read(path)
    given = judges.of_telegram([part.to_json() for part in plain(answer)]).text
    wanted = judges.contained(answer).words
    if any(len(word) > 3_000 for word in wanted):
        return  # words longer than a message are cut, in either form
    assert judges.in_order(wanted, given) is None


def test_names_commands_and_addresses_of_code_stay_quiet() -> None:
    """Code kept them from being linked; here nothing would."""
    code = "@durov /start main.py https://evil.example/x a@b.org #tag $USD tg://user?id=1 t.me/durov 10.0.0.1"
    for markdown in (
        f"`{code}`",
        f"```\n{code}\n```",
        f"| a |\n|-|\n| `{code[:40]}` |",
        f"| a |\n|-|\n| {code[:20]} |",
    ):
        text = one(markdown)
        assert links(text) == [], text
    assert one(f"`{code}`").replace(J, "") == code


def test_the_label_of_a_link_stays_quiet_and_its_address_is_shown() -> None:
    text = one("[bank.example](https://evil.example/a) and [@durov](https://example.org)")
    assert (
        text.replace(J, "") == "bank.example (evil.example) (https://evil.example/a) and @durov (https://example.org)"
    )
    assert links(text) == ["https://evil.example/a", "https://example.org"]


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("<https://example.org/a>", "https://example.org/a"),
        ("www.example.org", "www.example.org"),
        ("mail a@example.org", "mail a@example.org"),
        ("[a](mailto:b@example.org)", "a (b@example.org)"),
        ("[a](javascript:alert(1))", "a"),
        ("[a](tg://user?id=1)", "a"),
    ],
)
def test_an_address_that_is_written_out_is_shown_once(markdown: str, shown: str) -> None:
    assert one(markdown) == shown


def test_names_in_prose_and_in_addresses_stay_quiet() -> None:
    text = one("@durov (@ab_c) /start tg://user?id=1 https://nowhere.zz9/@durov http://localhost/?/start **@du**rov")
    assert text.replace(J, "") == (
        "@durov (@ab_c) /start tg://user?id=1 https://nowhere.zz9/@durov http://localhost/?/start @durov"
    )


@pytest.mark.parametrize("markdown", ["`a.`com", "example.`com`", "`@`durov", "`/`start", "x`.`com"])
def test_no_address_comes_to_be_where_code_meets_prose(markdown: str) -> None:
    assert links(one(markdown)) == []


def test_long_text_code_and_tables_are_cut_and_nothing_is_lost() -> None:
    words = " ".join(f"word{number}" for number in range(2_000))
    assert " ".join(part.text for part in plain(words)) == words
    code = "\n".join(f"line_{number} = {number}" for number in range(900))
    assert "\n".join(part.text for part in plain(f"```\n{code}\n```")) == code
    rows = "".join(f"| {number} | item {number} |\n" for number in range(600))
    shown = "\n".join(part.text for part in plain(f"| Nr | Name |\n|--:|---|\n{rows}"))
    assert [line.split() for line in shown.split("\n")[2:]] == [[str(n), "item", str(n)] for n in range(600)]
    assert "".join(part.text for part in plain("W" * 40_000)) == "W" * 40_000


@pytest.mark.parametrize("piece", ["@durov ", "/start ", "a.b", "x@y.zz/", "://", "`@a.b`", "[a.b](https://e.org/@x) "])
def test_what_needs_many_joiners_is_no_longer_than_allowed(piece: str) -> None:
    plain(piece * 3_000)
    plain(f"```\n{piece * 3_000}\n```")


@pytest.mark.parametrize(
    "text", ["", " \n ", "\u200b\u2060", "\u3164", "```\n```", "\ud800", "[](javascript:x)", "\u202e" * 5_000]
)
def test_there_is_always_a_message(text: str) -> None:
    assert plain(text)


@pytest.mark.parametrize("kind", get_args(NoticeKind))
def test_notices_keep_their_nature(kind: NoticeKind) -> None:
    notice = Notice(text="**Say** /help", kind=kind, user_id="1")
    for formatted, bare in zip(render(notice), render(notice, plain=True), strict=True):
        assert bare.entities == ()
        assert (bare.buttons, bare.force_reply, bare.progress) == (
            formatted.buttons,
            formatted.force_reply,
            formatted.progress,
        )
    (part,) = render(notice, plain=True)
    assert ("/help" in part.text) == (kind != "question"), "our own commands may be tapped, the asker's words not"


def test_home_and_the_askers_words() -> None:
    asked = RecentQuestion(text="how @durov", ref=None, asked_at=datetime(2026, 11, 22, tzinfo=UTC), outcome="answered")
    (part,) = render(Home(user_id="1", recent=(asked,)), plain=True)
    assert "answered: how" in part.text
    assert telegram_problems(part.to_json()) == []
    (part,) = render(Notice(text="what is **x**, @durov?", kind="question", user_id="1"), plain=True)
    assert part.text == f"> what is **x**, @{J}durov?\nAsked with /{J}ask"


_PIECES = [
    *"@/:.#$-_<>()~!é日 \n`",
    "ab",
    "durov",
    "start",
    "tg",
    "com",
    "//",
    "https://",
    "www.",
    "\u0301",
    "x9",
    "[",
    "](",
]


@settings(deadline=None, database=None, derandomize=True, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(_PIECES), max_size=20))
def test_nothing_that_telegram_finds_by_itself_is_live(pieces: list[str]) -> None:
    plain("".join(pieces))


@settings(deadline=None, database=None, derandomize=True, max_examples=500, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from([piece for piece in _PIECES if piece not in "`\n"]), max_size=20))
def test_nothing_in_code_is_linked_at_all(pieces: list[str]) -> None:
    code = "".join(pieces)
    for part in plain(f"```\n{code}\n```"):
        assert links(part.text) == []


@pytest.mark.parametrize(
    ("markdown", "addresses"),
    [
        ("请看https://cron.example/*/5deploy.sh", ["https://cron.example/*/5deploy.sh"]),
        ("<https://example.org/a>deploy", ["https://example.org/a"]),
        ("[p](https://example.org/p)https://example.org/*/5", ["https://example.org/p", "https://example.org/*/5"]),
        ("(https://example.org/a)", ["https://example.org/a"]),
        ("(<https://example.org/a>)<https://example.org/*/5>", ["https://example.org/a", "https://example.org/*/5"]),
        ("<https://example.org/>deploy", ["https://example.org/"]),
        ("https://\u0301.https://@https://", []),
    ],
)
def test_addresses_that_touch_others_are_found_and_nothing_else_is(markdown: str, addresses: list[str]) -> None:
    (part,) = plain(markdown)
    found = tdlib({"@type": "getTextEntities", "text": part.text})["entities"]
    assert [part_of(part.text, one["offset"], one["length"]) for one in found] == addresses
