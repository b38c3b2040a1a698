"""The questions are fit to measure with, the measure judges rightly, no collection is answered worse than before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.benchmarks.documents import questions
from tests.benchmarks.documents.__main__ import baseline, show
from tests.benchmarks.documents.fetch import COLLECTIONS, Unreachable, fetch
from tests.benchmarks.documents.measure import Totals, details, totals
from tests.benchmarks.documents.questions import HALVES, Half, Question, Verdict, judge, load

SMALL = Path(__file__).parent / "small"
Record = Callable[[str, object], None]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_has_enough_questions(name: str) -> None:
    halves = [load(name, half) for half in HALVES]
    asked = [question.ask for half in halves for question in half]
    assert len(asked) >= 25
    assert len({ask.casefold() for ask in asked}) == len(asked), "a question stands twice"
    for half in halves:
        assert len(half) >= 12
        assert sum(not question.expect for question in half) >= len(half) / 5, "a fifth must be unanswerable"


@pytest.mark.parametrize(
    ("expect", "answer", "known", "verdict"),
    [
        ((("Ian Murdock", "1993"),), "Founded by **Ian\nMurdock** in 1993.", True, Verdict.RIGHT),
        ((("Ian Murdock", "1993"),), "Founded by Ian Murdock.", True, Verdict.WRONG),
        ((("108",), ("a hundred",)), "a hundred bytes", True, Verdict.RIGHT),
        ((("108",),), "1080 bytes", True, Verdict.WRONG),
        ((("108",),), "I don't know about 108.", False, Verdict.MISSED),
        ((), "I don't know.", False, Verdict.REFUSED),
        ((), "42", True, Verdict.GUESSED),
    ],
)
def test_what_an_answer_is_worth(
    expect: tuple[tuple[str, ...], ...], answer: str, known: bool, verdict: Verdict
) -> None:
    assert judge(Question("?", expect), answer, known=known) is verdict


def test_tuning_never_opens_the_held_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.tune.jsonl").write_text('{"ask": "a?"}\n', encoding="utf-8")
    (tmp_path / "small.held.jsonl").mkdir()  # whoever opens it fails
    monkeypatch.setattr(questions, "QUESTIONS", tmp_path)
    assert load("small", "tune") == [Question("a?", ())]


async def test_the_small_collection_is_answered() -> None:
    judged = await details("small", SMALL)
    tune = Totals(**{str(verdict): sum(one.verdict is verdict for one in judged) for verdict in Verdict})
    both = tune + await totals("small", SMALL, "held")
    assert both.right >= 6, judged
    assert (both.wrong, both.guessed) == (0, 0), judged


async def test_another_folder_answers_none_of_it(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Ferry\n\nThe ferry leaves at 6:40.\n", encoding="utf-8")
    assert await totals("small", tmp_path, "held") == Totals(missed=4, refused=1)


def test_the_table_stands_beside_the_former() -> None:
    now, before = Totals(right=3, missed=1, refused=2), Totals(right=1, wrong=3, guessed=2)
    lines = show("held", {"faq": now}, {"faq": before, "man": before})
    assert lines[1].split() == ["faq", "3/4", "(1)", "1", "(0)", "0", "(3)", "2/2", "(0)", "0", "(2)"]
    assert lines[2].split()[1:] == lines[1].split()[1:], "only what was measured now is summed"
    assert lines[3] == "right 75.0%, unanswerable refused 100.0%, confidently wrong 0.0%"


@pytest.mark.prove
@pytest.mark.timeout(900)
@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("name", COLLECTIONS)
async def test_a_collection_is_answered_no_worse(name: str, half: Half, record_property: Record) -> None:
    """Of both halves only totals are recorded."""
    try:
        folder, _ = fetch(name)
    except Unreachable as why:
        if os.environ.get("CI", "").lower() == "true":
            raise
        pytest.skip(str(why))  # Debian's packages are not reached from every machine
    now, before = await totals(name, folder, half), baseline()[half][name]
    record_property(f"documents, {half} half", {str(key): float(value) for key, value in asdict(now).items()})
    assert (now.answerable, now.unanswerable) == (before.answerable, before.unanswerable), (
        "the table is of other questions"
    )
    assert now.right >= before.right
    assert now.wrong + now.guessed <= before.wrong + before.guessed
