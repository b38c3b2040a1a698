"""The contract of `bot/adapter.py` as tests. See `wire.py` for what a channel brings.

Every adapter subclasses `AdapterConformance`, gives its `spec`, the folder of its `payloads` and the fixture `wire`,
and passes all of it. The
clauses stand in `clauses_in.py` (what comes in) and `clauses_out.py` (what goes out).
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.adapter import ChannelSpec
from bot.testing import payload_files
from bot.testing.clauses_in import Inbound
from bot.testing.clauses_out import Outgoing
from bot.testing.live import running
from bot.testing.wire import FailHow, Posted, Wire

__all__ = ["AdapterConformance", "FailHow", "Posted", "Wire"]


class AdapterConformance(Inbound, Outgoing):
    """Base of a channel's conformance tests. `payloads`: the folder of its recorded payload files."""

    spec: ChannelSpec
    payloads: Path

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each recorded payload."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", payload_files.load(self.payloads), ids=lambda case: case.name)

    async def test_registered_under_the_name_it_carries(self, wire: Wire) -> None:
        spec = self.spec
        adapter = wire.build()
        module, _, name = spec.adapter.partition(":")
        assert adapter.channel == spec.name == wire.conversation.channel
        assert getattr(importlib.import_module(module), name) is type(adapter)
        assert issubclass(spec.settings, BaseModel)
        assert wire.conversation.kind in spec.scopes
        assert wire.thread.kind in spec.scopes
        assert all(scopes for scopes in spec.scopes.values())
        for rule in spec.access:
            assert rule.default in rule.values

    async def test_cancelling_run_leaves_no_task_behind(self, wire: Wire) -> None:
        """In the middle of everything: a sign of work on, an event being handled."""
        async with running(wire) as live:
            await live.receive(wire.message("one"))
            await live.send("An answer.")
            await live.do(live.adapter.working(wire.conversation, wire.question, True))
        async with running(wire) as live:
            await live.receive(wire.message("two"))

    async def test_a_restart_loses_nothing_the_adapter_needs(self, wire: Wire) -> None:
        """It holds no state: what one adapter sent, its successor marks, deletes, and gets reactions to."""
        async with running(wire) as live:
            (ref,) = await live.send("An answer.")
        async with running(wire) as live:
            (event,) = await live.receive(wire.reaction_to(ref))
            assert getattr(event, "target", None) == ref
            await live.do(live.adapter.mark(ref, "good"))
            await live.do(live.adapter.working(wire.conversation, wire.question, False))
            await live.do(live.adapter.delete(ref))
            assert ref in wire.deleted()

    async def test_check_names_the_account(self, wire: Wire) -> None:
        """Also where nothing runs, as `doctor` asks."""
        found = [list(await wire.build().check())]
        async with running(wire) as live:
            found.append(list(await live.do(live.adapter.check())))
        for checks in found:
            assert any(wire.account_name in check.detail for check in checks), checks
            assert not [check for check in checks if check.status == "fail"], checks

    @pytest.mark.parametrize("how", ["bad_token", "refused"])
    async def test_check_raises_nothing(self, wire: Wire, how: FailHow) -> None:
        if how in wire.cannot_fail:
            assert wire.cannot_fail[how], "the reason is missing"
            return
        await wire.fail(how)
        failed = [check for check in await wire.build().check() if check.status == "fail"]
        assert failed, "a platform that cannot be used is a fail"
        assert all(check.detail and check.fix for check in failed), "a fail says what to do"
