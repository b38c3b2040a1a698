"""The contract of `bot/adapter.py` as tests. See `wire.py` for what a channel brings.

Every adapter subclasses `AdapterConformance`, gives `channel` and the fixture `wire`, and passes all of it.
"""

from __future__ import annotations

from tests.adapters.wire import FailHow, Posted, Wire

__all__ = ["AdapterConformance", "FailHow", "Posted", "Wire"]


class AdapterConformance:
    """Base of a channel's conformance tests."""

    channel: str
