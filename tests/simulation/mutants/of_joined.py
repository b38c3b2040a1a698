"""Deliberate bugs of joined input, registered with the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from bot.engine.inprocess import InProcessEngine
from bot.store import turns
from bot.store.contexts import NOTHING, QuestionContext
from bot.store.database import Tx
from bot.store.joining import QuestionPart
from bot.store.turns import Turn
from tests.simulation.mutants.registry import mutant


@mutant
def a_part_loses_its_words() -> Iterator[None]:
    def first(parts: Sequence[QuestionPart]) -> str:
        return next((part.text for part in parts if part.text), "")

    with patch("bot.intake.joined.whole", first):
        yield


@mutant
def parts_are_questions_of_their_own() -> Iterator[None]:
    with patch("bot.intake.messages.goes_on", lambda *_: False):
        yield


@mutant
def what_waits_is_forgotten_by_a_restart() -> Iterator[None]:
    wait = InProcessEngine._wait_for_parts

    def forgets(self: InProcessEngine, turn: Turn, *, at_start: bool = False) -> None:
        if not at_start:
            wait(self, turn)

    with patch.object(InProcessEngine, "_wait_for_parts", forgets):
        yield


@mutant
def an_edit_of_a_part_takes_the_place_of_all() -> Iterator[None]:
    def nothing(*_: Any) -> None:
        return None

    with patch("bot.intake.messages.change_part", nothing):
        yield


@mutant
def what_a_forward_says_is_dropped() -> Iterator[None]:
    with patch("bot.intake.joined.together", lambda _: NOTHING):
        yield


@mutant
def what_an_edit_quotes_is_not_stored() -> Iterator[None]:
    replace_words, go_on = turns.replace_words, turns.go_on

    def old(tx: Tx, turn_id: int, text: str, context: QuestionContext, *rest: Any) -> Turn | None:
        turn = turns.get(tx, turn_id)
        return replace_words(tx, turn_id, text, context if turn is None else turn.context, *rest)

    def as_before(tx: Tx, changed: Turn) -> Turn | None:
        turn = turns.get(tx, changed.id)
        return go_on(tx, changed if turn is None else replace(changed, context=turn.context))

    with patch.object(turns, "replace_words", old), patch.object(turns, "go_on", as_before):
        yield


@mutant
def what_is_quoted_is_not_stored() -> Iterator[None]:
    with patch("bot.store.turns.pack_context", lambda _: None):
        yield
