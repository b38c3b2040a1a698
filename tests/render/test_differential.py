"""The renderings of an answer beside one another: the same words and signs in the same order, whatever the mix."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.render.forms import FORMS, difference, whole
from tests.render.mixes import mixes, plain_mixes, rich_mixes
from tests.render.test_mixes import COMMON

every_mix = st.one_of(rich_mixes, rich_mixes, plain_mixes, mixes)


def check(markdown: str) -> None:
    """All forms say what the whole says, and nothing in them is refused or live."""
    base = whole(markdown)
    if any(len(word) > 2_000 for word in (*base.text.split(), *base.links)):
        return  # longer words are cut, each channel at its own length; `test_split` looks at them
    for form, make in FORMS.items():
        view = make(markdown)
        assert view.problems == [], form
        assert difference(base, view) is None, form


@pytest.mark.timeout(600)
@settings(COMMON, max_examples=500)
@given(every_mix)
@example("~~w0~~[x](https://example.org/y)")
def test_all_forms_say_the_same(markdown: str) -> None:
    check(markdown)


@pytest.mark.prove
@pytest.mark.timeout(7_200)
@settings(COMMON, max_examples=20_000, derandomize=False)
@given(every_mix)
def test_all_forms_say_the_same_proved(markdown: str) -> None:
    check(markdown)
