"""What people reported of other bots, as they sent it (`tests/field/`): what it becomes here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.client import Client
from adapters.slack.identity import Identity
from adapters.slack.normalize import normalize
from adapters.slack.users import Users
from bot.events import ContextItem, Mention, Message

FIELD = Path(__file__).parents[1] / "field"
HANDED = Path(__file__).parents[3] / "shared" / "checks" / "field"
US = Identity(team_id="T1HOME", user_id="U0BOT", bot_id="B0BOT", workspace_url="https://home.slack.com/")
GRID = Identity(team_id="T1HOME", user_id="U0BOT", bot_id="B0BOT", enterprise_id="E1GRID")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def field(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((FIELD / name).read_text(encoding="utf-8"))
    return raw


def message(name: str, identity: Identity = US) -> Message:
    raw = field(name)
    payload = raw if raw["type"] == "message_action" else {"type": "event_callback", "team_id": "T1HOME", "event": raw}
    (event,) = normalize(payload, identity, NOW)
    assert isinstance(event, Message)
    return event


@pytest.mark.parametrize("path", sorted(FIELD.glob("*.json")), ids=lambda path: path.stem)
def test_the_copies_are_what_was_handed(path: Path) -> None:
    """Where the handed ones are; a clone alone has the copies."""
    handed = HANDED / path.name
    assert not HANDED.is_dir() or json.loads(handed.read_text()) == json.loads(path.read_text())


def test_f07_a_forward_goes_along_with_its_comment() -> None:
    event = message("f07_slack_forward.json")
    assert event.text == "What should I do about this?"
    assert event.context == (ContextItem(kind="forward", text="The VPN is down since 9:00", author="Eve"),)


def test_f08_the_shortcut_on_an_apps_alert_asks_the_alert() -> None:
    event = message("f08_slack_shortcut_alert.json")
    assert event.asks
    assert event.text == "[FIRING:1] KubeJobFailed\nJob batch-1 failed in ns prod"


def test_f09_hosts_and_file_names_are_as_they_were_typed() -> None:
    assert message("f09_slack_autolink.json").text == "How do I ping test.hostname.com from deploy.sh in ASP.NET?"


def test_f18_a_mention_in_code_is_none_and_the_code_stays_whole() -> None:
    event = message("f18_mention_in_code.json")
    assert event.text == "To call the bot type `<@U0BOT>` first"
    assert (event.mentions_bot, event.mentions_others) == (False, False)


def test_f19_who_and_what_is_named_by_an_id_is_left_to_be_looked_up() -> None:
    channel, bob = Mention(kind="conversation", id="C0DEF456"), Mention(kind="person", id="U2BOB")
    event = message("f19_ids.json")
    assert event.text == f"who owns {channel} and what is {bob}'s role?"
    assert event.mentions == (channel, bob)


class OneUser(Client):
    """Knows the user of the handed `users.info`."""

    def __init__(self) -> None:
        super().__init__("xoxb-none", "http://127.0.0.1:1/api/")

    async def call(self, method: str, *_: Any, **__: Any) -> Any:
        assert method == "users.info"
        return {"user": field("f12_grid_users_info.json")["user"]}


@pytest.mark.parametrize("guests_differ", [False, True])
async def test_f12_a_member_of_the_organisation_is_one_whatever_workspace_is_named(guests_differ: bool) -> None:
    event = message("f12_grid_shortcut.json", GRID)
    refined = await Users(OneUser(), guests_differ=guests_differ).refine(event, field("f12_grid_shortcut.json"), GRID)
    assert isinstance(refined, Message)
    assert (refined.text, refined.standing) == ("Printer on floor 3?", "member")
