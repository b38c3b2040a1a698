"""Two channels of other people, installed beside the core from a copy outside the repository, in an empty folder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.cli.process import PATIENCE, Running, environment, get, uppzy_bot, wait_for

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
NAMES: Final = ("gull", "pigeon")
API: Final = {"UPPZY_API_KEY": "demo", "UPPZY_TENANT_ID": "demo", "UPPZY_SITE_ID": "demo"}
GULL: Final = {"GULL_TOKEN": "gull-token", "GULL_WEBHOOK_SECRET": "gull-secret"}
QUESTION: Final = "Which key opens the shed?"
DOCUMENT: Final = "# The shed\n\nThe vermilion key opens the shed.\n"
STARTED: Final = re.compile(r'"url": ?"([^"]+)/"')


@dataclass(frozen=True)
class Installed:
    """`copies`: the folder of the packages' sources. `site`: where pip has put them."""

    copies: Path
    site: Path

    def uppzy_bot(self, *arguments: str, cwd: Path, **more: str) -> CompletedProcess[str]:
        """Run a command of the bot to its end, with the two installed."""
        return uppzy_bot(*arguments, cwd=cwd, PYTHONPATH=str(self.site), **more)

    def running(self, *arguments: str, cwd: Path, **more: str) -> Running:
        """Start a command of the bot, with the two installed."""
        return Running(*arguments, cwd=cwd, PYTHONPATH=str(self.site), **more)


