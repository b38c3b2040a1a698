"""What the bot says itself, in the languages of the files beside this one; `en.ftl` has every text and explains itself.

A `Sentence` is made where it is decided what to say, and put into words where it is known to whom.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import structlog
from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_date

DEFAULT: Final = "en"
SHIPPED: Final = Path(__file__).parent
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
Value: TypeAlias = str | int | Sequence[str] | datetime
"""What is filled in: words as they are, a number, a list, or a time."""

log = structlog.get_logger(__name__)


class Sentence(str):
    """One text of ours: reads as English, and knows what it takes to be said in another language."""

    __slots__ = ("name", "values")
    name: str
    values: Mapping[str, Value]

    def __new__(cls, name: str, /, **values: Value) -> Self:
        """Make the text of that name."""
        made = super().__new__(cls, say(name, DEFAULT, **values))
        made.name, made.values = name, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Value]]:
        return (self.name,), dict(self.values)

    def stored(self) -> str:
        """Return it as a string to be kept; `said` reads it again."""
        return json.dumps([self.name, self.values], ensure_ascii=False)


def stored(text: str) -> str:
    """Return a text as it is to be kept: a sentence so that its language may be chosen later."""
    return text.stored() if isinstance(text, Sentence) else text


def said(text: str, language: str) -> str:
    """Put a text into words of a language: a sentence, one that was stored, or words, which stay as they are."""
    if not isinstance(text, Sentence):
        if (kept := _kept(text)) is None:
            return text
        text = kept
    return say(text.name, language, **text.values)


def _kept(text: str) -> Sentence | None:
    """Read what `Sentence.stored` made; None for anything else, such as what an earlier version stored."""
    if not text.startswith('["'):
        return None
    try:
        name, values = json.loads(text)
        return Sentence(name, **values)
    except (ValueError, TypeError, KeyError):
        return None


def say(name: str, language: str, /, **values: Value) -> str:
    """Say the text of that name; in English where the language has none, in ours where the folder's is broken. KeyError
    where there is no such text."""
    for bundle in _bundles(language):
        if not bundle.has_message(name):
            continue
        pattern = bundle.get_message(name).value
        if pattern is None:
            continue
        text, errors = bundle.format_pattern(pattern, {key: _given(value, language) for key, value in values.items()})
        if not errors and str(text).strip():
            return str(text)
        log.warning("texts.broken", text=name, language=language, reason=str(errors[0]) if errors else "it is empty")
    raise KeyError(name)


def _given(value: Value, language: str) -> Any:
    if isinstance(value, datetime):
        return fluent_date(value.astimezone(UTC).replace(tzinfo=None))
    if isinstance(value, str | int):
        return value
    return format_list(list(value), locale=_locale(language))


@functools.lru_cache(maxsize=1_000)
def best(*wanted: str | None) -> str:
    """Return the first of the wanted languages that there are texts in; a dialect does for its language.

    >>> best(None, "pt-BR", "de"), best("xx"), best("DE_at")
    ('pt', 'en', 'de')
    """
    there = {language.lower(): language for language in languages()}
    for tag in wanted:
        parts = (tag or "").replace("_", "-").lower().split("-")
        for length in range(len(parts), 0, -1):
            if (found := there.get("-".join(parts[:length]))) is not None:
                return found
    return DEFAULT


def primary(tag: str) -> str:
    """Return the language of a tag, without its dialect.

    >>> primary("pt-BR")
    'pt'
    """
    return tag.replace("_", "-").split("-")[0].lower()


def languages() -> tuple[str, ...]:
    """Name the languages that there are texts in."""
    return tuple(sorted({path.stem for folder in _folders for path in folder.glob("*.ftl")}))


def names(language: str) -> frozenset[str]:
    """Name the texts that a language has."""
    return frozenset(entry for text in _files(language) for entry in re.findall(r"^([a-z][a-z0-9-]*) =", text, re.M))


_folders: list[Path] = [SHIPPED]


def use_folder(folder: Path | None) -> None:
    """Take more or other texts from the files of a folder, for the whole process; None: the shipped ones alone."""
    _folders[1:] = [] if folder is None else [folder]
    _bundle.cache_clear()
    best.cache_clear()


def _files(language: str) -> list[str]:
    """Read the files of a language, the shipped one first; what a later one says replaces what an earlier one does."""
    paths = [folder / f"{language}.ftl" for folder in _folders]
    return [path.read_text(encoding="utf-8") for path in paths if path.is_file()]


def _bundles(language: str) -> Iterator[FluentBundle]:
    """Where a text is looked for, in order."""
    yield from filter(None, map(_bundle, dict.fromkeys((language, DEFAULT))))
    yield _ours()


@functools.lru_cache(maxsize=100)
def _bundle(language: str) -> FluentBundle | None:
    files = _files(language) if LANGUAGE.fullmatch(language) else []
    return _made(language, files) if files else None


@functools.cache
def _ours() -> FluentBundle:
    """The shipped English texts, whatever the folder says."""
    return _made(DEFAULT, [(SHIPPED / f"{DEFAULT}.ftl").read_text(encoding="utf-8")])


def _made(language: str, files: Sequence[str]) -> FluentBundle:
    bundle = FluentBundle([str(_locale(language)).replace("_", "-"), DEFAULT], use_isolating=False)
    for text in files:
        bundle.add_resource(FluentResource(text), allow_overrides=True)
    return bundle


@functools.lru_cache(maxsize=100)
def _locale(language: str) -> Locale:
    """Find the rules for plurals, dates and lists; English ones for a language that nobody has written any for."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT)
