"""The tests of the core once more, on PostgreSQL. In short: `test_moving.py` has a bot at work on both."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.needs_package("postgresql")
def test_the_whole_core_suite(tmp_path: Path, record_property: Any) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--basetemp={tmp_path}/core", "tests/bot"]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("BOT_", "PYTEST_"))}
    environ["BOT_TEST_DATABASE"] = "postgresql"
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=3500)
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 250
    record_property("the core on PostgreSQL", {"tests": int(passed[1])})
