"""Runs the real command line in processes of its own, with nothing but what a test gives it."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog
from cyclopts import App

from bot.cli import call

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds to wait for something that takes one or two on an idle machine."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything of ours, and what is given."""
    ours = ("UPPZY_", "BOT_", "SLACK_", "TELEGRAM_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **more}


def uppzy_bot(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment(more), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def command(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in this process, which saves the second that a new one takes to import."""
    stdout, stderr = io.StringIO(), io.StringIO()
    root, level, handlers = logging.getLogger(), logging.getLogger().level, logging.getLogger().handlers[:]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.chdir(cwd)
        for name in os.environ.keys() - environment({}).keys():
            patch.delenv(name)
        for name, value in more.items():
            patch.setenv(name, value)
        code = call(arguments)
    for module in [module for name, module in sys.modules.items() if name.startswith("bot.cli.")]:
        if isinstance(app := getattr(module, "app", None), App) and app.default_command is not None:
            app.help = None  # `completion` loads all commands, and gives each its line in the list of them for good
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.captureWarnings(False)
    structlog.reset_defaults()
    return subprocess.CompletedProcess(arguments, code, stdout.getvalue(), stderr.getvalue())


class Running:
    """A command that runs until it is stopped; keeps what it prints."""

    def __init__(self, *arguments: str, cwd: Path, **more: str) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", *arguments],
            cwd=cwd,
            env=environment(more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=lambda s=stream, k=kept: k.extend(iter(s.readline, "")), daemon=True)
            for stream, kept in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def first_line(self) -> str:
        """Wait for the first line on stdout."""
        wait_for(lambda: self.stdout or self.process.poll() is not None)
        if not self.stdout:
            raise AssertionError(f"it ended with {self.process.returncode}: {''.join(self.stderr)}")
        return self.stdout[0].strip()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.stop()


def wait_for(condition: Callable[[], T]) -> T:
    """Wait until the condition gives something true, and return it."""
    until = time.monotonic() + PATIENCE
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


def get(address: str, **headers: str) -> tuple[int, str]:
    """GET an address: status and body."""
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def post(address: str, body: Mapping[str, Any]) -> Any:
    """POST JSON, return the JSON that comes back."""
    request = urllib.request.Request(
        address, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
        return json.loads(reply.read())
