"""The commands that speak to the API, against the embedded assistant as a process of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bot.assistant.server import AssistantOptions, start
from bot.cli import ask as ask_command
from tests.cli.process import Running, command

KEY = "cli-test-api-key"


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    cwd = tmp_path_factory.mktemp("assistant")
    running = Running(
        "assistant",
        "serve",
        "--port",
        "0",
        "--delay",
        "0.05",
        "--tenant",
        "acme",
        "--site",
        "shop",
        "--key",
        KEY,
        cwd=cwd,
    )
    try:
        yield running.first_line()
    finally:
        running.kill()


class Cli:
    def __init__(self, base_url: str, cwd: Path) -> None:
        self.cwd = cwd
        self.settings = {
            "UPPZY_BASE_URL": base_url,
            "UPPZY_API_KEY": KEY,
            "UPPZY_TENANT_ID": "acme",
            "UPPZY_SITE_ID": "shop",
        }

    def __call__(self, *arguments: str, **more: str) -> CompletedProcess[str]:
        return command(*arguments, cwd=self.cwd, **{**self.settings, **more})

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.stderr == ""
        return json.loads(done.stdout)


@pytest.fixture
def cli(base_url: str, tmp_path: Path) -> Cli:
    return Cli(base_url, tmp_path)


def test_documents_are_pushed_once_listed_put_aside_and_deleted(cli: Cli) -> None:
    folder = cli.cwd / "folder"
    (folder / ".hidden").mkdir(parents=True)
    (folder / ".hidden" / "x.md").write_text("# No\n")
    (folder / "parking.md").write_text("# Parking\n\nVisitors park behind the mill.\n")
    (folder / "times.csv").write_text("Question,Answer\nWhen does the mill open?,At ten.\nA question alone,\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")

    done = cli("docs", "push", "folder", "--json")
    assert done.returncode == 1  # one row has no answer; the others are loaded
    first = {entry["title"]: entry for entry in json.loads(done.stdout)}
    assert {title: entry["result"] for title, entry in first.items()} == {
        "Parking": "created", "When does the mill open?": "created", "row 3": "failed",
    }  # fmt: skip
    (folder / "times.csv").write_text("question,answer\nWhen does the mill open?,At ten.\n")
    assert {entry["result"] for entry in cli.json("docs", "push", "folder")} == {"unchanged"}

    (folder / "parking.md").write_text("# Parking\n\nVisitors park before the mill.\n")
    again = {entry["title"]: entry for entry in cli.json("docs", "push", "folder", "--active")}
    assert again["Parking"]["result"] == "replaced"
    assert again["Parking"]["id"] != first["Parking"]["id"]
    listed = {entry["id"]: entry for entry in cli.json("docs", "list")}
    assert all(set(entry) == {"id", "title", "status", "ready"} for entry in listed.values())
    assert first["Parking"]["id"] not in listed
    assert listed[again["Parking"]["id"]]["status"] == "active"

    ids = [entry["id"] for entry in again.values()]
    assert cli.json("docs", "deactivate", *ids) == {"ids": ids, "status": "draft"}
    assert {cli.json("docs", "list")[i]["status"] for i in range(2)} == {"draft"}
    assert cli("docs", "activate", ids[0]).stdout == "1 document is active now.\n"
    assert cli("docs", "delete", *ids).returncode == 0
    assert cli.json("docs", "list") == []
    assert "no documents" in cli("docs", "list").stdout


def test_what_cannot_be_pushed(cli: Cli) -> None:
    (cli.cwd / "a.txt").write_bytes(b"\xff\xfe\x00")
    (cli.cwd / "b.csv").write_text("name,price\n1,2\n")
    (cli.cwd / "c.exe").write_text("x")
    results = json.loads(cli("docs", "push", "a.txt", "b.csv", "c.exe", "--json").stdout)
    assert [entry["result"] for entry in results] == ["failed"] * 3
    assert [word in entry["error"] for word, entry in zip(("UTF-8", "columns", "kind"), results, strict=True)] == [
        True
    ] * 3
    (cli.cwd / "empty").mkdir()
    for path, words in (("empty", "nothing to load"), ("absent", "no file or folder")):
        done = cli("docs", "push", path)
        assert (done.returncode, words in done.stderr) == (1, True)
    (cli.cwd / "data").mkdir()
    (cli.cwd / "data" / "documents.json").write_text("{")
    done = cli("docs", "push", "a.txt")
    assert (done.returncode, "documents.json" in done.stderr) == (1, True)


def test_ask(cli: Cli) -> None:
    (cli.cwd / "tower.md").write_text("# Tower\n\nThe tower has ninety-one steps.\n")
    assert cli("docs", "push", "tower.md", "--active").returncode == 0
    answer = cli.json("ask", "How many steps has the tower?")
    assert set(answer) == {"answer", "session_id", "request_id", "seconds"}
    assert "ninety-one" in answer["answer"]
    assert answer["seconds"] > 0
    told = cli("ask", "How", "many", "steps", "has", "the", "tower?", "--session", answer["session_id"])
    assert (told.returncode, "ninety-one" in told.stdout, told.stderr) == (0, True, "")
    session_ids = [entry["session_id"] for entry in cli.json("sessions", "list")]
    assert session_ids.count(answer["session_id"]) == 1


def test_ask_gives_up_and_says_so(cli: Cli) -> None:
    done = cli("ask", "anything", "--timeout", "0.01")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no answer within 0.01 seconds" in done.stderr


def test_figures(cli: Cli) -> None:
    limits = cli.json("limits")
    assert {"limits", "usage", "used_ratio"} == set(limits)
    assert "messages" in limits["used_ratio"]
    assert {"tenant", "site"} == set(cli.json("stats"))
    assert "messages" in cli("limits").stdout
    assert "tenant" in cli("stats").stdout


@pytest.mark.parametrize("arguments", [["limits"], ["ask", "anything"], ["docs", "list"], ["sessions", "list"]])
def test_a_wrong_key_is_one_sentence_that_says_what_to_do(cli: Cli, arguments: list[str]) -> None:
    done = cli(*arguments, UPPZY_API_KEY="not-the-api-key")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "UPPZY_API_KEY" in line
    assert "not-the-api-key" not in line


async def test_ask_submits_once_after_refusals_and_twice_at_most_after_an_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same rules as the bot's: what was not accepted is tried again, what is unknown once more."""
    from pydantic import SecretStr

    from bot.api.client import ApiClient
    from bot.api.gate import Gate
    from bot.errors import OutcomeUnknown, Unavailable

    running = await start(AssistantOptions(port=0, delay=0))
    client = ApiClient(
        base_url=running.base_url, api_key=SecretStr("demo"), tenant_id="demo", site_id="demo", gate=Gate()
    )
    submit, calls = client.submit, 0
    outcomes: list[Exception | None] = []

    async def scripted(session_id: str, message: str, *, language: str | None = None) -> Any:
        nonlocal calls
        calls += 1
        if error := outcomes.pop(0):
            raise error
        return await submit(session_id, message, language=language)

    monkeypatch.setattr(client, "submit", scripted)
    try:
        outcomes[:] = [Unavailable("no", retry_after=0), OutcomeUnknown("cut"), Unavailable("no", retry_after=0), None]
        request_id, status = await ask_command._turn(client, "s", "anything", None, lambda _: None)
        assert (calls, status.state, bool(request_id)) == (4, "completed", True)
        calls = 0
        outcomes[:] = [OutcomeUnknown("cut"), OutcomeUnknown("cut again"), None]
        with pytest.raises(OutcomeUnknown, match="again"):
            await ask_command._turn(client, "s", "anything", None, lambda _: None)
        assert calls == 2
    finally:
        await client.aclose()
        await running.close()
