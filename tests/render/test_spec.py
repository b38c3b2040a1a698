"""CommonMark's own 652 examples: nothing breaks, no limit is passed, no word is lost, and each difference is meant."""

from __future__ import annotations

import re

import pytest

from tests.render.answers import OWN
from tests.render.forms import FORMS
from tests.render.spec import Example, Unreachable, examples

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def every_example() -> list[Example]:
    try:
        found = examples()
    except Unreachable as reason:
        pytest.skip(str(reason))
    assert len(found) == 652
    return found


def on_purpose() -> dict[int, str]:
    """The number of each example that differs, with the reason."""
    _, *groups = (OWN / "commonmark.txt").read_text(encoding="utf-8").split("\n\n")
    pairs = (group.split("\n", 1) for group in groups)
    return {int(number): reason for reason, numbers in pairs for number in re.findall(r"\d+", numbers)}


def test_every_example_keeps_the_limits_of_every_form(every_example: list[Example]) -> None:
    for example in every_example:
        for form, make in FORMS.items():
            assert make(example.markdown).problems == [], f"{example.number}, {form}"


def test_no_word_of_an_example_is_lost(every_example: list[Example]) -> None:
    reasons = on_purpose()
    lost = {example.number: words for example in every_example if (words := example.lost())}
    assert {number for number in lost if not reasons.get(number, "").startswith(("Asterisks", "Raw HTML"))} == set()
    # An operator parts a word in two; a mark in raw HTML is the other case.
    assert len(lost) <= 5


def test_every_difference_is_on_purpose(every_example: list[Example]) -> None:
    differing = {example.number for example in every_example if example.differs()}
    assert sorted(differing ^ set(on_purpose())) == []
