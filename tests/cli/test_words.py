"""What commands make of the store's documents; and progress, which must not get in the way."""

from __future__ import annotations

import io

import pytest

from bot.cli.output import bar, harmless, progress, reading, table
from bot.cli.trace import story
from bot.errors import Misconfigured, OutcomeUnknown, Unavailable


def test_a_story_is_told_in_order() -> None:
    lines = story(
        {
            "reference": "ABCDEFGH",
            "request_id": None,
            "polls": 3,
            "steps": [{"name": "submit", "seconds": 0.1, "unknowns": 0}, {"name": "send:0", "seconds": None}],
            "messages": [],
            "turn": {"kind": "question", "steps": [{"name": "x"}]},
        }
    )
    assert lines == [
        "reference   ABCDEFGH",
        "polls       3",
        "",
        "steps:",
        "  1. submit, seconds 0.1, unknowns 0",
        "  2. send:0",
        "",
        "turn: question, steps (name x)",
    ]


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
