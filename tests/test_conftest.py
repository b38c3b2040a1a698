"""The rules of `conftest.py`, in a pytest of their own: what is left out, what is skipped, what fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SAMPLE = """
import socket

import pytest


def test_plain(): ...


@pytest.mark.prove
def test_prove(): ...


@pytest.mark.bench
def test_bench(): ...


@pytest.mark.needs_package("no-such-debian-package")
def test_package(): ...


def test_swallows_the_refusal():
    try:
        socket.create_connection(("203.0.113.1", 80), 1)
    except OSError:
        pass
"""


MARKERS = "[pytest]\nmarkers =\n    prove: x\n    bench: x\n    needs_package(name): x\n"


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """Run the sample without any plugin but ours: to load them all takes seconds."""
    (folder / "test_sample.py").write_text(SAMPLE, encoding="utf-8")
    (folder / "pytest.ini").write_text(MARKERS, encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if key not in ("CI", "BOT_PROVE", "BOT_BENCH")}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-v", "-rs"]
    done = subprocess.run(
        [*command, *(arguments or ["test_sample.py"])],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def outcome(output: str, test: str) -> str:
    """Find how a test ended, "" when it was not run."""
    for word in ("PASSED", "SKIPPED", "FAILED", "ERROR"):
        if f"::{test} {word}" in output:
            return word
    return ""


def test_by_default(tmp_path: Path) -> None:
    output = run(tmp_path)
    assert outcome(output, "test_plain") == "PASSED", output
    assert outcome(output, "test_prove") == outcome(output, "test_bench") == ""
    assert "2 deselected" in output
    assert outcome(output, "test_package") == "SKIPPED"
    assert "apt-get install no-such-debian-package" in output
    assert "the network was used" in output, "a refusal that was swallowed fails the test all the same"


@pytest.mark.parametrize(
    ("arguments", "environment", "runs"),
    [
        (["-m", "prove"], {}, {"test_prove"}),
        ([], {"BOT_PROVE": "1"}, {"test_plain", "test_prove"}),
        ([], {"BOT_PROVE": "1", "BOT_BENCH": "1"}, {"test_plain", "test_prove", "test_bench"}),
    ],
)
def test_when_asked_for(tmp_path: Path, arguments: list[str], environment: dict[str, str], runs: set[str]) -> None:
    output = run(tmp_path, *arguments, **environment)
    assert {test for test in ("test_plain", "test_prove", "test_bench") if outcome(output, test)} == runs, output


def test_a_missing_package_fails_where_everything_must_run(tmp_path: Path) -> None:
    output = run(tmp_path, "test_sample.py::test_package", CI="true")
    assert outcome(output, "test_package") in ("FAILED", "ERROR"), output
    assert "apt-get install no-such-debian-package" in output
