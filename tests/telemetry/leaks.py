"""A pytest plugin: whatever any test logs, in its own process or in a `*.log` file of its tmp_path, must hold no
secret and no words of people. It fails the test that leaked; `-p tests.telemetry.leaks` in pyproject turns it on.

Looked for are the shapes of secrets, and the words of questions, answers and reasons that many tests use. Tests of
the telemetry leak on purpose and are left out; their own assertions look at what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

LEAKS_ON_PURPOSE = ("tests/telemetry/",)
WORDS = (
    "When does the shop open",
    "How long do I have to return",
    "Can I return a bicycle",
    "What about helmets",
    "the capital of Mongolia",
    "won the world cup",
)
PATTERN = re.compile(
    r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{6,}|\bxapp-[\w-]{6,}|(?<!\d)\d{6,12}:[\w-]{30,}"
    r"|(?i:authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic)\s+\S+)|(?i:x-api-key['\"]?\s*[:=,]\s*['\"]?[\w-]+)"
    r"|(?i:" + "|".join(map(re.escape, WORDS)) + ")"
)

LOG_LINE = re.compile(r"\{\"|\d{4}-\d\d-\d\d[T ]\d\d:|\s+File \"|[A-Za-z_.]*(Error|Exception)\b")
"""How a line of ours begins: JSON, the console's time, or a traceback."""


def leaks(text: str) -> list[str]:
    """The lines of a log that hold what no log may hold."""
    return [line for line in text.splitlines() if PATTERN.search(line)]


def logged(item: pytest.Item, report: pytest.TestReport) -> str:
    """All that a test has logged: what pytest captured, and the log files of processes that it ran."""
    texts = [text for title, text in report.sections if title.startswith("Captured log")]
    for title, text in report.sections:
        if title.startswith("Captured std"):  # what a fake or a test prints is no log
            texts += [line for line in text.splitlines() if LOG_LINE.match(line)]
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if isinstance(folder, Path):
        texts += [path.read_text(errors="replace") for path in sorted(folder.rglob("*.log"))]
    return "\n".join(texts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the end of each test, when all it logs is there."""
    report = yield
    if call.when == "teardown" and report.passed and not item.nodeid.startswith(LEAKS_ON_PURPOSE):
        found = leaks(logged(item, report))
        if found:
            report.outcome = "failed"
            report.longrepr = "logged what no log may hold:\n" + "\n".join(line[:300] for line in found[:5])
    return report
