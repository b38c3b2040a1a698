"""`docs draft --from-feedback`: from rated answers to a table that `docs push` loads."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
import random
import stat
from pathlib import Path

import pytest

from bot.cli import drafts as drafting
from bot.cli.drafts import ALIKE, Draft, as_csv, drafts, not_known
from bot.cli.sources import find
from bot.documents import pairs
from bot.store import open_database
from bot.store.database import Tx
from bot.store.wanting import Asked
from tests.cli.process import command

UNKNOWN = "I don't know. The documents I have do not answer this question."


def test_what_is_not_known_in_the_languages_of_the_assistant() -> None:
    from bot.assistant.retrieval.phrases import PHRASES

    missed = [name for name, phrases in PHRASES.items() if not not_known(phrases.unknown)]
    assert missed == []
    assert not not_known("It opens at ten. " * 20 + "I don't know more.")
    assert not not_known("The no-information desk is closed; information in the hall.")


def test_questions_are_grouped_with_their_reasons_and_the_rest_left_out() -> None:
    made = drafts(
        [
            Asked("When does the mill open?", "At two.", True, ("That is wrong.",)),
            Asked("Where do I park?", "Behind it.", False, ()),
            Asked("when does  the mill open", UNKNOWN, False, ()),
            Asked("May dogs come in?", UNKNOWN, True, ("A guess would do.", "That is wrong.")),
            Asked("When does the mill open??", "At three.", True, ("That is wrong.", "It is ten.")),
            Asked("👍", UNKNOWN, True, ()),
        ]
    )
    assert made == [
        Draft(
            "When does the mill open?", asked=3, bad=2, unknown=1, reasons=["That is wrong.", "It is ten."],
            others=["when does the mill open", "When does the mill open??"],
        ),
        Draft("May dogs come in?", asked=1, bad=1, unknown=1, reasons=["A guess would do.", "That is wrong."]),
    ]  # fmt: skip


def test_many_questions_are_grouped_as_if_each_were_compared_with_all() -> None:
    chance = random.Random(3)
    vocabulary = [f"word{n}" for n in range(25)]
    questions = [" ".join(chance.choices(vocabulary, k=chance.randint(1, 9))) for _ in range(1_500)]
    groups: list[tuple[set[str], list[str]]] = []
    for question in questions:
        words = set(question.split())
        like = next((one for first, one in groups if len(words & first) >= ALIKE * len(words | first)), None)
        groups.append((words, [question])) if like is None else like.append(question)
    made = {draft.question: draft.asked for draft in drafts(Asked(text, "", True, ()) for text in questions)}
    assert made == {group[0]: len(group) for _, group in groups}


def test_a_question_is_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, alike = itertools.count(), drafting._alike

    def counted(one: frozenset[str], other: frozenset[str]) -> bool:
        next(compared)
        return alike(one, other)

    monkeypatch.setattr(drafting, "_alike", counted)
    asked = [Asked(f"How do I mend the part-{n} of a machine-{n % 500}?", "", True, ()) for n in range(5_000)]
    drafts(asked)
    assert next(compared) < 20 * len(asked), "with each other it would be 12 million"


def test_the_table_is_harmless_in_a_spreadsheet_and_loaded_as_it_was_asked() -> None:
    text = as_csv([Draft('=HYPERLINK("http://x")', 1, reasons=["+1"]), Draft("Why, and\nhow?", 1)])
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows[1:]] == [' =HYPERLINK("http://x")', "Why, and\nhow?"]
    assert rows[1][5] == " +1"
    read = pairs(text)
    assert read is not None
    assert [(pair.question, pair.answer) for pair in read] == [('=HYPERLINK("http://x")', ""), ("Why, and\nhow?", "")]


ROWS = (("Who turns the mill?", UNKNOWN, None), ("What is milled?", "Sand.", "bad"), ("Is it old?", "Yes.", "good"))


def _fill(tx: Tx) -> None:
    for number, (text, answer, rating) in enumerate(ROWS, 1):
        tx.run(
            "INSERT INTO turns (id, reference, text, accepted_at, kind, lane, channel, account, conversation, thread,"
            " sent_to, sent_at, state, outcome) VALUES (?,?,?,?,'question','l','c','a','v','','{}',0,'done',"
            "'answered')",
            *(number, f"R{number}", text, 1_700_000_000.0 + number),
        )
        tx.run(
            "INSERT INTO steps (turn, kind, number, begun_at, done_at, result) VALUES (?,'poll',0,1,2,?)",
            *(number, json.dumps({"answer": answer})),
        )
        if rating:
            tx.run("INSERT INTO feedback (turn, rating, changed_at) VALUES (?,?,1)", number, rating)
    tx.run("INSERT INTO comments (turn, user_id, text, at, event_id) VALUES (2,'u','It is corn.',1,'e')")


def test_from_the_database_to_a_push(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = open_database(f"sqlite:///{tmp_path}/data/bot.db")
    asyncio.run(database.write(_fill))
    database.close()

    def draft(*arguments: str) -> tuple[int, str, str]:
        done = command("docs", "draft", *arguments, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    assert (draft()[0], "--from-feedback" in draft()[2]) == (2, True)
    listed = json.loads(draft("--from-feedback", "--json")[1])
    assert [(row["question"], row["rated bad"], row["not known"], row["reasons"]) for row in listed] == [
        ("What is milled?", 1, 0, ["It is corn."]), ("Who turns the mill?", 0, 1, []),
    ]  # fmt: skip
    assert draft("--from-feedback", "--since", "2030-01-01")[1:] == (
        "",
        "No answer was rated bad, and none was missing.\n",
    )
    assert draft("--from-feedback")[1].startswith("question,answer,")
    code, told, _ = draft("--from-feedback", "--out", "drafts.csv")
    assert (code, "2 questions" in told) == (0, True)
    assert stat.S_IMODE((tmp_path / "drafts.csv").stat().st_mode) == 0o600
    code, _, errors = draft("--from-feedback", "--out", "drafts.csv")
    assert (code, "already" in errors) == (1, True)

    table = (tmp_path / "drafts.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "drafts.csv").write_text(table.replace("What is milled?,,", "What is milled?,Corn.,"), "utf-8-sig")
    found = asyncio.run(find([tmp_path / "drafts.csv"], [])).sources.values()
    assert [(one.question, one.answer, one.problem) for one in found] == [
        ("What is milled?", "Corn.", ""), ("", "", "row 3 has no answer"),
    ]  # fmt: skip
