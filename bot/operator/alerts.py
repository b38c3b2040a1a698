"""What the operator is told of what is wrong, and when: together, seldom, and again when it is over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.operator.conditions import Condition

GAP: Final = 300.0
"""Seconds between two messages at least: what comes and goes meanwhile is told in one."""
REMIND: Final = 86_400.0
"""Seconds after which is told again what is wrong all the time."""
OVER: Final = 60.0
"""Seconds that something must be gone before it is over."""
MOST: Final = 10
"""Lines of a message at most."""


@dataclass(slots=True, kw_only=True)
class _Known:
    """One thing that is, or was, wrong. Times in seconds since the epoch; `told_at` None: nobody was told."""

    since: float
    seen_at: float
    sentence: str
    command: str
    told_at: float | None = None


@dataclass(slots=True)
class AlertBook:
    """Remembers what was told. `message` says what is to be told now; `sent` is called when it has arrived."""

    _known: dict[str, _Known] = field(default_factory=dict)
    _last_at: float = 0.0
    _pending: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))

    def message(self, found: Sequence[Condition], now: float) -> str | None:
        """Take in what is wrong now; return what is to be told, as Markdown, None for nothing."""
        for condition in found:
            known = self._known.setdefault(
                condition.key,
                _Known(since=now, seen_at=now, sentence=condition.sentence, command=condition.command),
            )
            known.seen_at, known.sentence, known.command = now, condition.sentence, condition.command
        steady = {condition.key: condition.steady for condition in found}
        self._forget_untold(steady, now)
        if now - self._last_at < GAP:
            return None
        new = [key for key in steady if self._is_due(self._known[key], steady[key], now)]
        over = [
            key
            for key, known in self._known.items()
            if key not in steady and known.told_at is not None and now - known.seen_at >= OVER
        ]
        self._pending = (new, over)
        return self._text(new, over) if new or over else None

    def sent(self, now: float) -> None:
        """Note that the last message was told."""
        new, over = self._pending
        for key in new:
            self._known[key].told_at = now
        for key in over:
            del self._known[key]
        self._last_at, self._pending = now, ([], [])

    def to_json(self) -> dict[str, Any]:
        """Make a JSON value of what was told, so that a restart neither repeats it nor forgets that it is over."""
        told = {
            key: [known.since, known.seen_at, known.sentence, known.command, known.told_at]
            for key, known in self._known.items()
            if known.told_at is not None
        }
        return {"told": told, "last_at": self._last_at}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> AlertBook:
        """Read what `to_json` made."""
        known = {
            key: _Known(since=value[0], seen_at=value[1], sentence=value[2], command=value[3], told_at=value[4])
            for key, value in stored["told"].items()
        }
        return cls(known, stored["last_at"])

    def _is_due(self, known: _Known, steady: float, now: float) -> bool:
        if known.told_at is None:
            return now - known.since >= steady
        return now - known.told_at >= REMIND

    def _forget_untold(self, present: Collection[str], now: float) -> None:
        """What went before anybody was told was nothing."""
        gone = [
            key
            for key, known in self._known.items()
            if key not in present and known.told_at is None and now - known.seen_at >= OVER
        ]
        for key in gone:
            del self._known[key]

    def _text(self, new: Sequence[str], over: Sequence[str]) -> str:
        lines = []
        if new:
            lines += ["**Something needs you:**", ""]
            lines += [self._line(self._known[key]) for key in new[:MOST]]
            if len(new) > MOST:
                lines.append(f"- … and {len(new) - MOST} more: `uppzy-bot doctor`")
        if over:
            lines += [*([""] if lines else []), "**Over:**", ""]
            lines += [self._over(self._known[key]) for key in over[:MOST]]
        return "\n".join(lines)

    @staticmethod
    def _line(known: _Known) -> str:
        again = "" if known.told_at is None else " (still)"
        return f"- {known.sentence}{again} `{known.command}`"

    @staticmethod
    def _over(known: _Known) -> str:
        minutes = max(1, round((known.seen_at - known.since) / 60))
        return f"- {known.sentence} It lasted {minutes} minute{'' if minutes == 1 else 's'}."
