"""The suite serves a package that is none of ours: it imports nothing from `tests` and knows no path of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests import PAYLOADS

ROOT: Final = Path(__file__).parents[2]

SOURCES: Final = ("fakes/adapter.py", "fakes/channel.py", "fakes/parts.py", "fakes/preview.py")

CONFTEST: Final = """
import sys
import pytest

pytest.register_assert_rewrite("bot.testing")

def pytest_sessionfinish(session):
    ours = [name for name in sys.modules if name.startswith("adapters.") or name == "tests.fakes"]
    assert not ours, ours
"""

TESTS: Final = """
from pathlib import Path

import pytest

from bot.testing.conformance import AdapterConformance, Wire
from paper.adapter import FAKE
from wire import FakeWire


class TestPaper(AdapterConformance):
    spec = FAKE
    payloads = Path(__file__).parent / "payloads"

    @pytest.fixture
    def wire(self) -> Wire:
        return FakeWire()
"""

PYPROJECT: Final = """
[tool.pytest.ini_options]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
filterwarnings = ["error"]
"""


def package(folder: Path) -> None:
    """Make the package: the channel in memory, moved out of the house."""
    (folder / "paper").mkdir()
    (folder / "paper" / "__init__.py").touch()
    for source in SOURCES:
        text = (ROOT / "tests" / source).read_text(encoding="utf-8").replace("tests.fakes", "paper")
        (folder / "paper" / Path(source).name).write_text(text, encoding="utf-8")
    tests = folder / "tests"
    tests.mkdir()
    wire = (ROOT / "tests/adapters/fake_wire.py").read_text(encoding="utf-8").replace("tests.fakes", "paper")
    (tests / "wire.py").write_text(wire, encoding="utf-8")
    (tests / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tests / "test_paper.py").write_text(TESTS, encoding="utf-8")
    shutil.copytree(PAYLOADS / "fake", tests / "payloads")
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")


def run(folder: Path) -> tuple[int, str]:
    """Run the package's own tests, with the installed core; the project's own `tests` are not to be found."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_package_of_its_own_passes(tmp_path: Path) -> None:
    package(tmp_path)
    code, output = run(tmp_path)
    assert code == 0, output
    assert "skipped" not in output


def test_what_is_wrong_in_it_is_found_and_told(tmp_path: Path) -> None:
    """A task left behind, though the package's folder is not called `adapters`; and asserts that say what they saw."""
    package(tmp_path)
    adapter = tmp_path / "paper" / "adapter.py"
    text = adapter.read_text(encoding="utf-8")
    sign = "        with self.errors():\n            await self.platform.status(conversation, on)\n"
    assert sign in text
    left = "        self.task = asyncio.ensure_future(asyncio.Event().wait())\n"
    named = "        return None if name is None else Person(name=name, email=self.platform.emails.get(user_id))\n"
    assert named in text
    text = text.replace(sign, sign + left).replace(named, "        return Person(name='Nobody at all')\n")
    adapter.write_text(text, encoding="utf-8")
    code, output = run(tmp_path)
    assert code == 1, output
    assert "cancelling run left tasks behind" in output
    assert "'Nobody at all' == 'Uma Ono'" in output
