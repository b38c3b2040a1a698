"""What people say that is no question to the documents: greetings, thanks, who are you, may I speak to a person."""

from __future__ import annotations

import re
import sqlite3

from bot.assistant.retrieval.phrases import Phrases
from bot.assistant.retrieval.text import BYE, FINE, GREETINGS, STOP, THANKS, WEAK, language_of, words

AT_MOST_BESIDE = 1
"""So many words with a meaning may stand beside the wish for a person; with more, the message asks for something."""
_HOW = re.compile(
    r"\b(?:how are you|how's it going|how do you do|wie geht'?s(?: dir| ihnen)?|wie geht es (?:dir|ihnen)|"
    r"comment ça va|comment allez-vous|qué tal|cómo est[áa]s?|come stai|come va|hoe gaat het|nasılsın(?:ız)?)\b|"
    r"お元気ですか",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"^\W*(?:help|what can (?:you|i)\b.*|what do you know\b.*|which documents\b.*|what documents\b.*|hilfe|"
    r"was kannst du\b.*|was können sie\b.*)\W*$",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"^\W*(?:(?:and |so )?(?:who|what) are you|are you (?:a |an )?(?:human|person|robot|bot|machine|real|ai)\b.*|"
    r"what is your name|what's your name|wer (?:bist du|sind sie)|bist du ein (?:mensch|bot|roboter)|"
    r"qui (?:es-tu|êtes-vous)|quién eres|chi sei|quem és|wie ben je|sen kimsin|siz kimsiniz|"
    r"あなたは誰ですか|你是谁)\W*$",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:(?:speak|talk|chat|write) (?:to|with) (?:an? |some|the )?(?:real |actual |live )?"
    r"(?:human|person|agent|somebody|someone|operator|employee)|"
    r"(?:real|actual|live) (?:human|person|agent)|human (?:being|agent|please)|mit (?:einem|einer) "
    r"(?:menschen|mitarbeiter|mitarbeiterin|person) (?:sprechen|reden)|parler à (?:une personne|un humain|quelqu'un)|"
    r"hablar con (?:una persona|un humano|alguien)|parlare con (?:una persona|qualcuno)|"
    r"falar com (?:uma pessoa|alguém))\b|"
    r"(?:人間|担当者)と話|转人工",
    re.IGNORECASE,
)


def small_talk(c: sqlite3.Connection, site_id: str, message: str, says: Phrases) -> str | None:
    """What to say to a greeting, thanks, a goodbye, or to who asks what can be asked; None for anything else."""
    said = words(_HOW.sub(" ", message))
    if not said and not _HOW.search(message):
        return None
    if GREETINGS.issuperset(said):
        return _listed(c, site_id, says, says.hello)
    for small, words_for_it in ((BYE, says.bye), (FINE, says.noted), (THANKS, says.welcome)):
        if small.issuperset(said):
            return words_for_it
    if _WHO.match(message):
        return says.who
    return _listed(c, site_id, says, says.topics) if _ABOUT.match(message) else None


def wants_a_person(message: str) -> bool:
    """Whether somebody would rather speak to a person, and asks for nothing else.

    >>> wants_a_person("May I speak to a real person?"), wants_a_person("Who is the person in charge?")
    (True, False)
    >>> wants_a_person("Do I have to talk to somebody before I sell the house to a friend?")
    False
    """
    if not _PERSON.search(message):
        return False
    rest = words(_PERSON.sub(" ", message))
    return sum(word not in STOP[language_of(message)] and word not in WEAK for word in rest) <= AT_MOST_BESIDE


def _listed(c: sqlite3.Connection, site_id: str, says: Phrases, sentence: str) -> str:
    query = (
        "SELECT title FROM documents WHERE site_id = ? AND status = 'active' AND ready = 1 ORDER BY created_at LIMIT 9"
    )
    titles = [row["title"] for row in c.execute(query, (site_id,))]
    if not titles:
        return says.empty
    # The sentence has its own full stop, which three dots would double.
    named = ", ".join(f"*{title}*" for title in titles[:8])
    return sentence.format(titles=f"{named} …").removesuffix(".") if len(titles) > 8 else sentence.format(titles=named)
