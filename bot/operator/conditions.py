"""A reading of the house → what is wrong with it, in sentences for an operator. Pure; no words of anybody in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.api.assumptions import MUCH

OLD = 300.0
"""Seconds after which a question that is still open is a trouble: most answers take less than one minute."""
NAMED = 5
"""References that a sentence names; the command shows the rest."""
FEW = 10
"""Ratings of a day below which their share says nothing."""
POOR = 0.5
"""Share of good ratings of a day from which on downwards somebody should look."""
STEADY = 60.0
"""Seconds that what may pass by itself has to last before anybody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseReading:
    """The house at one moment. `at` is in seconds since the epoch.

    `words`: what /readyz says of each part. `problems`: what is wrong with a part, in a sentence. `waits_for`: why
    calls to the API have to wait (a word, a sentence), None when they need not. `oldest`: the reference of the oldest
    open question and its age in seconds. `dead`: how many dead letters, and the newest of them. `limits`: used part of
    each. `rated`: good and bad ratings of the last day. `refused`: deliveries refused lately, a sentence a channel.
    """

    at: float
    words: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    waits_for: tuple[str, str] | None = None
    open_turns: int = 0
    oldest: tuple[str, float] | None = None
    dead: int = 0
    newest_dead: Sequence[str] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    rated: tuple[int, int] = (0, 0)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong. `key` names it as long as it lasts; `command` is what to run; `steady`: seconds it has
    to last before anybody is told; `weight`: a higher one is told of first."""

    key: str
    sentence: str
    command: str
    steady: float = 0.0
    weight: int = 1


def conditions(reading: HouseReading) -> list[Condition]:
    """List what is wrong, the worst first."""
    found = [*_database(reading), *_api(reading), *_channels(reading), *_questions(reading), *_limits(reading)]
    return sorted(found, key=lambda condition: -condition.weight)


def _database(reading: HouseReading) -> list[Condition]:
    if reading.words.get("database", "ok") == "ok":
        return []
    sentence = reading.problems.get("database") or "The database cannot be written: nothing new is accepted."
    return [Condition(key="database", sentence=sentence, command="uppzy-bot doctor", weight=9)]


def _api(reading: HouseReading) -> list[Condition]:
    if problem := reading.problems.get("api"):
        return [Condition(key="api refused", sentence=problem, command="uppzy-bot doctor", weight=8)]
    if reading.waits_for is None:
        return []
    reason, sentence = reading.waits_for
    limited = reason == "rate_limited"
    key = "api limited" if limited else "api failing"
    command = "uppzy-bot limits" if limited else "uppzy-bot doctor"
    return [Condition(key=key, sentence=sentence, command=command, steady=STEADY, weight=7)]


def _channels(reading: HouseReading) -> list[Condition]:
    found = [
        Condition(key=f"channel {name}", sentence=f"{name}: {problem}", command="uppzy-bot doctor", weight=8)
        for name, problem in reading.problems.items()
        if name not in ("api", "database")
    ]
    return found + [
        Condition(key=f"refused {name}", sentence=f"{name}: {sentence}", command="uppzy-bot doctor", weight=5)
        for name, sentence in reading.refused.items()
    ]


def _questions(reading: HouseReading) -> list[Condition]:
    found = []
    if reading.oldest is not None and reading.oldest[1] > OLD:
        reference, age = reading.oldest
        waiting = f"{reading.open_turns} question{'' if reading.open_turns == 1 else 's'} open"
        sentence = f"{waiting}, the oldest ({reference}) for {age / 60:.0f} minutes."
        found.append(Condition(key="late", sentence=sentence, command=f"uppzy-bot trace {reference}", weight=6))
    if reading.dead:
        named = ", ".join(reading.newest_dead[:NAMED])
        what = f"{reading.dead} dead letter{'' if reading.dead == 1 else 's'}"
        command = f"uppzy-bot dead show {reading.newest_dead[0]}" if reading.newest_dead else "uppzy-bot dead list"
        sentence = f"{what}, the newest: {named}." if named else f"{what}."
        found.append(Condition(key="dead", sentence=sentence, command=command, weight=4))
    good, bad = reading.rated
    if good + bad >= FEW and good / (good + bad) < POOR:
        sentence = f"Of {good + bad} ratings of the last day only {good} are good."
        found.append(Condition(key="ratings", sentence=sentence, command="uppzy-bot feedback report", weight=2))
    return found


def _limits(reading: HouseReading) -> list[Condition]:
    return [
        Condition(
            key=f"limit {name}",
            sentence=f"{ratio:.0%} of the limit of {name.replace('_', ' ')} is used.",
            command="uppzy-bot limits",
            weight=7 if ratio >= 1 else 3,
        )
        for name, ratio in sorted(reading.limits.items())
        if ratio >= MUCH
    ]
