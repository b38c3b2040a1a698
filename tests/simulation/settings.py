"""The settings of a run."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from bot.config import Access, Config, Feedback, Limits, Retention, Route, Sessions
from tests.simulation.lasting import HERS
from tests.simulation.luck import Luck

GOOD = ("👍", "❤")
BAD = ("👎", "💩")


def settings(luck: Luck, group_scope: str, *, eve: bool) -> Config:
    """Draw settings that make a run short: people give up sooner here than in the world outside.

    Where Eve is, her place has a route of its own: another site, with another key.
    """
    everyone: Literal["everyone", "asker"] = "everyone"
    voters = luck.option("voters", everyone, lambda dice: dice.choice(("everyone", "asker")))
    return Config(
        base_url="https://api.invalid",
        api_key=SecretStr("key"),
        tenant_id="t",
        site_id="s",
        database_url="sqlite:///sim",
        http_host="127.0.0.1",
        http_port=0,
        secret=None,
        encryption_keys=(),
        status_token=None,
        poll_budget=luck.option("poll budget", 30.0, lambda dice: dice.choice((15.0, 30.0))),
        give_up=luck.option("give up", 120.0, lambda dice: dice.choice((60.0, 120.0, 200.0))),
        drain_seconds=10.0,
        log_format="json",
        log_level="info",
        sessions=Sessions(
            scopes={
                ("lookup", "dm"): "user",
                ("lookup", "channel"): "thread",
                ("blind", "private"): "user",
                ("blind", "group"): "conversation" if group_scope == "all" else "user",
            },
            idle_hours=24.0,
            id="opaque",
        ),
        feedback=Feedback(
            voters=voters,
            settle_seconds=luck.option("settle window", 5.0, lambda dice: dice.choice((2.0, 5.0))),
            good=GOOD,
            bad=BAD,
        ),
        limits=Limits(
            per_person_per_minute=luck.option("questions a minute", 0, lambda dice: dice.choice((0, 0, 20))),
            waiting_per_session=50,
            open_turns=luck.option("open turns", 10000, lambda dice: 2 if not eve and dice.unit() < 0.3 else 10000),
            question_chars=4000,
            body_bytes=1048576,
        ),
        retention=Retention(text_days=30, count_days=400),
        access=Access(admitted={}, allow=frozenset(), deny=frozenset(), refused="silent"),
        routes=(Route(conversation=HERS, site_id="hers"),) if eve else (),
        channels={},
        accounts={},
    )
