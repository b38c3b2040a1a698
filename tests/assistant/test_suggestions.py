"""What may be asked of a folder: which headings are chosen, and that each of them gets an answer."""

from __future__ import annotations

from pathlib import Path

from bot.assistant.suggestions import LONGEST, TRIES, choose
from tests.assistant.conftest import Start


async def _chosen(*headings: tuple[str, str], unknown: tuple[str, ...] = ()) -> tuple[str, ...]:
    async def answered(text: str) -> bool:
        return text not in unknown

    return await choose(headings, answered)


async def test_questions_first_and_each_of_another_document() -> None:
    found = await _chosen(
        ("a", "Guide › Care of the chain"),
        ("a", "Guide › Care of the brakes"),
        ("b", "When do you open?"),
        ("b", "Where are you?"),
        ("c", "Prices › What does a day cost？"),
    )
    assert found == ("When do you open?", "What does a day cost？", "Care of the chain")
    assert await _chosen(("a", "Care of the chain"), ("a", "Is it safe?"), ("a", "Care of the brakes")) == (
        "Is it safe?",
        "Care of the chain",
        "Care of the brakes",
    )


async def test_what_gets_no_answer_makes_room_for_another_document_first() -> None:
    headings = (("a", "Opening hours"), ("b", "Test rides"), ("b", "Other rides"), ("a", "Sunday hours"))
    assert await _chosen(*headings, unknown=("Opening hours",)) == ("Test rides", "Sunday hours", "Other rides")


async def test_what_is_no_heading_to_ask() -> None:
    for text in (
        "",
        "Overview",
        "12 14",
        "Chapter 12",
        "A b",
        "Table of contents",
        "Contents",
        "/new hours",
        "@bot hours",
    ):
        assert await _chosen(("a", f"Above › {text}")) == ()
    assert await _chosen(("a", "hours " * 10 + "x")) == ()
    assert await _chosen(("a", "hours " * 9 + "x" * (LONGEST - 54))) != ()
    assert await _chosen(("a", "Opening hours"), ("b", "Opening  Hours")) == ("Opening hours",)


async def test_only_so_many_are_tried() -> None:
    asked = []

    async def answered(text: str) -> bool:
        asked.append(text)
        return False

    assert await choose([(str(n), f"Heading of number {n}") for n in range(50)], answered) == ()
    assert len(asked) == TRIES


async def test_of_a_folder_only_what_is_answered_and_anew_when_it_changes(begin: Start, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("Question,Answer\nWhere is the ferry?,At the pier.\n")
    (tmp_path / "hello.md").write_text("# Island\n\n## Good morning!\n\nThe island greets you.\n")  # small talk
    (tmp_path / "list.md").write_text("# All\n\n## Pages of this book\n\n- [A](a)\n- [B](b)\n- [C](c)\n")
    assistant = await begin(docs=tmp_path)
    await assistant.first_look()
    assert await assistant.suggestions() == ("Where is the ferry?",)
    (tmp_path / "boats.md").write_text("# Boats\n\n## Hire of boats\n\nA boat costs 20 euros an hour.\n")
    await assistant.settled()
    assert await assistant.suggestions() == ("Where is the ferry?", "Hire of boats")
    for path in tmp_path.iterdir():
        path.unlink()
    await assistant.settled()
    assert await assistant.suggestions() == ()
