"""Payloads of shapes that Slack never sends: set aside, or read into events that the store can hold."""

from __future__ import annotations

import ast
import copy
import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from adapters.slack import ids
from adapters.slack.identity import Identity
from adapters.slack.normalize import normalize
from adapters.slack.parts import SlackPart
from adapters.slack.receive import UNREADABLE
from bot.testing.payload_files import load
from bot.testing.slack import payloads
from tests import PAYLOADS
from tests.adapters.slack_live import live_slack

ROOT = Path(__file__).parents[2]
US = Identity(team_id=payloads.TEAM, user_id=payloads.BOT_USER, bot_id=payloads.BOT_ID)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
ODD: tuple[Any, ...] = (
    *(None, "", 0, -1, 1e308, True, [], {}, ["x"], {"a": 1}, [[]], {"id": None}, [None]),
    *("\ud800", "a\0b", "\n", "x" * 5000, "9" * 400, "-5.1", "nan", "\u0661.\u0662", "99999999999999.1", ".5"),
)
CASES = load(PAYLOADS / "slack")
MAY_BE_ABSENT = {
    *(("Conversation", "thread_id"), ("Command", "ref"), ("Message", "in_reply_to"), ("Gone", "conversation_id")),
    *((kind, "locale") for kind in ("Message", "Edit", "Command", "Reaction", "HomeOpened")),
    *(
        ("Message", "joins"),
        ("Command", "joins"),
        ("ContextItem", "author_id"),
        ("ContextItem", "ref"),
        ("File", "size"),
    ),
}
CLEANED = ("text", "args", "author", "name", "media_type")
"""What the core makes fit to be stored."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_value_of_another_kind_anywhere(case: Any) -> None:
    """Whatever stands in a payload's place, its event can be stored, or the payload is set aside."""
    with closing(sqlite3.connect(":memory:")) as store:
        for path, value in product(paths(case.payload), ODD):
            try:
                events = normalize(put(case.payload, path, value), US, NOW)
            except UNREADABLE:
                continue
            for event in events:
                for name, text in strings(event):
                    assert isinstance(text, str), (path, value, name)
                    if name not in CLEANED:
                        assert store.execute("SELECT ?", (text,)).fetchone() == (text,)
                        assert 0 < len(text) <= 500


@pytest.mark.parametrize("user", [["U1"], {"id": "U1"}, 7, "\ud800"])
@pytest.mark.parametrize("socket_mode", [True, False])
async def test_an_id_that_is_none_is_set_aside_and_acknowledged(user: Any, socket_mode: bool) -> None:
    """The store would refuse it each time it comes, and so it would never be acknowledged."""
    async with live_slack(socket_mode=socket_mode) as live:
        odd = {**payloads.message("D1", "U1", "hi", payloads.next_ts()), "user": user}
        assert await live.slack.event(odd)
        assert len(live.host.set_aside_payloads) == 1
        assert live.host.deliveries == []


ORGANISATION = Identity(team_id="T0LOOP", user_id="U0BOT", bot_id="B0BOT", enterprise_id="E0LOOP")


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ({}, True),
        ({"team_id": "T0LOOP"}, True),
        ({"team_id": "T0SISTER", "enterprise_id": "E0LOOP"}, False),
        ({"team_id": "T0SISTER", "enterprise_id": "E0LOOP", "is_enterprise_install": True}, True),
        ({"team_id": None, "enterprise_id": "E0LOOP"}, True),
        ({"team_id": None, "enterprise_id": "E0OTHER"}, False),
        ({"team_id": "T0LOOP", "enterprise_id": "E0OTHER", "is_enterprise_install": True}, False),
    ],
)
def test_whose_a_payload_is_in_an_organisation(named: dict[str, Any], ours: bool) -> None:
    """An installation in one workspace is another one than that of its sister; one for all of them is everybody's."""
    assert ORGANISATION.owns({"authorizations": [named]}) is ours
    assert ORGANISATION.owns({"authorizations": [{}], **named}) is ours
    assert ORGANISATION.owns({"command": "/ask", **named}) is ours
    as_objects = {"team": {"id": named.get("team_id")}, "enterprise": {"id": named.get("enterprise_id")}}
    assert ORGANISATION.owns({**as_objects, "is_enterprise_install": named.get("is_enterprise_install")}) is ours


def test_a_form_of_an_installation_for_all_is_everybodys() -> None:
    form = {"type": "view_submission", "view": {"app_installed_team_id": "T0SISTER"}, "enterprise": {"id": "E0LOOP"}}
    assert ORGANISATION.owns({**form, "is_enterprise_install": True})
    assert not ORGANISATION.owns({**form, "is_enterprise_install": False})


def test_an_older_versions_root_of_an_ask_still_names_who_asked() -> None:
    line = {"type": "context", "block_id": "asker:U1", "elements": [{"type": "plain_text", "text": "Asked with /ask"}]}
    words = {"type": "rich_text", "elements": []}
    part = SlackPart.from_json({"text": "When?", "blocks": [words, line], "rank": 0, "user": "U1"})
    assert part.asked_by_command
    assert part.blocks == (words,)
    assert SlackPart.from_json(part.to_json()) == part


@pytest.mark.parametrize("name", [ids.RATE_ACTION, ids.ASK_SHORTCUT, ids.SLASH_COMMAND, ids.DELIVERY_EVENT])
def test_a_name_that_slack_hands_back_is_spelled_once(name: str) -> None:
    """Spelled twice it would be sent as one and recognised as another: ratings would be lost without an error."""
    spelled = [
        path.name
        for path in (ROOT / "adapters" / "slack").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == name
    ]
    assert spelled == ["ids.py"]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a payload but the payload itself."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        if key not in ("token", "api_app_id", "client_msg_id"):  # nobody reads those
            yield from paths(one, (*path, key))


def put(payload: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Copy the payload along the path, with one value replaced."""
    if not path:
        return value
    made = copy.copy(payload)
    made[path[0]] = put(payload[path[0]], path[1:], value)
    return made


def strings(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of an event that is to hold a text, by name."""
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if dataclasses.is_dataclass(inner):
            yield from strings(inner)
        elif isinstance(inner, tuple):
            for one in inner:
                yield from strings(one) if dataclasses.is_dataclass(one) else [("name", one)]
        elif (type(value).__name__, field.name) in MAY_BE_ABSENT and inner is None:
            continue
        elif not isinstance(inner, bool | int | datetime):
            yield field.name, inner
