"""The loop of a long-running command."""

from __future__ import annotations

import asyncio
import sys
import types

import pytest

from bot.cli.loop import run_on_loop


class Faster(asyncio.SelectorEventLoop):
    pass


async def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_uvloop_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("uvloop")
    module.new_event_loop = Faster  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvloop", module)
    assert isinstance(run_on_loop(_loop()), Faster)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = run_on_loop(_loop())
    assert not isinstance(loop, Faster)
    assert loop.is_closed()
