"""What is wrong, in sentences; what is told of it, together, seldom, and again when it is over; the weekly letter."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.operator.alerts import GAP, OVER, REMIND, AlertBook
from bot.operator.conditions import STEADY, Condition, HouseReading, conditions
from bot.operator.digest import Week, letter
from bot.store.operator import Period

FINE = HouseReading(at=0.0, words={"database": "ok", "api": "ok", "slack": "ok"})


@pytest.mark.parametrize(
    ("wrong", "key", "command"),
    [
        ({"words": {"database": "unavailable"}}, "database", "uppzy-bot doctor"),
        ({"problems": {"api": "The API refused a question (401)."}}, "api refused", "uppzy-bot doctor"),
        ({"waits_for": ("rate_limited", "429 on a question.")}, "api limited", "uppzy-bot limits"),
        ({"waits_for": ("connection", "It is not there.")}, "api failing", "uppzy-bot doctor"),
        ({"problems": {"slack": "The token was revoked."}}, "channel slack", "uppzy-bot doctor"),
        ({"refused": {"slack": "3 deliveries refused."}}, "refused slack", "uppzy-bot doctor"),
        ({"open_turns": 2, "oldest": ("ABCDEFGH", 301.0)}, "late", "uppzy-bot trace ABCDEFGH"),
        ({"dead": 1, "newest_dead": ("ABCDEFGH",)}, "dead", "uppzy-bot dead show ABCDEFGH"),
        ({"rated": (4, 6)}, "ratings", "uppzy-bot feedback report"),
        ({"limits": {"messages_per_month": 0.85}}, "limit messages_per_month", "uppzy-bot limits"),
    ],
)
def test_what_is_wrong_and_what_to_run(wrong: dict[str, object], key: str, command: str) -> None:
    (condition,) = conditions(replace(FINE, **wrong))  # type: ignore[arg-type]
    assert (condition.key, condition.command) == (key, command)
    assert condition.sentence.endswith(".")


@pytest.mark.parametrize(
    "fine",
    [
        {},
        {"oldest": ("ABCDEFGH", 299.0), "open_turns": 1},
        {"rated": (2, 7)},
        {"rated": (5, 5)},
        {"limits": {"messages": 0.79}},
    ],
)
def test_what_is_fine(fine: dict[str, object]) -> None:
    assert conditions(replace(FINE, **fine)) == []  # type: ignore[arg-type]


def wrong(key: str, steady: float = 0.0) -> Condition:
    return Condition(key=key, sentence=f"{key} is wrong.", command="uppzy-bot doctor", steady=steady)


def test_one_message_for_all_none_again_and_one_when_it_is_over() -> None:
    book = AlertBook()
    message = book.message([wrong("a"), wrong("b")], 1000.0)
    assert message is not None
    assert message.splitlines()[2:] == ["- a is wrong. `uppzy-bot doctor`", "- b is wrong. `uppzy-bot doctor`"]
    book.sent(1000.0)
    assert book.message([wrong("a"), wrong("b"), wrong("c")], 1000.0 + GAP - 1) is None, "seldom"
    later = book.message([wrong("a"), wrong("c")], 1000.0 + GAP + OVER)
    assert later is not None
    assert "c is wrong" in later
    assert "**Over:**\n\n- b is wrong. It lasted" in later
    assert "a is wrong" not in later
    book.sent(1000.0 + GAP + OVER)
    assert book.message([wrong("a"), wrong("c")], 1000.0 + 2 * GAP + OVER) is None
    assert "a is wrong. (still)" in str(book.message([wrong("a"), wrong("c")], 1000.0 + REMIND))


def test_what_passes_by_itself_is_not_told() -> None:
    book = AlertBook()
    assert book.message([wrong("a", STEADY)], 1000.0) is None
    assert book.message([], 1000.0 + STEADY) is None
    assert book.message([wrong("a", STEADY)], 1000.0 + STEADY + OVER) is None, "it has begun anew"
    assert book.message([wrong("a", STEADY)], 1000.0 + 2 * STEADY + OVER) is not None


def test_what_flickers_is_not_over() -> None:
    book = AlertBook()
    book.message([wrong("a")], 1000.0)
    book.sent(1000.0)
    assert book.message([], 1000.0 + GAP) is not None
    book = AlertBook()
    book.message([wrong("a")], 1000.0)
    book.sent(1000.0)
    book.message([wrong("a")], 1000.0 + GAP - 1)
    assert book.message([], 1000.0 + GAP) is None


def test_a_message_that_did_not_arrive_is_told_again() -> None:
    book = AlertBook()
    assert book.message([wrong("a")], 1000.0) is not None
    assert book.message([wrong("a")], 1005.0) is not None


def test_a_restart_neither_repeats_nor_forgets() -> None:
    book = AlertBook()
    book.message([wrong("a")], 1000.0)
    book.sent(1000.0)
    again = AlertBook.from_json(book.to_json())
    assert again.message([wrong("a")], 1000.0 + GAP) is None
    assert "**Over:**" in str(again.message([], 1000.0 + 2 * GAP))


def test_a_flood_is_one_message_of_bounded_length() -> None:
    message = AlertBook().message([wrong(f"a{number}") for number in range(30)], 1000.0)
    assert message is not None
    assert len(message.splitlines()) == 13
    assert "and 20 more" in message


def test_the_weekly_letter() -> None:
    span = Period(
        outcomes={"answered": 90, "failed": 10}, median=8.2, slow=41.0, good=15, bad=5, worst=("ABCDEFGH", "IJKLMNOP")
    )
    before = replace(span, outcomes={"answered": 80}, median=7.0, good=9, bad=1, worst=())
    text = letter(Week(now=span, before=before, dead=2, limits={"messages": 0.85}, version="2", version_before="1"))
    assert text.splitlines() == [
        "**The week**",
        "",
        "- 100 questions (+25% to the week before); 90 (90%) answered, 10 failed.",
        "- Half of the answers took 8 s or less (the week before 7 s), one in twenty 41 s or more.",
        "- Of 20 ratings 75% are good (the week before 90%).",
        "- Rated bad last: `ABCDEFGH`, `IJKLMNOP`. See `uppzy-bot trace ABCDEFGH --text` and `feedback report`.",
        "- 2 dead letters wait: `uppzy-bot dead list`",
        "- Of the plan are used: messages 85%.",
        "- Version 2 runs now; it was 1.",
    ]
    nothing = Period(outcomes={}, median=None, slow=None, good=0, bad=0, worst=())
    assert letter(Week(now=nothing, before=nothing)).splitlines()[2:] == ["- 0 questions; 0 answered, 0 failed."]
    assert not re.search(r"None|nan", letter(Week(now=nothing, before=span)))
