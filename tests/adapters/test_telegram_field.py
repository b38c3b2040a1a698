"""Inputs of people of other bots, with their right values. Copies of them stand in tests/payloads/telegram."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram.identity import Identity
from adapters.telegram.normalize import normalize
from bot.events import Joins, Message
from bot.testing import payload_files
from tests import PAYLOADS
from tests.adapters.telegram_wire import CLICKED_AT

FIELD = Path(__file__).parents[3] / "shared" / "checks" / "field"
HELPER = Identity(id=7000, username="helper_bot")
handed = pytest.mark.skipif(not FIELD.exists(), reason="the handed inputs are not beside this checkout")


def read(name: str) -> Any:
    return json.loads((FIELD / name).read_text(encoding="utf-8"))


def only(update: Any) -> Message:
    (event,) = normalize(update, HELPER, CLICKED_AT)
    assert isinstance(event, Message)
    return event


@handed
def test_f06_the_address_behind_a_word_goes_along() -> None:
    assert only(read("f06_text_link.json")).text == "Summarise the guide (https://docs.example.com/guide?v=2) please"


@handed
def test_f13_a_reply_that_tags_another_bot_is_left_alone() -> None:
    event = only(read("f13_reply_tags_other_bot.json"))
    assert not event.mentions_bot
    assert event.mentions_others
    update = read("f13_reply_tags_other_bot.json")
    update["message"] |= {
        "text": "what does @anna think?",
        "entities": [{"type": "mention", "offset": 10, "length": 5}],
    }
    assert only(update).mentions_bot


@handed
def test_f17_a_comment_and_its_forward_follow_one_another() -> None:
    comment, forward = (only(update) for update in read("f17_forward_and_comment.json"))
    assert comment.joins == Joins(number=100, after=0)
    assert forward.joins == Joins(number=101, after=0, kind="forward")
    assert (forward.text, forward.context[0].text) == ("", "Today we talk to Acme and Globex …")
    assert forward.context[0].author == "Digest"


@pytest.mark.parametrize(("units", "kind", "glue"), [(3999, None, "\n\n"), (4000, "paste", "\n"), (4096, "paste", "")])
@pytest.mark.parametrize("character", ["x", "🙂"])
def test_f05_a_nearly_full_text_may_be_a_part_counted_in_utf16_units(
    units: int, kind: str | None, glue: str, character: str
) -> None:
    (case,) = [case for case in payload_files.load(PAYLOADS / "telegram") if case.name == "private_text"]
    size = len(character.encode("utf-16-le")) // 2
    text = "x" * (units % size) + character * (units // size)
    joins = only({**case.payload, "message": {**case.payload["message"], "text": text}}).joins
    assert joins is not None
    assert (joins.kind, joins.glue) == (kind, glue)


@pytest.mark.parametrize(("chat", "after"), [("supergroup", 20), ("group", 0), ("private", 0)])
def test_what_a_message_follows_depends_on_whose_messages_are_numbered_together(chat: str, after: int) -> None:
    (case,) = [case for case in payload_files.load(PAYLOADS / "telegram") if case.name == "private_text"]
    message = {**case.payload["message"], "chat": {**case.payload["message"]["chat"], "type": chat}}
    joins = only({**case.payload, "message": message}).joins
    assert joins is not None
    assert (joins.number, joins.after) == (21, after)


@pytest.mark.parametrize("reads_all", [True, False])
def test_in_privacy_mode_the_rest_of_a_paste_is_hidden(reads_all: bool) -> None:
    (case,) = [case for case in payload_files.load(PAYLOADS / "telegram") if case.name == "group_mention"]
    text = case.payload["message"]["text"]
    message = {**case.payload["message"], "text": text + "x" * (4096 - len(text))}
    identity = Identity(id=4242, username="Test_bot", reads_all=reads_all)
    (event,) = normalize({**case.payload, "message": message}, identity, CLICKED_AT)
    assert isinstance(event, Message)
    assert event.joins is not None
    assert event.joins.rest_hidden is not reads_all
