"""The processes of one database on the status page, where there are several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bot.web.pieces import duration, number, pill, rows_of

SILENT = 60.0
"""Seconds after which a process that is not heard of is shown so; each is heard of every 15."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One of several processes of a database. `ago`: seconds since it was heard of; `wrong`: what it says of itself."""

    name: str
    version: str
    open_turns: int
    ago: float
    up: float
    wrong: str = ""


def processes_of(said: Mapping[str, Mapping[str, Any]], now: float) -> list[Process]:
    """Read what the processes of the database say of themselves, by their names; see `bot.operator.watch`."""
    return [
        Process(
            name=name,
            version=str(one["version"]),
            open_turns=int(one["open"]),
            ago=max(0.0, now - one["at"]),
            up=max(0.0, one["at"] - one["began_at"]),
            wrong=str(one["wrong"]),
        )
        for name, one in said.items()
    ]


def processes_table(found: Sequence[Process]) -> str:
    """Show every process that works on the same database; one that is not heard of any more is named."""
    if len(found) < 2:
        return ""
    rows = (
        (
            escape(one.name),
            escape(one.version),
            number(one.open_turns),
            duration(one.up),
            pill("unavailable", f"not heard of for {duration(one.ago)}")
            if one.ago > SILENT
            else escape(one.wrong) or pill("ok", "ok"),
        )
        for one in found
    )
    return rows_of("Processes", ("process", "version", "turns open", "up", "what is wrong"), rows)
