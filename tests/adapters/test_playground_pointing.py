"""What the playground's people point at: kept with the message as it was, and delivered with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.playground.errors import PlatformRefusal
from adapters.playground.normalize import normalize
from adapters.playground.platform import Platform
from bot.events import Edit, Message

STOLEN = {"kind": "steal", "message": "m", "conversation": "room", "author": "jonas", "text": "x"}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path / "playground.db")
    yield platform
    platform.close()


def newest(platform: Platform) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(platform.pending()[-1].payload)
    return payload


def test_a_message_keeps_the_words_it_points_at(platform: Platform) -> None:
    root = platform.post("jonas", "room", None, "The bell is broken")
    question = platform.post("mira", "dm-mira", None, "Is that so?", pointing=("quote", root))
    platform.remove("jonas", root)
    platform.edit("mira", question, "Is it?")
    assert platform.view(question)["body"]["context"]["text"] == "The bell is broken"  # type: ignore[index]
    (event,) = normalize(newest(platform))
    assert isinstance(event, Edit)
    (item,) = event.context
    assert (item.kind, item.text, item.author, item.author_id) == ("reply", "The bell is broken", "Jonas", "jonas")


def test_a_forward_needs_no_words_and_a_quote_does(platform: Platform) -> None:
    root = platform.post("jonas", "room", None, "The bell is broken")
    platform.post("mira", "dm-mira", None, "", pointing=("forward", root))
    (event,) = normalize(newest(platform))
    assert isinstance(event, Message)
    assert (event.text, event.context[0].kind) == ("", "forward")
    with pytest.raises(PlatformRefusal, match="Write something"):
        platform.post("mira", "dm-mira", None, " ", pointing=("quote", root))
    with pytest.raises(PlatformRefusal, match="too long"):
        platform.post("mira", "dm-mira", None, "x" * 20_001, pointing=("forward", root))


def test_what_cannot_be_pointed_at_is_refused(platform: Platform) -> None:
    secret = platform.post("jonas", "dm-jonas", None, "Between us")
    gone = platform.post("mira", "room", None, "Never mind")
    platform.remove("mira", gone)
    for how, what in (("quote", secret), ("forward", gone), ("quote", "1.0"), ("steal", gone)):
        with pytest.raises(PlatformRefusal):
            platform.post("mira", "dm-mira", None, "What is this?", pointing=(how, what))


@pytest.mark.parametrize("context", [7, "x", [], {}, {"kind": "quote"}, {"kind": 1, "message": "m"}, STOLEN])
def test_a_payload_that_points_in_another_form_is_none_of_ours(context: object) -> None:
    payload = {"type": "message", "event": "e", "at": "1.000001", "person": "mira", "conversation": "dm-mira"}
    with pytest.raises(ValueError, match="context"):
        normalize({**payload, "message": "1.000001", "thread": None, "text": "hi", "context": context})
