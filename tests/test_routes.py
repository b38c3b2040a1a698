"""Which route a conversation takes: the most specific one, whatever the order; and why."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from bot.config import Route, Routes, route_for, route_name

EVERY = Route(site_id="every")
SLACK = Route(channel="slack", site_id="slack")
TEAM = Route(channel="slack", account="T1", site_id="team")
PLACE = Route(channel="slack", account="T1", conversation="C1", site_id="place")
ANYWHERE = Route(conversation="C1", site_id="anywhere")
PATTERN = Route(channel="slack", account="T*", site_id="pattern")
LONGER = Route(channel="slack", account="T1*", site_id="longer")
ALL = (EVERY, SLACK, TEAM, PLACE, ANYWHERE, PATTERN, LONGER)


@pytest.mark.parametrize(
    ("where", "site"),
    [
        (("slack", "T1", "C1"), "place"),
        (("slack", "T1", "C2"), "team"),
        (("slack", "T12", "C2"), "longer"),
        (("slack", "T2", "C2"), "pattern"),
        (("slack", "E2", "C2"), "slack"),
        (("slack", "E2", "C1"), "anywhere"),
        (("telegram", "1", "C1"), "anywhere"),
        (("telegram", "1", "2"), "every"),
    ],
)
def test_the_most_specific_wins_whatever_the_order(where: tuple[str, str, str], site: str) -> None:
    orders = list(itertools.permutations(ALL))
    for order in random.Random(1).sample(orders, 40):
        name, route = route_for(order, *where)
        assert route.site_id == site
        assert name == route_name(route)


def test_of_two_alike_the_first_counts() -> None:
    twin = Route(channel="slack", account="T1", site_id="twin")
    assert route_for((TEAM, twin), "slack", "T1", "C9")[1].site_id == "team"
    assert route_for((twin, TEAM), "slack", "T1", "C9")[1].site_id == "twin"
    one, two = Route(account="A*", site_id="1"), Route(account="*B", site_id="2")
    assert route_for((two, one), "slack", "AB", "C9")[1].site_id == "2"


def test_all_that_fit_are_explained() -> None:
    fitting = Routes(ALL).fitting("slack", "T1", "C1")
    assert [found.route.site_id for found in fitting] == [
        *("place", "anywhere", "team", "longer", "pattern", "slack", "every")
    ]
    assert [found.why for found in fitting][:4] == [
        "conversation is C1, account is T1, channel is slack",
        "conversation is C1",
        "account is T1, channel is slack",
        "account fits T1*, channel is slack",
    ]
    assert fitting[-1].why == "fits everything"


def test_what_is_kept_in_memory_is_bounded() -> None:
    routes = Routes(ALL)
    for number in range(12_000):
        routes.of("slack", "T9", f"C{number}")
    assert len(routes._known) == 10_000


def test_a_thousand_accounts_are_looked_up_not_searched() -> None:
    """Counted by what is compared, for timings decide no test."""
    routes = Routes([Route(channel="slack", account=f"T{number}", site_id=str(number)) for number in range(1_000)])
    assert routes._patterns == []
    assert routes.of("slack", "T777", "C1")[1].site_id == "777"
    assert len(routes.fitting("slack", "T777", "C1")) == 1


def test_a_name_says_what_the_settings_say() -> None:
    assert route_name(TEAM) == "slack:T1:*"
    assert json.loads(json.dumps(route_name(PLACE))) == "slack:T1:C1"
