"""Answers like somebody's who read it: sections, several questions, the conversation, scripts, what is no answer."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from bot.assistant.database import AssistantDatabase
from bot.assistant.retrieval.answers import SHARE, SiteWords
from bot.assistant.retrieval.conversation import leaning, questions_in
from bot.assistant.retrieval.families import Families, snowball
from bot.assistant.retrieval.phrases import PHRASES
from bot.assistant.retrieval.stems import Stemmer
from bot.assistant.retrieval.synonyms import Synonyms
from bot.assistant.retrieval.talk import wants_a_person
from bot.assistant.retrieval.text import language_of, spaced, words
from bot.assistant.retrieval.typos import Vocabulary
from bot.assistant.retrieval.units import Cutter
from bot.assistant.server import RunningAssistant
from tests.assistant.conftest import Client
from tests.assistant.quality.measure import SCHEMA
from tests.documents.papers import pdf

EN = PHRASES["en"]
CLINIC = """# Clinic

## Is there a place to park?

Yes. The garage is behind the building.

It opens at 6:00 and closes at 23:00, because the street is quiet at night.

### Electric cars

Four places have a socket.

## Prices

| Visit | Price |
|---|---|
| First visit | 80 euros |
| Follow-up | 45 euros |

## Sauna

The sauna is closed in summer since nobody came. In winter the sauna is open on Fridays.

## Export

Follow these steps to export the records:

```
clinic export --all
```

## Contact

Call 555 0142 or write to desk@clinic.example.
"""


@pytest.fixture
async def clinic(client: Client) -> Client:
    await _add(client, "Clinic", CLINIC)
    return client


async def _add(client: Client, title: str, content: str) -> None:
    assert (await client.post(f"{client.site}/documents/text", {"title": title, "content": content})).status == 201


async def _said(client: Client, message: str, session: str = "s1") -> str:
    return str((await client.ask(message, session)).body["answer"])


async def test_a_heading_that_is_the_question_is_answered_by_its_section(clinic: Client) -> None:
    text = await _said(clinic, "Is there a place where I can park?")
    assert text.startswith("Yes. The garage is behind the building.\n\nIt opens at 6:00")
    assert text.endswith("*Source: Clinic › Is there a place to park?*")


async def test_a_line_that_leads_to_code_brings_it(clinic: Client) -> None:
    assert "clinic export --all" in await _said(clinic, "How do I export the records?")


async def test_two_questions_get_both_answers(clinic: Client) -> None:
    text = await _said(clinic, "What is the price of a first visit and when is the sauna open in winter?")
    assert "80 euros" in text
    assert "Fridays" in text
    text = await _said(clinic, "What is the price of a first visit? What is the price of a helicopter flight?")
    assert "80 euros" in text
    assert EN.lacks.format(question="What is the price of a helicopter flight?") in text


def test_questions_are_told_from_what_explains_them() -> None:
    for text, count in (
        ("How much is a helmet? What is the price of a city bike?", 2),
        ("When do you open and where can I park my car?", 2),
        ("Who started Debian, and when?", 1),
        ("Is there wifi? I mean wireless internet", 1),
        ("How do I get to the museum and the station?", 1),
        ("Was kostet ein Rad? Und wann habt ihr sonntags offen?", 2),
    ):
        assert len(questions_in(text)) == count, text


async def test_why_asks_for_the_reason_and_no_for_another_answer(clinic: Client) -> None:
    await _said(clinic, "When is the sauna open in winter?")
    first = await _said(clinic, "Why?")
    assert first != await _said(clinic, "When is the sauna open in winter?")
    assert await _said(clinic, "Why?", "new") == EN.ask_back
    assert await _said(clinic, "no", "new") == EN.ask_back


async def test_no_is_never_answered_by_the_same_again(clinic: Client) -> None:
    first = await _said(clinic, "When is the sauna open in winter?")
    assert await _said(clinic, "no") != first


async def test_a_follow_up_leans_on_the_conversation(clinic: Client) -> None:
    await _said(clinic, "What is the price of a first visit?")
    assert "45 euros" in await _said(clinic, "and of a follow-up?")
    assert await _said(clinic, "and then?", "new") == EN.ask_back


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("Hello, how are you?", EN.hello.format(titles="*Clinic*")),
        ("thank you", EN.welcome),
        ("ok", EN.noted),
        ("bye", EN.bye),
        ("Who are you?", EN.who),
        ("are you a robot?", EN.who),
        ("Tschüss!", PHRASES["en"].bye),
        ("こんにちは", PHRASES["ja"].hello.format(titles="*Clinic*")),
    ],
)
async def test_what_is_no_question_has_its_own_words(clinic: Client, message: str, answer: str) -> None:
    assert await _said(clinic, message) == answer


async def test_who_wants_a_person_is_told_how_to_reach_one(clinic: Client) -> None:
    text = await _said(clinic, "May I speak to a real person?")
    assert text.startswith(EN.person)
    assert "555 0142" in text
    assert not wants_a_person("How many people work there?")


async def test_a_person_is_not_made_up(client: Client) -> None:
    await _add(client, "Ferry", "# Ferry\n\nThe ferry leaves at 6:40.")
    assert await _said(client, "Can I talk to a human?") == EN.person


async def test_what_says_nothing_is_no_answer(client: Client) -> None:
    content = """# Manual

