"""What the bot says itself, in every language: nothing missing, nothing unused, nothing that does not fit its place."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.playground.render import render as playground
from adapters.slack.comment import comment_view
from adapters.slack.render import render as slack
from adapters.slack.render import with_asker
from adapters.telegram.manifest import SHIPPED as PROFILES
from adapters.telegram.render import render as telegram
from bot import notices, texts
from bot.adapter import NOTE_UNITS
from bot.events import Answer, Home, MessageRef, Notice, RecentQuestion
from bot.render import units
from bot.texts import Sentence, said, say
from tests.test_boundaries import core, sources, tree

SHIPPED: Final = ("de", "en", "es", "fr", "pt", "tr")
COMPUTED: Final = {"outcome-": "outcome of a question", "command-": "command of the profile"}
"""Beginnings of names that the code puts together."""
SAMPLES: Final[dict[str, Any]] = {
    **{"command": "/ask", "reference": "ABCD2345", "name": "Ada", "prefix": "/", "places": "true", "outcome": "x"},
    **{"limit": 8_000, "seconds": 7, "count": 3, "at": datetime(2026, 11, 2, 13, 4, tzinfo=UTC)},
    **{"commands": ["`/ask`", "`/new`"], "files": ["plan.pdf", "a.txt"]},
}
LABELS: Final = {
    **dict.fromkeys(("good-answer", "bad-answer"), 75),  # Block Kit reference, Button element
    **dict.fromkeys(("form-title", "form-send", "form-skip"), 24),  # Modal view
    **dict.fromkeys(("home-ask", "home-suggestions", "home-recent"), 150),  # Header block
    "form-why": 2000,
    "profile-about": 512,  # Bot API, setMyDescription
    "profile-short": 120,
    **{f"command-{name}": 256 for name in ("start", "help", "new", "stop", "ask")},
    "second-copy": NOTE_UNITS,
}
"""Text → characters that its place takes, by the platforms' references."""


def used() -> set[str]:
    """Name every text that the code says, by the literals in it."""
    known = texts.names("en")
    found: set[str] = set()
    for path in [*core(), *sources("adapters")]:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} & known
                found |= {name for name in known if node.value in COMPUTED and name.startswith(node.value)}
    references = re.findall(r"\{ ([a-z-]+) \}", (texts.SHIPPED / "en.ftl").read_text(encoding="utf-8"))
    return found | set(references)


def said_names() -> set[str]:
    """Name every text that the code asks for by `say` and `Sentence`."""
    calls: set[str] = set()
    for path in [*core(), *sources("adapters")]:
        if "bot.texts" not in path.read_text(encoding="utf-8"):
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("say", "Sentence", "own"):
                continue
            first = node.args[0] if node.args else None
            for part in ast.walk(first) if first is not None and not isinstance(first, ast.JoinedStr) else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    calls.add(part.value)
    return calls


def variables(text: str) -> set[str]:
    return set(re.findall(r"\$([a-z]+)", text))


def entries(language: str) -> dict[str, str]:
    text = (texts.SHIPPED / f"{language}.ftl").read_text(encoding="utf-8")
    found = re.split(r"^([a-z][a-z0-9-]*) =", text, flags=re.M)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_the_languages() -> None:
    assert texts.languages() == SHIPPED
    assert {*PROFILES, "en"} == set(SHIPPED)


@pytest.mark.parametrize("language", SHIPPED)
def test_nothing_is_missing_or_too_much(language: str) -> None:
    assert entries(language).keys() == entries("en").keys()


def test_every_text_is_used_and_every_used_one_is_there() -> None:
    assert texts.names("en") - used() == set()
    assert said_names() - texts.names("en") == set()


@pytest.mark.parametrize("language", SHIPPED)
def test_every_text_fills_in_what_the_english_one_does(language: str) -> None:
    english, other = entries("en"), entries(language)
    assert {name: variables(text) for name, text in other.items()} == {n: variables(t) for n, t in english.items()}
    for name, text in english.items():  # what people type stays as it is
        assert sorted(re.findall(r"`[^`]*`", other[name])) == sorted(re.findall(r"`[^`]*`", text)), name


