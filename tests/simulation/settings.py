"""The settings of a run."""

from __future__ import annotations

import random
from typing import Literal

from pydantic import SecretStr

from bot.config import Access, Config, Feedback, Limits, Retention, Sessions

GOOD = ("👍", "❤")
BAD = ("👎", "💩")


def settings(rng: random.Random, group_scope: str) -> Config:
    """Draw settings that make a run short: people give up sooner here than in the world outside."""
    voters: Literal["everyone", "asker"] = rng.choice(("everyone", "asker"))
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
        poll_budget=rng.choice((15.0, 30.0)),
        give_up=rng.choice((60.0, 120.0, 200.0)),
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
        feedback=Feedback(voters=voters, settle_seconds=rng.choice((2.0, 5.0)), good=GOOD, bad=BAD),
        limits=Limits(
            per_person_per_minute=0,
            waiting_per_session=50,
            open_turns=rng.choice((10000, 10000, 2)),
            question_chars=4000,
            body_bytes=1048576,
        ),
        retention=Retention(text_days=30, count_days=400),
        access=Access(admitted={}, allow=frozenset(), deny=frozenset(), refused="silent"),
        routes=(),
        channels={},
        accounts={},
    )
