"""What commands make of the store's documents; and progress, which must not get in the way."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.cli.dead import told
from bot.cli.output import bar, harmless, listing, progress, reading, table
from bot.cli.trace import story
from bot.errors import Misconfigured, OutcomeUnknown, Unavailable

TURN = {
    "reference": "ABCDEFGH", "kind": "question", "channel": "slack", "account": "T1", "conversation": "C1",
    "session_id": "s-1", "request_id": "r-1", "state": "done", "outcome": "answered", "reason": None,
    "accepted_at": "2026-05-01T09:00:00.000Z", "finished_at": "2026-05-01T09:00:04.500Z", "polls": 3, "attempts": 2,
    "steps": [
        {"name": "submit:0", "started_at": "2026-05-01T09:00:00.100Z", "seconds": 0.4, "unknowns": 1},
        {"name": "send:1", "started_at": "2026-05-01T09:00:04.000Z", "seconds": None, "unknowns": 0},
    ],
    "context": [{"kind": "reply", "outcome": "used", "chars": 12}], "messages": [],
    "rating": "bad", "submitted": "good", "feedback": "already_rated",
}  # fmt: skip
NOW = 1_777_626_000.0 + 120


def test_a_story_is_told_in_order_and_in_words() -> None:
    assert story(TURN, NOW) == [
        "Question ABCDEFGH (slack, account T1, conversation C1)",
        "  session s-1, request r-1",
        "  accepted 2026-05-01 09:00:00 UTC, 2 minutes ago",
        "  along went: reply (used, 12 characters)",
        "     +0.50 s  the API took the question, after 400 ms; once nobody could tell what became of it [submit:0]",
        "     +4.00 s  begun, not known to be done: part 2 of the answer was sent [send:1]",
        "  answered after 4.5 s, 3 polls, 2 attempts",
        "  rated bad; at the API: good was submitted (already_rated)",
    ]


def test_a_dead_letter_says_what_can_be_done() -> None:
    letter = {"reference": "ABCDEFGH", "channel": "slack", "kind": "turn", "reason": "Nobody listens.", "turn": TURN}
    what, to_do, _, first, *_ = told({**letter, "at": "2026-05-01T09:00:05Z"}, NOW)
    assert what == "A question without an answer, slack, 1 minute ago: Nobody listens."
    assert to_do == "To try it again: uppzy-bot dead retry ABCDEFGH"
    assert first.startswith("Question ABCDEFGH")
    payload = {**letter, "kind": "payload", "turn": None, "payload": "{", "at": "2026-05-01T09:00:05Z"}
    assert told(payload, NOW)[1:] == [
        "To throw it away: uppzy-bot dead purge ABCDEFGH", "", "What was delivered:", "  {",
    ]  # fmt: skip


def test_a_narrow_terminal_gets_a_row_a_paragraph(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    monkeypatch.setenv("COLUMNS", "30")
    table(("reference", "what", "why", "when"), [("A", "b", "c", "d"), ("E", "f", "g", "h")], empty="")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == ["reference  A", "what       b", "why        c", "when       d", "", "reference  E"]


def test_texts_of_others_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert harmless("a\x1b]0;title\x07\u202eb\r\nc") == "a]0;titleb\nc"
    table(("x", "y"), [("[bold]\x1b[31m", None), (True, 1234.5)], empty="")
    out = capsys.readouterr().out
    assert "[bold][31m" in out
    assert "\x1b" not in out
    assert "1,234.5" in out
    table(("x",), [], empty="Nothing.")
    assert capsys.readouterr().out == "Nothing.\n"


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working") as words, bar(3, "loading") as advance:
        words("still working")
        advance(1)
    assert capsys.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_goes_to_stderr_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with bar(3, "loading") as advance:
        advance(3)
    with progress("working"):
        pass
    assert "loading" in terminal.getvalue()
    assert capsys.readouterr().out == ""


async def test_reads_are_tried_again_as_the_api_asks() -> None:
    calls: list[int] = []

    async def flaky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise OutcomeUnknown("cut") if len(calls) == 2 else Unavailable("no", retry_after=0)
        return "done"

    assert await reading(flaky) == "done"
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("error", "repeatable"),
    [(Misconfigured("401"), True), (Unavailable("no", retry_after=3600), True), (OutcomeUnknown("cut"), False)],
)
async def test_what_is_not_tried_again(error: Exception, repeatable: bool) -> None:
    calls: list[int] = []

    async def failing() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        await reading(failing, repeatable=repeatable)
    assert len(calls) == 1


async def test_a_list_is_printed_as_its_pages_come(capsys: pytest.CaptureFixture[str]) -> None:
    """A million rows must not wait in memory for the last one."""

    async def pages(*sizes: int) -> AsyncIterator[list[dict[str, Any]]]:
        number = 0
        for size in sizes:
            yield [{"reference": f"R{number + n}", "rating": None} for n in range(size)]
            number += size
            assert f"R{number - 1}" in capsys.readouterr().out, "it was not printed before the next page was read"
            printed.append(number)

    printed: list[int] = []
    for as_json in (True, False):
        assert await listing(pages(2, 1), ("reference", "rating"), as_json=as_json, empty="none") == 3
    assert printed == [2, 3, 2, 3]
    capsys.readouterr()

    async def one() -> AsyncIterator[list[dict[str, Any]]]:
        yield [{"a": "é\n"}, {"a": [1]}]
        yield [{"a": None}]

    assert await listing(one(), ("a",), as_json=True, empty="none") == 3
    assert json.loads(capsys.readouterr().out) == [{"a": "é\n"}, {"a": [1]}, {"a": None}]
    for as_json, shown in ((True, "[]\n"), (False, "none\n")):
        assert await listing(pages(), ("a",), as_json=as_json, empty="none") == 0
        assert capsys.readouterr().out == shown