@pytest.mark.parametrize("language", SHIPPED)
def test_every_text_can_be_said(language: str) -> None:
    for name in texts.names(language):
        text = say(name, language, **SAMPLES)
        assert text.strip() == text != ""
        assert "{" not in text, name
        assert "$" not in text, name
        if language != "en" and name not in ("refused",) and len(text) > 30:
            assert text != say(name, "en", **SAMPLES), f"{name} is not translated"


@pytest.mark.parametrize("language", SHIPPED)
@pytest.mark.parametrize(("name", "most"), LABELS.items())
def test_a_label_fits_its_place(language: str, name: str, most: int) -> None:
    assert units(say(name, language, **SAMPLES)) <= most


@pytest.mark.parametrize("language", SHIPPED)
def test_every_notice_becomes_parts_on_each_channel(language: str) -> None:
    for name in texts.names(language) - LABELS.keys():
        text = say(name, language, **SAMPLES)
        notice = Notice(text=text, kind="info", user_id="U1", language=language)
        for render in (slack, telegram, playground):
            for plain in (False, True):
                (part,) = render(notice, plain=plain)
                shown = json.dumps(part.to_json(), ensure_ascii=False)
                assert re.sub(r"\W", "", text)[:20] in re.sub(r"\W", "", shown), (name, part)


@pytest.mark.parametrize(
    ("language", "good", "open_", "why"),
    [
        ("en", "Good answer", "Open", "Why was this answer not good?"),
        ("de", "Gute Antwort", "Öffnen", "Warum war diese Antwort nicht gut?"),
        ("tr", "İyi yanıt", "Aç", "Bu yanıt neden iyi değildi?"),
    ],
)
def test_buttons_home_and_form_speak_the_language(language: str, good: str, open_: str, why: str) -> None:
    (part,) = slack(Answer(text="Yes.", asker_id="U1", language=language))
    assert good in str(part.blocks[-1])
    ref = MessageRef(channel="slack", account_id="T1", conversation_id="D1", message_id="1.2")
    recent = RecentQuestion(text="Q", ref=ref, asked_at=datetime(2026, 11, 2, 13, 4, tzinfo=UTC), outcome="answered")
    home = Home(user_id="U1", recent=(recent,), suggestions=("S",), language=language)
    (page,) = slack(home)
    assert say("outcome-answered", language) in str(page)
    assert say("home-suggestions", language) in str(page)
    assert page == type(page).from_json(page.to_json())
    assert open_ == say("home-open", language)
    assert say("outcome-answered", language) in str(telegram(home))
    assert say("outcome-answered", language) in str(playground(home))
    assert why in str(comment_view(ref, language))
    (root,) = slack(Notice(text="why", kind="question", user_id="U1", language=language))
    assert say("asked-by", language, name="Ada", command="/ask") in str(with_asker(root, "Ada"))


def test_a_sentence_reads_as_english_is_kept_and_said_in_any_language() -> None:
    sentence = notices.too_many(1_200)
    assert sentence == "That is more than I can take at once. Please ask again in 1,200 seconds."
    kept = texts.stored(sentence)
    assert said(kept, "en") == sentence
    assert "1.200 Sekunden" in said(kept, "de")
    assert "in einer Sekunde" in said(texts.stored(notices.too_many(1)), "de")
    assert said("What an earlier version stored.", "de") == "What an earlier version stored."
    assert said('["no-such-text", {}]', "de") == '["no-such-text", {}]'
    commands = notices.unknown_command("/", ["ask", "new", "stop"])
    assert "`/ask`, `/new` und `/stop`" in said(texts.stored(commands), "de")


def test_dates_and_plurals_follow_the_language() -> None:
    at = SAMPLES["at"]
    assert say("home-when", "de", outcome="x", at=at) == "x · 02.11.2026, 13:04 UTC"
    assert say("home-when", "tr", outcome="x", at=at) == "x · 2 Kas 2026 13:04 UTC"
    assert said(notices.stopped(1), "fr") == "C’est arrêté. Votre question restera sans réponse."
    assert said(notices.stopped(2), "fr") == "J’ai arrêté 2 de vos questions."


