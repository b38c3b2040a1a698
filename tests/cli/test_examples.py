"""The example in the help of every command, and all commands of the documentation, called as they stand there, beside a
running bot."""

from __future__ import annotations

import asyncio
import inspect
import re
import shlex
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from cyclopts import App

from bot.cli import COMMANDS
from tests.bot.test_admin import fail_once, operator_of
from tests.cli.process import Running, command
from tests.house import House, a_house

DOCS = Path(__file__).resolve().parents[2] / "docs"
STAY = ("run", "demo", "assistant serve")
"""Commands that run until they are stopped."""
FAILING = ("doctor", "access revoke", "vault rotate")
"""Commands whose example may end with 1: nobody listens where the channel of these settings is, nobody was invited, and
no BOT_ENCRYPTION_KEY is set."""


def examples() -> dict[str, str]:
    """The example of every command, by the command."""
    found = {}
    for name, target, _ in COMMANDS:
        module, _, attribute = target.partition(":")
        made = getattr(import_module(module), attribute)
        inner = {name: made}
        if isinstance(made, App):
            names = [one for one in made if not one.startswith("-")]
            inner = {f"{name} {one}": made[one].default_command for one in names} or {name: made.default_command}
        for path, function in inner.items():
            (found[path],) = re.findall(r"^\s*Example: (uppzy-bot .+)$", inspect.getdoc(function) or "", re.MULTILINE)
    return found


def documented() -> list[tuple[str, str]]:
    """Every command in the shell blocks of the documentation but those of the helps, each once, after its path."""
    known = examples()
    found = {}
    for page in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^uppzy-bot [^#\n]+", block, re.MULTILINE):
                words = line.split()[1:]
                path = next((path for path in known if words[: len(path.split())] == path.split()), words[0])
                found[line.strip()] = path
    return [(path, line) for line, path in found.items() if line != known.get(path)]


def test_the_documentation_names_commands_there_are() -> None:
    assert {path for path, _ in documented()} <= examples().keys()
    assert documented()


def test_every_command_has_one_and_its_help_shows_it(tmp_path: Path) -> None:
    found = examples()
    assert len(found) >= 25
    for path, example in found.items():
        assert example.startswith(f"uppzy-bot {path}")
        shown = " ".join(command(*path.split(), "--help", cwd=tmp_path).stdout.split())
        assert example in shown, path


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path) as made:
        yield made


async def test_each_does_what_it_says(house: House, tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "returns.md").write_text("# Returns\n\nThirty days.\n")
    settings = {
        "UPPZY_BASE_URL": house.assistant.base_url, "UPPZY_API_KEY": "demo", "UPPZY_TENANT_ID": "demo",
        "UPPZY_SITE_ID": "demo", "BOT_DATABASE_URL": house.config.database_url,
        "TELEGRAM_BOT_TOKEN": "123456789:" + "t" * 35, "TELEGRAM_API_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    await house.channel.say("When does the shop open?")
    await house.answers(1)
    await house.idle()
    (session,) = (await house.table("SELECT lane FROM turns WHERE kind='question'"))[0]
    (document, *_) = await house.bot.ctx.api_for("").documents()  # type: ignore[attr-defined]  # the real client
    # What is retried is asked again a second later, which must not be what the next failure is for.
    for path, example in sorted([*examples().items(), *documented()], key=lambda item: item[0] == "dead retry"):
        if path in STAY:
            continue
        reference = ""
        if "REFERENCE" in example:
            async with operator_of(house) as operator:
                reference = await fail_once(house, operator, f"What of {path}?")
        given = example.partition(" > ")[0].replace("SESSION_ID", session).replace("DOCUMENT_ID", str(document.id))
        words = shlex.split(given.replace("REFERENCE", reference))[1:]
        done = await asyncio.to_thread(partial(command, *words, cwd=tmp_path, **settings))
        assert done.returncode == 0 or path in FAILING, (path, done.stderr)
        assert done.stdout or done.stderr, path
        if reference:
            assert reference in done.stdout or path in ("dead retry", "dead purge")
            await asyncio.to_thread(partial(command, "dead", "purge", "--yes", cwd=tmp_path, **settings))


@pytest.mark.parametrize("path", ["demo", "assistant serve"])
def test_those_that_stay_start(path: str, tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    words = shlex.split(examples()[path])[1:]
    if "--port" in words:
        words[words.index("--port") + 1] = "0"
    running = Running(*words, cwd=tmp_path, BOT_HTTP_PORT="0")
    try:
        assert running.first_line()
    finally:
        assert running.stop() == 0
