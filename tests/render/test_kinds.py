"""Answers with addresses, tables, emphasis and names, in every form: what a reader must have, and nothing else."""

from __future__ import annotations

import pytest

from tests.render.figures import COLUMNS, faults, table
from tests.render.forms import FORMS, View, difference, whole
from tests.render.kinds import Kind, kinds


def test_there_are_enough_answers_of_our_own() -> None:
    assert len(kinds()) >= 60


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_every_form_shows_what_was_written(kind: Kind) -> None:
    base = whole(kind.markdown)
    for form, make in FORMS.items():
        view = make(kind.markdown)
        assert faults(kind, form, view) == [], form
        assert difference(base, view) is None, form


def test_the_judges_see_what_is_wrong() -> None:
    kind = Kind("", "", ("one two", "three"), ("a  b",), ("https://a.example/x",))
    view = View("three one two", ["a b"], ["https://a.example/", "b.sh"], problems=["live Mention: @a", "too long"])
    columns = [column for column, _ in faults(kind, "slack", view)]
    assert sorted(columns) == ["addresses", "code", "live", "refused", "unmeant", "unmeant", "words"]
    assert difference(View("a b c"), View("a c b")) is not None
    assert difference(View("a b"), View("a b b")) is not None
    assert difference(View("h1 c", taken=["h1"]), View("h1 h1 c")) is None
    assert difference(View("h1 c", taken=["h1"]), View("h1 x c")) is not None


def test_the_table_of_figures() -> None:
    for form, row in table(kinds()[:3]).items():
        assert row["answers"] > 3, form
        assert [column for column in COLUMNS[1:] if row[column]] == [], form