def test_files_without_a_name_are_named_in_the_language() -> None:
    assert notices.files_unread(["a picture", "a picture", "x.pdf"], "de") == (
        "Nicht gelesen habe ich ein Bild (2) und x.pdf, nur deine Worte."
    )


def test_a_folder_brings_more_and_other_texts(tmp_path: Path) -> None:
    (tmp_path / "it.ftl").write_text("new = Una nuova conversazione comincia.\n", encoding="utf-8")
    (tmp_path / "de.ftl").write_text("working = Moment noch.\n", encoding="utf-8")
    try:
        texts.use_folder(tmp_path)
        assert "it" in texts.languages()
        assert texts.best("it-CH") == "it"
        assert said(notices.NEW, "it") == "Una nuova conversazione comincia."
        assert said(notices.WORKING, "it") == str(notices.WORKING), "what a language lacks is said in English"
        assert said(notices.WORKING, "de") == "Moment noch."
        assert said(notices.NEW, "de").startswith("Ein neues Gespräch")
    finally:
        texts.use_folder(None)
    assert texts.best("it-CH") == "en"
    assert said(notices.WORKING, "de") != "Moment noch."


def test_a_folder_brings_other_words_in_english_too(tmp_path: Path) -> None:
    """Many sentences are made before anybody knows of the folder."""
    (tmp_path / "en.ftl").write_text("working = Hold on.\nfile-picture = a photo\n", encoding="utf-8")
    try:
        texts.use_folder(tmp_path)
        assert said(notices.WORKING, "en") == "Hold on."
        assert said(notices.WORKING.stored(), "en") == "Hold on."
        assert said(notices.WORKING, "xx") == "Hold on."
        assert said(notices.WORKING, "de") == "Ich arbeite noch an deiner Frage."
        assert notices.files_unread(["a picture"], "en") == "I did not read a photo, only your words."
    finally:
        texts.use_folder(None)
    assert said(notices.WORKING, "en") == "I am still working on your question."


def test_every_sentence_of_ours_can_be_said_in_other_words(tmp_path: Path) -> None:
    names = sorted(texts.names("en"))
    (tmp_path / "en.ftl").write_text("".join(f"{name} = other {name}\n" for name in names), encoding="utf-8")
    made = [value for value in vars(notices).values() if isinstance(value, Sentence)]
    try:
        texts.use_folder(tmp_path)
        assert [said(one, "en") for one in made] == [f"other {one.name}" for one in made]
    finally:
        texts.use_folder(None)
    assert len(made) > 15


def test_a_broken_english_text_of_a_folder_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "en.ftl").write_text("too-many = In { $hours } hours.\n", encoding="utf-8")
    ours = str(notices.too_many(3))
    try:
        texts.use_folder(tmp_path)
        assert notices.too_many(3) == ours
        assert said(notices.too_many(3), "en") == ours
        assert said(notices.too_many(3), "it") == ours
        (tmp_path / "en.ftl").write_text('still-working = { "" }\n', encoding="utf-8")
        texts.use_folder(tmp_path)
        assert said(notices.STILL_WORKING, "en") == str(notices.STILL_WORKING), "a platform takes no empty message"
    finally:
        texts.use_folder(None)


def test_a_broken_text_of_a_folder_is_said_in_english(tmp_path: Path) -> None:
    (tmp_path / "de.ftl").write_text("too-many = In { $hours } Stunden.\n", encoding="utf-8")
    try:
        texts.use_folder(tmp_path)
        assert said(notices.too_many(3), "de") == str(notices.too_many(3))
    finally:
        texts.use_folder(None)


def test_a_pickled_sentence_is_one() -> None:
    import copy

    again = copy.deepcopy(notices.too_many(3))
    assert isinstance(again, Sentence)
    assert (again, dict(again.values)) == (notices.too_many(3), {"seconds": 3})
