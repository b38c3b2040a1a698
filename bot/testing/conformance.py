"""The contract of `bot/adapter.py` as tests. See `wire.py` for what a channel brings, and the package for how to begin.

Every adapter subclasses `AdapterConformance`, gives its `spec`, the folder of its `payloads` and the fixture `wire`,
and passes all of it but what follows from `spec.lacks`. The clauses stand in `clauses_in.py` (what comes in),
`clauses_out.py` (what goes out), `clauses_plain.py` (the plain form), `clauses_ask.py` (what can be asked for),
`clauses_spec.py` (what it says of itself) and here (life and death of an adapter).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.adapter import ChannelSpec
from bot.testing import payload_files
from bot.testing.capabilities import left_out
from bot.testing.clauses_ask import AskClauses
from bot.testing.clauses_in import InboundClauses
from bot.testing.clauses_out import OutboundClauses
from bot.testing.clauses_plain import PlainClauses
from bot.testing.clauses_spec import SpecClauses
from bot.testing.live import running
from bot.testing.wire import FailHow, Posted, Wire

__all__ = ["AdapterConformance", "FailHow", "Posted", "Wire"]


class AdapterConformance(InboundClauses, OutboundClauses, PlainClauses, AskClauses, SpecClauses):
    """Base of a channel's conformance tests. `payloads`: the folder of its recorded payload files."""

    spec: ChannelSpec
    payloads: Path

    def __init_subclass__(cls, **options: Any) -> None:
        """Leave out the clauses of what the channel lacks: pytest collects no None."""
        super().__init_subclass__(**options)
        spec = getattr(cls, "spec", None)
        for name in left_out(AdapterConformance, spec.lacks) if spec else ():
            setattr(cls, name, None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each recorded payload."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", payload_files.load(self.payloads), ids=lambda case: case.name)

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
            if "reactions" not in self.spec.lacks:
                (event,) = await live.receive(wire.reaction_to(ref))
                assert getattr(event, "target", None) == ref
            await live.do(live.adapter.mark(ref, "good"))
            await live.do(live.adapter.working(wire.conversation, wire.question, False))
            await live.do(live.adapter.delete(ref))
            assert (ref in wire.deleted()) == ("deletions" not in self.spec.lacks)

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
