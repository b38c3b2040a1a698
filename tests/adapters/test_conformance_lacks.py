"""What a channel says of itself is checked: who lies about what it lacks, or about its doors, is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
from pydantic import BaseModel, Field

from bot.adapter import Capability, ChannelSpec, ManifestOptions, Want
from bot.testing.capabilities import ALL, left_out
from bot.testing.conformance import AdapterConformance
from tests import PAYLOADS
from tests.adapters.fake_wire import FakeWire
from tests.fakes.adapter import FAKE, FakeAdapter, FakeSettings

Suite = AdapterConformance


def suite(spec: ChannelSpec, payloads: str = "fake") -> AdapterConformance:
    class Conforming(AdapterConformance):
        pass

    conforming = Conforming()
    conforming.spec = spec
    conforming.payloads = PAYLOADS / payloads
    return conforming


async def complaint(conforming: AdapterConformance, name: str, lacks: Collection[Capability] = ()) -> str:
    """Run one clause over a channel that really lacks these; return how it failed, "" when it did not."""
    clause = getattr(conforming, name)
    needed = clause.__func__.__code__.co_varnames[: clause.__func__.__code__.co_argcount]
    try:
        outcome = clause(wire=FakeWire(lacks=lacks)) if "wire" in needed else clause()
        if asyncio.iscoroutine(outcome):
            await outcome
    except (Exception, pytest.fail.Exception) as error:
        return repr(error)
    return ""


LIES: Final[list[tuple[Capability, str]]] = [
    ("reactions", "test_recorded_payloads_show_what_the_channel_can"),
    ("buttons", "test_recorded_payloads_show_what_the_channel_can"),
    ("buttons", "test_buttons_only_on_the_last_part_of_an_answer"),
    ("buttons", "test_marking_leaves_the_words"),
    ("threads", "test_recorded_payloads_show_what_the_channel_can"),
    ("threads", "test_it_has_threads_or_says_that_it_lacks_them"),
    ("edits", "test_recorded_payloads_show_what_the_channel_can"),
    ("deletions", "test_delete_removes_and_may_be_repeated"),
    ("look_ups", "test_a_sent_part_is_found_by_its_delivery_id"),
    ("signs", "test_working_may_be_repeated"),
]


@pytest.mark.parametrize(("capability", "clause"), LIES)
async def test_who_says_to_lack_what_there_is_fails(capability: Capability, clause: str) -> None:
    assert await complaint(suite(FAKE), clause) == ""
    assert await complaint(suite(replace(FAKE, lacks=frozenset({capability}))), clause)


@pytest.mark.parametrize(("capability", "clause"), LIES)
async def test_who_does_not_say_what_is_lacking_fails(capability: Capability, clause: str) -> None:
    assert await complaint(suite(replace(FAKE, lacks=ALL), "fake_bare"), clause, ALL) == ""
    assert await complaint(suite(replace(FAKE, lacks=ALL - {capability}), "fake_bare"), clause, ALL)


@pytest.mark.parametrize(
    ("capability", "clause", "arguments"),
    [
        ("reactions", Suite.test_a_reaction_has_the_sent_message_as_target, {}),
        ("reactions", Suite.test_put_taken_off_and_put_again_are_three_happenings, {}),
        ("buttons", Suite.test_a_click_has_the_sent_message_as_target, {"rating": "good", "emoji": "👍"}),
        ("buttons", Suite.test_two_clicks_are_two_happenings, {}),
    ],
)
async def test_reactions_and_clicks_that_do_not_arrive_are_missed(
    capability: Capability, clause: Callable[..., Any], arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="unpack"):
        await clause(suite(FAKE), wire=FakeWire(lacks={capability}), **arguments)


def collected(spec_: ChannelSpec) -> set[str]:
    class Conforming(AdapterConformance):
        spec = spec_
        payloads = PAYLOADS / "fake"

    return {name for name in dir(Conforming) if name.startswith("test_") and getattr(Conforming, name) is not None}


def test_what_is_left_out_follows_from_what_is_lacking() -> None:
    every = collected(FAKE)
    reactions = {
        "test_a_reaction_has_the_sent_message_as_target",
        "test_put_taken_off_and_put_again_are_three_happenings",
    }
    clicks = {"test_a_click_has_the_sent_message_as_target", "test_two_clicks_are_two_happenings"}
    assert left_out(AdapterConformance, FAKE.lacks) == []
    missing: list[tuple[frozenset[Capability], set[str]]] = [
        (frozenset({"reactions"}), reactions),
        (frozenset({"buttons"}), clicks),
        (frozenset({"threads", "edits", "deletions", "look_ups", "signs"}), set()),
        (ALL, reactions | clicks),
    ]
    for lacks, clauses in missing:
        assert every - collected(replace(FAKE, lacks=lacks)) == clauses, lacks
    assert reactions | clicks < every


# -- the doors


class NotOptional(FakeSettings):
    needed: str


class AlwaysOn(BaseModel):
    enabled: bool = True


class WithToken(FakeSettings):
    token: str = Field(default="", alias="FAKE_BOT_TOKEN")


class TakesNoGuests(FakeAdapter):
    def __init__(self, settings: FakeSettings) -> None:
        super().__init__(settings)


class NeedsMore(FakeAdapter):
    def __init__(self, settings: FakeSettings, *, guests_differ: bool = False, clock: object) -> None:
        super().__init__(settings)


def raw_preview(markdown: str) -> str:
    return f"<article>{markdown}</article>"


def bare_preview(markdown: str) -> str:
    return ""


@dataclass(frozen=True)
class PaperManifest:
    options: frozenset[str] = frozenset({"url"})
    words: str = "name: paper"

    def text(self, options: ManifestOptions) -> str:
        return f"{self.words} at {options.url}" if self.words else ""

    async def apply(self, settings: BaseModel, options: ManifestOptions) -> list[str]:
        return []

    async def differences(self, settings: BaseModel, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        return None


class AppliesAtOnce(PaperManifest):
    def apply(self, settings: BaseModel, options: ManifestOptions) -> list[str]:  # type: ignore[override]
        return []


GOOD_MANIFEST: Final = PaperManifest()
ODD_MANIFEST: Final = PaperManifest(options=frozenset({"colour"}))
EMPTY_MANIFEST: Final = PaperManifest(words="")
BLOCKING_MANIFEST: Final = AppliesAtOnce()

HERE: Final = "tests.adapters.test_conformance_lacks"

DOORS: Final[list[tuple[str, dict[str, Any]]]] = [
    ("test_registered_under_the_name_it_carries", {"adapter": f"{HERE}:TakesNoGuests"}),
    ("test_registered_under_the_name_it_carries", {"adapter": f"{HERE}:Nobody"}),
    ("test_registered_under_the_name_it_carries", {"name": "fade"}),
    ("test_registered_under_the_name_it_carries", {"scopes": {"room": ("thread",)}}),
    ("test_its_adapter_is_made_from_its_settings", {"adapter": f"{HERE}:TakesNoGuests"}),
    ("test_its_adapter_is_made_from_its_settings", {"adapter": f"{HERE}:NeedsMore"}),
    ("test_its_settings_are_optional_and_turn_it_on", {"settings": NotOptional}),
    ("test_its_settings_are_optional_and_turn_it_on", {"settings": AlwaysOn}),
    ("test_its_settings_are_optional_and_turn_it_on", {"token": "FAKE_BOT_TOKEN"}),
    ("test_parts_are_typed_inside_and_json_outside", {"adapter": f"{HERE}:TakesNoGuests"}),
    ("test_its_preview_is_harmless", {"preview": f"{HERE}:raw_preview"}),
    ("test_its_preview_is_harmless", {"preview": f"{HERE}:bare_preview"}),
    ("test_its_preview_is_harmless", {"preview": "tests.fakes.nowhere:preview"}),
    ("test_its_manifest_is_one", {"manifest": f"{HERE}:ODD_MANIFEST"}),
    ("test_its_manifest_is_one", {"manifest": f"{HERE}:EMPTY_MANIFEST"}),
    ("test_its_manifest_is_one", {"manifest": f"{HERE}:BLOCKING_MANIFEST"}),
    ("test_its_manifest_is_one", {"manifest": f"{HERE}:NO_MANIFEST"}),
    ("test_it_has_threads_or_says_that_it_lacks_them", {"scopes": {"dm": ("user",)}}),
]


@pytest.mark.parametrize(("clause", "changed"), DOORS)
async def test_a_door_that_leads_elsewhere_is_found(clause: str, changed: dict[str, Any]) -> None:
    assert await complaint(suite(FAKE), clause) == ""
    assert await complaint(suite(replace(FAKE, **changed)), clause)


async def test_good_doors_pass() -> None:
    good = replace(FAKE, manifest=f"{HERE}:GOOD_MANIFEST", settings=WithToken, token="FAKE_BOT_TOKEN")
    for clause in ("test_its_manifest_is_one", "test_its_settings_are_optional_and_turn_it_on"):
        assert await complaint(suite(good), clause) == ""