class LoopbackGull:
    """The package's own gull as a process: what a person says goes in, what becomes of it comes out, line by line."""

    def __init__(self, installed: Installed, cwd: Path) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, str(installed.copies / "gull" / "tests" / "loopback.py")],
            cwd=cwd,
            env=environment({"PYTHONPATH": str(installed.site)}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.lines.extend(iter(self._process.stdout.readline, ""))

    @property
    def url(self) -> str:
        """Where it listens: the first line."""
        wait_for(lambda: self.lines or self._process.poll() is not None)
        assert self.lines[:1], "it ended without a word"
        return self.lines[0].strip()

    def say(self, text: str) -> None:
        """Be a person who writes to the bot."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def posted(self) -> list[str]:
        """List the texts that the bot has posted."""
        told = [line.partition(": ")[2] for line in self.lines if line.startswith("gullbot: ")]
        return [str(json.loads(message)["text"]) for message in told]

    def stop(self) -> None:
        """End it: it listens as long as somebody may say something."""
        try:
            self._process.communicate(timeout=PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("outside")
    assert not folder.resolve().is_relative_to(ROOT)
    for name in NAMES:
        shutil.copytree(HERE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    done = subprocess.run(
        [*pip, *offline, *(str(folder / name) for name in NAMES)],
        cwd=folder, env=environment({}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Installed(folder, site)


@pytest.fixture(scope="module")
def gull(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackGull]:
    process = LoopbackGull(installed, tmp_path_factory.mktemp("gull"))
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def settings(gull: LoopbackGull, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings of a bot on the loopback gull, before an assistant that knows one document."""
    cwd = tmp_path_factory.mktemp("assistant")
    (cwd / "docs").mkdir()
    (cwd / "docs" / "shed.md").write_text(DOCUMENT, encoding="utf-8")
    assistant = Running("assistant", "serve", "--port", "0", "--docs", "docs", "--delay", "0", cwd=cwd)
    try:
        yield {**API, **GULL, "UPPZY_BASE_URL": assistant.first_line(), "GULL_API_URL": gull.url, "BOT_HTTP_PORT": "0"}
    finally:
        assistant.kill()


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass_and_none_is_skipped(installed: Installed, tmp_path: Path, name: str) -> None:
    kept = {variable: value for variable, value in environment({}).items() if not variable.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         str(installed.copies / name / "tests")],
        cwd=tmp_path, env={**kept, "PYTHONPATH": str(installed.site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"\d+ passed in .*", done.stdout.splitlines()[-1]), done.stdout
    assert list(tmp_path.iterdir()) == []


def test_its_settings_are_shown(installed: Installed, tmp_path: Path) -> None:
    done = installed.uppzy_bot("config", "show", "--json", cwd=tmp_path, **GULL)
    assert (done.returncode, done.stderr) == (0, "")
    shown = {setting["name"]: setting["value"] for setting in json.loads(done.stdout)}
    assert shown["GULL_TOKEN"] == shown["GULL_WEBHOOK_SECRET"] == "•••"
    assert {"GULL_API_URL", "PIGEON_TOKEN", "PIGEON_API_URL"} <= shown.keys()
    assert shown["BOT_SESSIONS__GULL_ROOM"] == "thread"
    assert shown["BOT_SESSIONS__PIGEON_SMS"] == "user"
    assert "BOT_ACCESS__GULL_GUESTS" in shown


@pytest.mark.parametrize("command", [("config", "check"), ("run",)])
def test_without_a_token_their_variables_are_named(
    installed: Installed, tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = installed.uppzy_bot(*command, cwd=tmp_path, **API)
    assert done.returncode == 1
    expected = "GULL_TOKEN or PIGEON_TOKEN or SLACK_BOT_TOKEN or TELEGRAM_BOT_TOKEN: the token of at least one channel"
    assert expected in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_half_of_its_settings_are_a_sentence(installed: Installed, tmp_path: Path) -> None:
    done = installed.uppzy_bot("config", "check", cwd=tmp_path, **API, GULL_TOKEN=GULL["GULL_TOKEN"])
    assert done.returncode == 1
    assert "GULL_WEBHOOK_SECRET: " in done.stdout + done.stderr


def test_a_manifest_is_printed(installed: Installed, tmp_path: Path) -> None:
    done = installed.uppzy_bot("manifest", "gull", "--url", "https://bot.example.org", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["webhook"] == "https://bot.example.org/gull/webhook"


def test_no_manifest_is_a_sentence(installed: Installed, tmp_path: Path) -> None:
    done = installed.uppzy_bot("manifest", "pigeon", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "There is no manifest for pigeon; there is one for gull and slack and telegram.\n"


def test_doctor_finds_the_account(installed: Installed, tmp_path: Path, settings: dict[str, str]) -> None:
    done = installed.uppzy_bot("doctor", "--json", cwd=tmp_path, **settings)
    checks = {check["check"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert (checks["gull"]["status"], checks["gull"]["detail"]) == ("ok", "@gullbot of the account A1.")
    assert "api question" not in checks, "only --smoke asks one"


def test_a_question_is_answered(
    installed: Installed, tmp_path: Path, settings: dict[str, str], gull: LoopbackGull
) -> None:
    """The webhook is registered by the manifest, as at any platform."""
    bot = installed.running("run", cwd=tmp_path, BOT_LOG_FORMAT="json", **settings)
    try:
        wait_for(lambda: STARTED.search("".join(bot.stderr)) or bot.process.poll() is not None)
        started = STARTED.search("".join(bot.stderr))
        assert started, "".join(bot.stderr)
        done = installed.uppzy_bot("manifest", "gull", "--apply", "--url", started[1], cwd=tmp_path, **settings)
        assert done.stdout == "The webhook and its events were set.\n", done.stderr
        gull.say(QUESTION)
        wait_for(gull.posted)
        assert "vermilion" in gull.posted()[0]
        assert "delivered: 200\n" in gull.lines
        assert bot.stop() == 0
    finally:
        bot.kill()
    assert "Traceback" not in "".join(bot.stderr)


def test_the_preview_has_a_column(installed: Installed, tmp_path: Path) -> None:
    """Of a channel that brings a preview."""
    demo = installed.running("demo", cwd=tmp_path, BOT_HTTP_PORT="0")
    try:
        status, page = get(f"{demo.first_line()}preview")
        assert status == 200
        assert "<h2>Gull</h2>" in page
        assert "<h2>Pigeon</h2>" not in page
        assert demo.stop() == 0
    finally:
        demo.kill()
