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
    assert all(set(entry) == {"id", "title", "status", "ready", "error"} for entry in listed.values())
    assert first["Parking"]["id"] not in listed
    assert listed[again["Parking"]["id"]]["status"] == "active"

    ids = [entry["id"] for entry in again.values()]
    assert cli.json("docs", "deactivate", *ids) == {"ids": ids, "status": "draft"}
    assert {cli.json("docs", "list")[i]["status"] for i in range(2)} == {"draft"}
    assert cli("docs", "activate", ids[0]).stdout == "1 document is active now.\n"
    for verb in ("activate", "deactivate", "delete"):
        done = cli("docs", verb, "nosuch")
        assert (done.returncode, done.stdout) == (1, "")
        assert "no document nosuch" in done.stderr
    done = cli("docs", "activate", ids[0], "nosuch", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (
        1,
        {"ids": ids[:1], "status": "active", "unknown": ["nosuch"]},
    )
    assert cli("docs", "delete", *ids).returncode == 0
    assert cli.json("docs", "list") == []
    assert "no documents" in cli("docs", "list").stdout


def test_what_cannot_be_pushed(cli: Cli) -> None:
    (cli.cwd / "a.txt").write_bytes(b"\x00\x01\x02")
    (cli.cwd / "b.md").write_text("Fine.\n\nThe card is 4111 1111 1111 1111.\n")
    (cli.cwd / "c.exe").write_text("x")
    (cli.cwd / "d.md").write_text("\n")
    results = json.loads(cli("docs", "push", "a.txt", "b.md", "c.exe", "d.md", "--json").stdout)
    assert [entry["result"] for entry in results] == ["failed"] * 4
    words = ("not a text", "line 3 looks like the number of a payment card", "kind", "no text")
    assert [word in entry["error"] for word, entry in zip(words, results, strict=True)] == [True] * 4
    (allowed,) = cli.json("docs", "push", "b.md", "--allow", "b.md")
    assert allowed["result"] == "created"
    assert cli("docs", "delete", allowed["id"]).returncode == 0
    (cli.cwd / "empty").mkdir()
    for path, told in (("empty", "nothing to load"), ("absent", "no file or folder")):
        done = cli("docs", "push", path)
        assert (done.returncode, told in done.stderr) == (1, True)
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


def test_ask_says_at_once_that_nobody_is_there_and_at_the_end_what_was_tried(tmp_path: Path) -> None:
    nobody = Cli("http://127.0.0.1:9/api/v1", tmp_path)
    done = nobody("ask", "anything", "--timeout", "1")
    at_once, at_the_end = done.stderr.splitlines()
    assert done.returncode == 1
    assert "could not be reached" in at_once
    assert "for up to 1 seconds" in at_once
    assert "It was tried" in at_the_end
    assert "could not be reached" in at_the_end


def test_a_session_that_list_shows_can_be_closed(cli: Cli) -> None:
    session = cli.json("ask", "How many steps has the tower?")["session_id"]
    assert cli.json("sessions", "close", session) == {"session_id": session, "closed": True}
    listed = {entry["session_id"]: entry for entry in cli.json("sessions", "list")}
    assert listed[session]["closed_at"] or listed[session]["status"] == "closed"
    again = cli("sessions", "close", session)
    assert (again.returncode, "closed already" in again.stderr) == (1, True)
    unknown = cli("sessions", "close", "nosuch")
    assert (unknown.returncode, "nosuch" in unknown.stderr) == (1, True)


def test_figures(cli: Cli) -> None:
    limits = cli.json("limits")
    assert {"limits", "usage", "used_ratio"} == set(limits)
    assert "messages" in limits["used_ratio"]
    assert {"tenant", "site"} == set(cli.json("stats"))
    assert "messages" in cli("limits").stdout
    assert "tenant" in cli("stats").stdout


def test_figures_of_a_routes_site(cli: Cli, base_url: str) -> None:
    (cli.cwd / "route.key").write_text(KEY)
    routes = [{"channel": "nosuch*"}, {"name": "sales", "site_id": "shop", "api_key_file": "route.key"}]
    own = {"UPPZY_API_KEY": "not-the-api-key", "BOT_ROUTES": json.dumps(routes)}
    for name in ("sales", "2"):
        done = cli("limits", "--route", name, "--json", **own)
        assert "messages" in json.loads(done.stdout)["used_ratio"]
    assert "tenant" in cli("stats", "--route", "sales", **own).stdout
    assert cli("limits", "--route", "1", **own).returncode == 1, "it goes by the settings' own key"
    done = cli("limits", "--route", "nosuch", **own)
    assert (done.returncode, "config show" in done.stderr) == (2, True)


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
        request_id, status = await ask_command._turn(
            client, "s", "anything", None, lambda _: None, ask_command.WaitTrouble(9)
        )
        assert (calls, status.state, bool(request_id)) == (4, "completed", True)
        calls = 0
        outcomes[:] = [OutcomeUnknown("cut"), OutcomeUnknown("cut again"), None]
        with pytest.raises(OutcomeUnknown, match="again"):
            await ask_command._turn(client, "s", "anything", None, lambda _: None, ask_command.WaitTrouble(9))
        assert calls == 2
    finally:
        await client.aclose()
        await running.close()
