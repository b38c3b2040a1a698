from __future__ import annotations

import pytest

from tests.telemetry.leaks import WORDS, leaks

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    "line",
    [
        "token xoxb-loopback-bot",
        "xapp-1-A0LOOP-1-loopback",
        "POST https://api.telegram.org/bot123456789:" + "x" * 35,
        "{'Authorization': 'Bearer abc'}",
        'x-api-key: "demo-1"',
        f"question {WORDS[0].lower()}?",
    ],
)
def test_lines_that_leak(line: str) -> None:
    assert leaks(f"fine\n{line}\nfine") == [line]


def test_lines_that_do_not() -> None:
    assert leaks('{"event":"bot.started","at":"2026-01-01T10:00:00Z","session":"k-3_x","channel":"slack"}') == []


def test_a_test_that_leaks_fails_and_is_told_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import logging, sys
        def test_log(): logging.getLogger("x").warning("xoxb-loopback-bot")
        def test_stderr(): print('{"event":"X-API-Key: abc"}', file=sys.stderr)
        def test_file(tmp_path): (tmp_path / "bot.log").write_text("When does the shop open?")
        def test_print(): print("x-api-key: abc")
        def test_fine(tmp_path): (tmp_path / "bot.log").write_text("bot.started")
        """
    )
    result = pytester.runpytest_subprocess("-p", "tests.telemetry.leaks", "-p", "no:xdist", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, errors=3)
    result.stdout.fnmatch_lines(["*logged what no log may hold*"])
