"""An outbound and its parts, kept together: for when a platform refuses the form of one of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import structlog

from bot.adapter import Adapter, Part
from bot.events import Answer, Outbound
from bot.store.codec import as_json, pack

LONG = 5_000
"""Characters above which an answer is rendered beside the event loop: up to that, a hostile one takes 0.1 s."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of an outbound in its usual form. `outbound` is None for an answer that an older version rendered."""

    outbound: Outbound | None
    parts: Sequence[Part]

    def to_json(self) -> Any:
        """Make a JSON value of an answer and its parts."""
        assert isinstance(self.outbound, Answer)
        return {"answer": as_json(self.outbound), "parts": self.parts}

    @classmethod
    def from_json(cls, stored: Any) -> Self:
        """Read what `to_json` made; an older version stored the parts alone."""
        if isinstance(stored, list):
            return cls(None, stored)
        answer: dict[str, Any] = stored["answer"]
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in answer.items()
        }
        return cls(Answer(**values), stored["parts"])


async def render(adapter: Adapter, outbound: Outbound) -> Rendered:
    """Render in the usual form."""
    return Rendered(outbound, await _run(outbound, partial(adapter.render, outbound)))


async def rest_in_plain_form(adapter: Adapter, rendered: Rendered, sent: int) -> Sequence[Part]:
    """Render in the plain form what comes after the first `sent` parts of the usual one.

    Where the usual form is split otherwise than it was (an upgrade came between), nobody can tell where the rest
    begins: then it is the whole, for better twice than lost.
    """
    outbound = rendered.outbound
    assert outbound is not None

    def work() -> Sequence[Part]:
        after = sent
        if sent and json.loads(pack(list(adapter.render(outbound))[:sent])) != list(rendered.parts[:sent]):
            log.warning("delivery.split_otherwise", channel=adapter.channel)
            after = 0
        return adapter.render(outbound, plain=True, after=after)

    return await _run(outbound, work)


async def _run(outbound: Outbound, work: Callable[[], Sequence[Part]]) -> list[Part]:
    if isinstance(outbound, Answer) and len(outbound.text) > LONG:
        return list(await asyncio.to_thread(work))
    return list(work())
