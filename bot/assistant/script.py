"""Answers written by a test or a demo, instead of those found in documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Line:
    """What to answer to which questions; `hits` counts how often it did."""

    contains: str
    answer: str | None
    delay: float | None
    error: str | None
    times: int | None
    hits: int = 0


class Script:
    """The first line that matches and is not used up answers."""

    def __init__(self) -> None:
        self._lines: list[Line] = []

    def add(
        self,
        *,
        contains: str = "",
        answer: str | None = None,
        delay: float | None = None,
        error: str | None = None,
        times: int | None = None,
    ) -> Line:
        """Answer questions that contain a text (any case; "" matches all) with Markdown as given.

        Without `answer` the documents answer, only later; `delay` in seconds replaces the service's own; `error` lets
        the request fail with that text; `times` None is for ever.
        """
        line = Line(contains, answer, delay, error, times)
        self._lines.append(line)
        return line

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()

    def take(self, message: str) -> Line | None:
        """The line for a question, counted as used."""
        for line in self._lines:
            if line.contains.lower() in message.lower() and (line.times is None or line.hits < line.times):
                line.hits += 1
                return line
        return None
