"""Words: cutting, folding, which carry no meaning of their own, and in which language they are.

Chinese, Japanese and Korean leave no blanks between words. Their runs of characters are cut into pairs that overlap,
the last character once more alone, in the index and in a question alike: a word is found as its pairs in a row.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from bot.documents import HAN, HANGUL, KANA

_WORD = re.compile(r"[^\W_]+")
RUN = re.compile(f"[{KANA}{HAN}{HANGUL}]+")
WIDE = re.compile(f"[{KANA}{HAN}{HANGUL}\uff00-\uffef]")
"""What `spaced` changes a text for."""


def _small_words() -> dict[str, frozenset[str]]:
    """The sections of words.txt."""
    sections: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(found) for name, found in sections.items()}


_SMALL = _small_words()
WEAK = _SMALL.pop("weak")
"""Words that say little about what is asked: they count, but a question may be answered without them."""
_SAID = {name: _SMALL.pop(name) for name in ("greetings", "thanks", "fine", "bye")}
STOP = _SMALL
"""Words without meaning of their own, by language. Question words are among them: `intents` reads those."""


def words(text: str) -> list[str]:
    """The words of a text in small letters; of a script without blanks, pairs of characters.

    >>> words("What's the Price—in €?")
    ['what', 's', 'the', 'price', 'in']
    >>> words("dpkgコマンド")
    ['dpkg', 'コマ', 'マン', 'ンド', 'ド']
    """
    return _WORD.findall(spaced(text).lower())


def spaced(text: str) -> str:
    """A text as it is indexed: the same, but for scripts without blanks, which are cut into pairs."""
    if text.isascii() or not WIDE.search(text):
        return text
    return RUN.sub(lambda run: f" {' '.join(pairs(run[0]))} {run[0][-1]} ", unicodedata.normalize("NFKC", text))


def pairs(run: str) -> list[str]:
    """The overlapping pairs of a run of characters; of a single one, itself."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def bare(word: str) -> str:
    """A word without its diacritics, as the index has it.

    >>> bare("größe"), bare("café")
    ('große', 'cafe')
    """
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


def parted(message: str) -> tuple[str, str]:
    """Part a message into the words that ask and those it quotes: lines behind ">". Headings in brackets are neither.

    >>> parted("(As quoted.)\\n[Forwarded]\\n> The bell is broken.\\n\\n[Question]\\nCan I return it?")
    ('Can I return it?', 'The bell is broken.')
    """
    if "\n> " not in message:
        return message, ""
    lines = [line.strip() for line in message.splitlines()]
    quoted = [line[1:].strip() for line in lines if line.startswith(">")]
    about = [line for line in lines if not line.startswith(">") and line[:1] + line[-1:] not in ("[]", "()")]
    return "\n".join(filter(None, about)) or message, "\n".join(quoted)


def language_of(text: str, default: str = "en") -> str:
    """The language of a question, by its small words; the default when they do not tell.

    >>> language_of("Wann ist die Werkstatt offen?"), language_of("Wi-Fi?", "fr")
    ('de', 'fr')
    """
    if run := RUN.search(text):
        return "ja" if re.search(f"[{KANA}]", text) else "ko" if re.match(f"[{HANGUL}]", run[0]) else "zh"
    found = set(words(text))
    votes = {language: len(found & small) for language, small in STOP.items()}
    best = max(votes, key=lambda language: (votes[language], language == default))
    return best if votes[best] > votes.get(default, 0) else default


GREETINGS, THANKS, FINE, BYE = (frozenset(words(" ".join(said))) for said in _SAID.values())
"""Whoever says nothing else greets, thanks, assents, or takes leave."""
