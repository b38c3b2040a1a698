"""The weekly letter to the operator: figures beside those of the week before, and where to look. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.store.operator import Period

HOUR_OF_DAY = 8
"""UTC, on Mondays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What a letter is made of. `version` runs now, `version_before` when the last letter was written ("" for none)."""

    now: Period
    before: Period
    dead: int = 0
    limits: Mapping[str, float] = field(default_factory=dict)
    version: str = ""
    version_before: str = ""


def week_of(now: float) -> str:
    """Name the week whose letter is due at a time: weeks begin on Mondays at eight, UTC.

    >>> week_of(datetime(2026, 11, 30, 7, 59, tzinfo=UTC).timestamp())
    '2026-W48'
    >>> week_of(datetime(2026, 11, 30, 8, 0, tzinfo=UTC).timestamp())
    '2026-W49'
    """
    year, week, _ = datetime.fromtimestamp(now - HOUR_OF_DAY * 3600, UTC).isocalendar()
    return f"{year}-W{week:02}"


def letter(week: Week) -> str:
    """Write the letter, as Markdown; no words of anybody, references instead."""
    now, before = week.now, week.before
    lines = [
        "**The week**",
        "",
        f"- {_count(now)} question{'' if _count(now) == 1 else 's'}{_than(_count(now), _count(before))}; "
        f"{_answered(now)} answered, {now.outcomes.get('failed', 0)} failed.",
    ]
    if now.median is not None and now.slow is not None:
        than = "" if before.median is None else f" (the week before {before.median:.0f} s)"
        quick, slow = f"{now.median:.0f} s or less{than}", f"{now.slow:.0f} s or more"
        lines.append(f"- Half of the answers took {quick}, one in twenty {slow}.")
    if now.good + now.bad:
        than = "" if not before.good + before.bad else f" (the week before {_share(before)})"
        lines.append(f"- Of {now.good + now.bad} ratings {_share(now)} are good{than}.")
    if now.worst:
        named = ", ".join(f"`{reference}`" for reference in now.worst)
        lines.append(f"- Rated bad last: {named}. See `uppzy-bot trace {now.worst[0]} --text` and `feedback report`.")
    if week.dead:
        lines.append(f"- {week.dead} dead letter{'' if week.dead == 1 else 's'} wait: `uppzy-bot dead list`")
    if week.limits:
        used = ", ".join(f"{name.replace('_', ' ')} {ratio:.0%}" for name, ratio in sorted(week.limits.items()))
        lines.append(f"- Of the plan are used: {used}.")
    if week.version_before and week.version_before != week.version:
        lines.append(f"- Version {week.version} runs now; it was {week.version_before}.")
    return "\n".join(lines)


def _count(span: Period) -> int:
    return sum(span.outcomes.values())


def _answered(span: Period) -> str:
    count = _count(span)
    answered = span.outcomes.get("answered", 0)
    return f"{answered} ({answered / count:.0%})" if count else "0"


def _share(span: Period) -> str:
    return f"{span.good / (span.good + span.bad):.0%}"


def _than(now: int, before: int) -> str:
    if not before:
        return ""
    change = (now - before) / before
    return f" ({change:+.0%} to the week before)" if now != before else " (as many as the week before)"
