"""Examples of CommonMark and of GitHub's extensions: no limit is passed, no word lost, each difference is meant."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.render.answers import OWN
from tests.render.forms import FORMS
from tests.render.spec import Example, Unreachable, examples, extensions

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900)]

_SOURCES: dict[str, tuple[Callable[[], list[Example]], int]] = {
    "commonmark": (examples, 652),
    "github": (extensions, 24),
}


@pytest.fixture(scope="module", params=_SOURCES)
def source(request: pytest.FixtureRequest) -> tuple[str, list[Example]]:
    read, count = _SOURCES[request.param]
    try:
        found = read()
    except Unreachable as reason:
        pytest.skip(str(reason))
    assert len(found) == count
    return request.param, found


def on_purpose(name: str) -> dict[int, str]:
    """The number of each example that differs, with the reason."""
    _, *groups = (OWN / f"{name}.txt").read_text(encoding="utf-8").split("\n\n")
    pairs = (group.split("\n", 1) for group in groups)
    return {int(number): reason for reason, numbers in pairs for number in re.findall(r"\d+", numbers)}


def test_every_example_keeps_the_limits_of_every_form(source: tuple[str, list[Example]]) -> None:
    for example in source[1]:
        for form, make in FORMS.items():
            assert make(example.markdown).problems == [], f"{example.number}, {form}"


def test_no_word_of_an_example_is_lost(source: tuple[str, list[Example]]) -> None:
    reasons = on_purpose(source[0])
    lost = {example.number: words for example in source[1] if (words := example.lost())}
    assert {number for number in lost if not reasons.get(number, "").startswith(("Asterisks", "Raw HTML"))} == set()
    # An operator parts a word in two; a mark in raw HTML is the other case.
    assert len(lost) <= 5


def test_every_difference_is_on_purpose(source: tuple[str, list[Example]]) -> None:
    differing = {example.number for example in source[1] if example.differs()}
    assert sorted(differing ^ set(on_purpose(source[0]))) == []
