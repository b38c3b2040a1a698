"""What kind of answer a question asks for, and whether a text holds one of that kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import Pattern

_NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|half|quarter|tenth|"
    r"once|twice|eins?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|un|deux|trois|quatre|cinq|dos|tres|cuatro)\b"
)
_UNIT_OF_TIME = (
    r"seconds?|minutes?|hours?|days?|weeks?|months?|years?|sekunden?|minuten?|stunden?|tage?n?|wochen?|monate?n?|jahre?n?|"
    r"always|never|daily|weekly|monthly|yearly"
)
_TIME = (
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|may|june|july|august|"
    r"september|october|november|december)\b|\b(?:daily|always|noon|midnight|morning|evening|before|after|once|every|"
    r"o'clock|half past|seven|eight|nine|ten|eleven|twelve|one|two|three|four|five|six|immediately|straight|montags?|"
    r"dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|täglich|immer|uhr)\b"
)
_MONTH = (
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|märz|"
    r"mai|juni|juli|oktober|dezember)\b"
)
_MONEY = (
    r"\d|\b(?:free|gratis|euros?|pounds?|dollars?|pence|cents?|percent|kostenlos|gratuit|refunded|no charge)\b|[€$£]"
)
_NAME = r"\b[A-ZÄÖÜ][a-zäöüß]+ [A-ZÄÖÜ][a-zäöüß]+\b|@|\b\d{4,}\b"


@dataclass(frozen=True, slots=True)
class QuestionIntent:
    """A kind of question. `needed`: a text without such an answer hardly answers it."""

    name: str
    asks: Pattern[str]
    gives: Pattern[str]
    needed: bool


def _intent(name: str, asks: str, gives: str, *, needed: bool) -> QuestionIntent:
    return QuestionIntent(
        name, re.compile(asks, re.IGNORECASE), re.compile(gives, re.IGNORECASE if name != "who" else 0), needed
    )


INTENTS: tuple[QuestionIntent, ...] = (
    _intent(
        "measure",
        r"\bhow (?:old|heavy|high|tall|wide|deep|big|large|hot|warm|cold|far|fast|loud|thick|strong|many|young)\b|"
        r"\bhow much (?!\b(?:is|are|does|do|did|will|would|it|for|to)\b)\w+|"
        r"\b(?:wie viele?|wieviele?|combien de|cuántos|kaç)\b|"
        r"\b(?:temperature|weight|capacity|wattage|voltage)\b",
        _NUMBER + "|" + _UNIT_OF_TIME,
        needed=True,
    ),
    _intent(
        "duration",
        r"\bhow long\b|\bduration\b|\blength of\b|\bafter how\b|"
        r"\b(?:wie lange|combien de temps|cuánto tiempo|ne kadar süre)\b",
        _NUMBER + "|" + _UNIT_OF_TIME,
        needed=True,
    ),
    _intent(
        "often", r"\bhow often\b|\bhow frequently\b|\bwie oft\b", _NUMBER + "|every|each|" + _UNIT_OF_TIME, needed=True
    ),
    _intent(
        "money",
        r"\bhow (?:much|expensive)\b|\b(?:price|prices|cost|costs|fee|fees)\b|"
        r"\b(?:was kostet|wie teuer|preis|prix|precio|fiyat\w*|kosten)\b",
        _MONEY,
        needed=True,
    ),
    _intent("months", r"\b(?:which|what) months?\b|\bwelche\w* monat\w*\b", _MONTH, needed=True),
    _intent(
        "when",
        r"\bwhen\b|\bwhat time\b|\b(?:which|what) (?:day|date|month|year)s?\b|\b(?:until|by) when\b|"
        r"\b(?:wann|quand|cuándo|quando|wanneer|ne zaman|hours)\b",
        _TIME,
        needed=True,
    ),
    _intent("who", r"\bwho\b|\bwhom\b|\b(?:wer|wen|wem|qui|quién|chi|quem|wie is|kim)\b", _NAME, needed=False),
)


def intents_of(question: str) -> list[QuestionIntent]:
    """The kinds a question asks for, the surest first; usually one or none."""
    return [intent for intent in INTENTS if intent.asks.search(question)]