- [Widget installation](#a)
- [Widget removal](#b)
- [Widget cleaning](#c)

## Widget catalogue

WIDGET, WIDGET

```
w = Widget(3); w.polish()
```
"""
    await _add(client, "Manual", content)
    for question in ("How do I clean a widget?", "What does the widget catalogue say?", "How do I polish a widget?"):
        text = await _said(client, question)
        assert text == EN.unknown, (question, text)


async def test_prose_flows_and_ends_at_a_sentence(client: Client) -> None:
    lines = "\n".join(f"The lighthouse keeper's rule number {n} is\nto polish lamp {n} daily." for n in range(60))
    await _add(client, "Rules", f"# Rules\n\n{lines}\n")
    text = (await _said(client, "What is the lighthouse keeper's rule number 30?")).rpartition("\n\n")[0]
    assert "rule number 30 is to polish" in text
    assert "\n" not in text
    assert text.rstrip(" …").endswith(".")
    assert len(text) < 1300


async def test_a_section_that_is_short_is_quoted_whole(client: Client) -> None:
    """What answers a question often stands further down than the sentence that has its words."""
    about = "\n\n".join(f"Keeper {n} looks after the oil, the wicks and the glass of one floor." for n in range(14))
    last = "Whoever wants one writes to the harbour office."
    await _add(client, "Tower", f"# Tower\n\n## Visits\n\nA visit of the lantern room is free.\n\n{about}\n\n{last}\n")
    text = await _said(client, "Can I visit the lantern room?")
    assert "A visit of the lantern room is free." in text
    assert last in text


async def test_a_source_names_a_function_as_it_is_written(client: Client) -> None:
    await _add(client, "Calls", "# Calls\n\n## asyncio.to_thread(func)\n\nRuns a blocking function in a thread.\n")
    assert (await _said(client, "Which call runs a blocking function?")).endswith("asyncio.to_thread(func)*")


async def test_key_words_must_be_there(clinic: Client) -> None:
    assert await _said(clinic, "What is the price of a submarine visit?") == EN.unknown


async def test_japanese_and_chinese_are_found(client: Client) -> None:
    await _add(
        client,
        "案内",
        "# 案内\n\n## 営業時間\n\n受付は午前九時に開きます。\n\n## 駐車場\n\n駐車場は建物の裏にあります。\n",
    )
    assert "建物の裏" in await _said(client, "駐車場はどこですか？")
    assert await _said(client, "猫は一日に何時間寝ますか？") == PHRASES["ja"].unknown
    await _add(client, "指南", "# 指南\n\n## 退款\n\n退款需要五个工作日。\n\n## 停车\n\n停车场在大楼后面。\n")
    assert "五个工作日" in await _said(client, "退款需要多少时间？")
    assert await _said(client, "如何安装软件包？") == PHRASES["zh"].unknown


async def test_german_inflection_and_compounds_are_found(client: Client) -> None:
    content = """# Hausordnung

## Einrichtung der Waschmaschinen

Die Waschmaschinen richtet der Hausmeister ein. Er heißt Jonas Brede.

## Abfallbehälter

Die Behälter werden montags geleert.
"""
    await _add(client, "Hausordnung", content)
    assert "montags" in await _said(client, "Wann wird der Behälter für den Abfall geleert?")
    assert await _said(client, "Wer bezahlt den Gärtner?") == PHRASES["de"].unknown


def test_scripts_without_blanks_are_cut_into_pairs() -> None:
    assert spaced("plain text") == "plain text"
    assert words("警告") == ["警告", "告"]
    assert words("größe") == ["größe"], "as the index has it, which does not know ss for ß"
    assert [language_of(text) for text in ("どこですか", "在哪里", "어디입니까")] == ["ja", "zh", "ko"]


def test_words_of_one_stem_are_found_in_their_language() -> None:
    families = Families(Vocabulary(("besitzer", "besitzers", "besitzt", "paket", "pakete")))
    assert families.of("pakete", "de") == ["paket"]
    assert families.of("pakete", "en") == []
    assert snowball("chevaux", "fr") == snowball("cheval", "fr")
    assert Vocabulary(("abfall", "tonne", "geburt", "tag")).parts("geburtstag") == ("geburt", "tag")


def test_synonyms_do_not_follow_a_stem_to_another_word() -> None:
    stemmer = Stemmer()
    synonyms = Synonyms(stemmer, ["budget, allowance", "[de]\nbesitzer, eigentümer"])
    assert synonyms.of(("allowed",)) == frozenset()
    assert synonyms.of(("allowances",)) == {("budget",)}
    assert synonyms.foreign("besitzern", "de") >= {"eigentümer"}
    assert synonyms.foreign("besitzern", "fr") == set()
    stemmer.close()


def test_what_leans_is_told() -> None:
    for text, lean in (
        ("Why?", "why"),
        ("warum nicht?", "why"),
        ("no", "no"),
        ("and in winter?", "goes on"),
        ("how is it?", "bare"),
        ("Does it have a lamp for reading?", "points back"),
        ("the sauna?", "short"),
        ("When does the garage close at night?", ""),
    ):
        assert leaning(text) == lean, text


def test_a_block_that_says_nothing_is_known() -> None:
    stemmer = Stemmer()
    cut = Cutter(stemmer).cut
    for body, answers in (
        ("VACUUM, VACUUM", False),
        ("The ferry leaves at nine.", True),
        ("```\nx = f(3)\ny = g(x)\n```", False),
        ("```\nSIGINT   interrupt from keyboard\nSIGTERM  ask process to end\n```", True),
        ("| Prev | Up | Next |\n|---|---|---|", False),
    ):
        assert cut("t", "h", body).blocks[0].answers is answers, body
    stemmer.close()


async def test_an_older_index_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.executescript(
        """CREATE TABLE passages (id INTEGER PRIMARY KEY, document_id TEXT, kind TEXT, title TEXT, heading TEXT,
           body TEXT, page INTEGER);
           CREATE VIRTUAL TABLE passage_index USING fts5 (title, heading, body, content = 'passages');
           INSERT INTO passages VALUES (1, 'd', 'prose', 't', 'h', '警告です', NULL);"""
    )
    old.close()
    for _ in range(2):
        database = AssistantDatabase(path, SCHEMA.read_text())
        found = await database.read(
            lambda c: c.execute("SELECT rowid FROM passage_search WHERE passage_search MATCH '\"警告\"'").fetchall()
        )
        assert [row[0] for row in found] == [1]
        await database.close()


async def test_a_page_is_named_where_there_are_pages(client: Client, assistant: RunningAssistant) -> None:
    await client.upload("light.pdf", pdf([["Nothing."], ["The keeper of the light is Bodil Strand."]]), status="active")
    await assistant.settled()
    assert (await _said(client, "Who is the keeper of the light?")).endswith(", page 2*")


def test_only_a_vocabulary_that_takes_long_to_read_is_not_always_the_newest() -> None:
    words = Vocabulary(["ferry"])
    small, large = (SiteWords(words, Families(words), took, at=time.monotonic()) for took in (0.001, 1000.0))
    assert (small.due(), large.due()) == (False, False), "nothing has changed"
    small.old = large.old = True
    assert (small.due(), large.due()) == (True, False)
    large.at -= 1000.0 / SHARE
    assert large.due()
