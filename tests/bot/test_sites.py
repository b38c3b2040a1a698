"""Several sites and tenants in one process: each question at its own, also after its route leads elsewhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from bot.assistant.accounts import TenantAccount
from bot.assistant.faults import Fault
from tests.fakes.channel import room
from tests.house import a_house, fake_config

OTHER = TenantAccount(id="other", sites=("old", "new"), keys=("key-of-other",))


def routes(folder: Path, *given: dict[str, Any]) -> str:
    (folder / "other.key").write_text("key-of-other\n")
    keyed = {"tenant_id": "other", "api_key_file": str(folder / "other.key")}
    return json.dumps([{**keyed, **one} for one in given])


async def test_a_question_ends_where_it_began(tmp_path: Path) -> None:
    """When the bot starts again its route leads to another site, and the key of the old one is in no setting."""
    secret = "k" * 20
    first = routes(tmp_path, {"conversation": "R-1", "site_id": "old"})
    async with a_house(tmp_path, more=[OTHER], BOT_ROUTES=first, BOT_ENCRYPTION_KEY=secret) as house:
        house.assistant.script(contains="slow", answer="From the old site.", delay=1.0)
        await house.channel.say("slow?", conversation=room("t1"))
        await house.channel.wait_for(lambda: house.assistant.requests.of("chat_async"))
        base_url = house.assistant.base_url
        house.config = fake_config(base_url, tmp_path, BOT_ROUTES="[]", BOT_ENCRYPTION_KEY=secret)
        await house.restart()
        assert [answer.text for answer in await house.answers(1)] == ["From the old site."]
        assert {entry.path.split("/sites/")[1][:3] for entry in house.assistant.requests.of("chat_status")} == {"old"}
        stored = await house.table("SELECT value FROM vault")
        assert stored
        assert not any("key-of-other" in row["value"] for row in stored)
        await house.channel.say("When does the shop open?", conversation=room("t2"))
        await house.answers(2)
        assert "/sites/demo/" in house.assistant.requests.of("chat_async")[-1].path, "what begins now goes the new way"


async def test_one_tenants_limit_holds_back_no_other(tmp_path: Path) -> None:
    first = routes(tmp_path, {"conversation": "R-1", "site_id": "old"})
    async with a_house(tmp_path, more=[OTHER], BOT_ROUTES=first) as house:
        limited = Fault("status", status=429, headers={"Retry-After": "600"})
        house.assistant.faults.add(limited, endpoint="chat_async", times=1)
        await house.channel.say("When does the shop open? held", conversation=room("t1"))
        await house.channel.wait_for(lambda: house.assistant.requests.of("chat_async"))
        async with asyncio.timeout(20):
            for number in range(1, 4):
                await house.channel.say("When does the shop open?", conversation=room(f"t{number}", "R-2"))
                await house.answers(number)
        held = await house.table("SELECT 1 FROM turns WHERE state='open' AND conversation='R-1'")
        assert len(held) == 1


async def test_each_named_route_has_figures_of_its_own(tmp_path: Path) -> None:
    """Turns, calls, ratings, gate and limits; routes of one name together, the rest under one word."""
    given = routes(
        tmp_path,
        {"name": "sales", "conversation": "R-1", "site_id": "old"},
        {"name": "sales", "conversation": "R-2", "site_id": "new"},
        {"conversation": "R-3", "site_id": "new"},
    )
    async with a_house(tmp_path, more=[OTHER], BOT_ROUTES=given) as house:
        for number, place in enumerate(("R-1", "R-2", "R-3", "R-4"), 1):
            await house.channel.say("When does the shop open?", conversation=room(f"t{number}", place))
            await house.answers(number)
        await house.idle()
        assert house.count("route_turns_total", route="sales", outcome="answered") == 2
        assert house.count("route_turns_total", route="default", outcome="answered") == 2
        assert house.count("route_turn_seconds_count", route="sales") == 2
        assert house.count("turns_total", channel="fake", outcome="answered") == 4
        assert house.count("route_api_requests_total", route="sales", status="202") == 2
        await house.bot.limits.read()
        await house.bot.watch.look()
        assert house.count("route_limit_used_ratio", route="sales", limit="messages") > 0
        assert house.count("route_gate_shut", route="sales") == 0
        limited = Fault("status", status=429, headers={"Retry-After": "600"})
        house.assistant.faults.add(limited, endpoint="chat_async", times=1)
        await house.channel.say("held", conversation=room("t9", "R-1"))
        async with asyncio.timeout(20):
            while not house.count("route_gate_shut", route="sales"):
                await asyncio.sleep(0.02)
        # R-3 goes by the same key, without a name; what goes by no route has a key of its own and nothing to wait for.
        assert house.count("route_gate_shut", route="default") == 1
        labels = {value for one in house.metrics.registry.collect() for x in one.samples for value in x.labels.values()}
        assert not labels & {"other", "old", "new", "demo", "R-1", "A1"}, "an id is a label"


async def test_the_limits_of_one_tenant_are_read_though_another_refuses(tmp_path: Path) -> None:
    given = routes(tmp_path, {"name": "sales", "conversation": "R-1", "site_id": "old"})
    async with a_house(tmp_path, more=[OTHER], BOT_ROUTES=given) as house:
        house.assistant.accounts.revoke("demo")
        await house.bot.limits.read()
        await house.bot.watch.look()
        (family,) = house.metrics.route_limit_used_ratio.collect()
        found = family.samples
        assert {one.labels["route"] for one in found} == {"sales"}
        assert house.bot.ctx.problems.of("api")
