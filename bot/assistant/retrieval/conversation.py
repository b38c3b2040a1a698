"""How a message hangs on the conversation: several questions in one, and what leans on what was said before. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal

from bot.assistant.retrieval.text import RUN, STOP, language_of, words

Lean = Literal["", "short", "points back", "goes on", "bare", "why", "no"]

MOST: Final = 3
"""Questions of one message that are answered each by itself."""
_GOES_ON = re.compile(
    r"^\s*(?:(?:and|or|but|also|then|what about|how about|und|oder|aber|et|mais|y|pero|e|ma|ve|en|maar)\b|では|那么)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|that|this|those|these|he|she|his|her)\b", re.IGNORECASE)
_WHY = re.compile(
    r"^\W*(?:(?:but |and )?why(?: not| is that| so)?|how come|warum(?: nicht| das)?|wieso|weshalb|pourquoi|por ?qué|"
    r"perché|porquê|waarom|neden|niye|niçin|なぜ(?:ですか)?|どうして(?:ですか)?|为什么)\W*$",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|wrong|that is wrong|that's wrong|not that|nein|falsch|das stimmt nicht|non|faux|falso|não|nee|"
    r"hayır|いいえ|違います|不是|不对)\W*$",
    re.IGNORECASE,
)
_ASKS = (
    r"when|what|where|who|whom|whose|how|why|which|is|are|can|could|do|does|did|may|will|would|should|wann|was|wo|wer|wie|"
    r"warum|welche[rs]?|gibt|kann|quand|quel(?:le)?s?|où|qui|comment|combien|cuándo|qué|dónde|quién|cómo|cuánto"
)
_PART = re.compile(rf"(?<=[?？])\s*|,?\s+(?:and|und|et|y)\s+(?=(?:{_ASKS})\b)", re.IGNORECASE)
_QUESTION = re.compile(rf"[?？]\s*$|^\s*(?:(?:and|und|et|y)\s+)?(?:{_ASKS})\b", re.IGNORECASE)
REASON: Final = re.compile(
    r"\b(?:because|since|so that|in order to|due to|reason|therefore|otherwise|weil|denn|damit|deshalb|grund|sonst|"
    r"parce que|afin|car|porque|perché|omdat|çünkü)\b|ため|なので|因为",
    re.IGNORECASE,
)
"""Says why."""


def leaning(text: str) -> Lean:
    """How a message leans on what was said before; empty if it stands on its own.

    >>> leaning("Why?"), leaning("and in winter?"), leaning("When does the ferry leave on Sundays?")
    ('why', 'goes on', '')
    """
    if _WHY.match(text):
        return "why"
    if _NO.match(text):
        return "no"
    said = words(text)
    if said and not RUN.search(text) and STOP[language_of(text)].issuperset(said):
        return "bare"
    if _GOES_ON.search(text):
        return "goes on"
    if _POINTS_BACK.search(text):
        return "points back"
    return "short" if len(said) <= 3 else ""


def questions_in(text: str) -> list[str]:
    """The questions of a message that can be answered each by itself; the message alone when there are not several.

    >>> questions_in("How much is a helmet? And when do you open on Sunday?")
    ['How much is a helmet?', 'And when do you open on Sunday?']
    >>> questions_in("Is there wifi? I mean wireless internet")
    ['Is there wifi? I mean wireless internet']
    """
    parts = [part.strip() for part in _PART.split(text) if part and part.strip()]
    if not 2 <= len(parts) <= MOST or not all(map(_stands, parts)):
        return [text]
    return parts


def _stands(part: str) -> bool:
    said = words(part)
    full = [word for word in said if word not in STOP[language_of(part)]]
    return _QUESTION.search(part) is not None and (len(full) >= 2 or (len(said) >= 4 and bool(full)))
