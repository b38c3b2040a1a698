"""Exit codes, one sentence per error, help that imports nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from tests.cli.process import Running, command, environment, uppzy_bot

GROUPS = ("docs", "sessions", "feedback", "dead", "config", "assistant")


def test_help_names_every_command_and_loads_none_of_them(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom bot.cli import call\n"
        "assert call(['--help']) == 0\n"
        "heavy = 'bot.app aiohttp httpx pydantic slack_sdk telegram structlog'\n"
        "assert not set(heavy.split()) & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment({}), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("│ ") and line[2].isalpha()]
    assert shown == [name for name, _, _ in COMMANDS]


@pytest.mark.parametrize("group", GROUPS)
def test_help_of_a_group_and_of_its_commands(tmp_path: Path, group: str) -> None:
    done = command(group, "--help", cwd=tmp_path)
    assert done.returncode == 0
    inner = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert inner
    for name in inner:
        assert command(group, name, "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["dead", "shw"], "show"),
        (["ask", "--jsn", "x"], "--json"),
        (["trace"], "REFERENCE"),
        (["docs", "delete"], "IDS"),
        (["assistant", "serve", "--port", "70000"], "--port"),
        (["assistant", "serve", "--delay", "soon"], "--delay"),
        (["ask", "x", "--timeout", "0"], "--timeout"),
        (["sessions", "forget"], "--user"),
        (["ask"], "question"),
        (["demo", "company"], "company"),
    ],
)
def test_wrong_usage_is_2_and_one_line(tmp_path: Path, arguments: list[str], named: str) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert named in line
    assert line.startswith(("Unknown", "Invalid", "Command", "Parameter", "There is no question", "Not expected here"))
    assert "--help" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["manifest", "foo"], "foo"),
        (["manifest", "slack", "--mode", "http"], "--url"),
        (["sessions", "forget", "--user", "me"], "CHANNEL:ACCOUNT:USER"),
        (["docs", "draft"], "--from-feedback"),
    ],
)
def test_wrong_usage_that_the_parser_cannot_see_is_2_too(tmp_path: Path, arguments: list[str], named: str) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert named in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["dead", "list"], ["dead", "show", "AAAAAAAA"], ["dead", "purge", "--yes"], ["dead", "retry", "AAAAAAAA"],
        ["feedback", "list"], ["feedback", "report"], ["trace", "AAAAAAAA"], ["sessions", "show", "s"],
        ["sessions", "forget", "--user", "slack:T1:U1"], ["docs", "draft", "--from-feedback"],
    ],
)  # fmt: skip
def test_no_database_is_made_and_the_one_that_was_looked_for_is_named(tmp_path: Path, arguments: list[str]) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert str(tmp_path / "data" / "bot.db") in line
    assert list(tmp_path.iterdir()) == []


def test_migrate_says_that_it_made_a_new_database(tmp_path: Path) -> None:
    done = command("migrate", cwd=tmp_path)
    assert done.returncode == 0
    assert " ".join(done.stdout.split()) == f"There was no database; a new one was made at {tmp_path / 'data/bot.db'}."
    assert "BOT_DATABASE_URL" in done.stderr
    assert command("migrate", cwd=tmp_path).stdout == "The database is up to date.\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(tmp_path: Path, shell: str) -> None:
    done = command("completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    for name, _, _ in COMMANDS:
        assert name in done.stdout
    for word in ("forget", "--from-feedback", "--dry-run"):
        assert word in done.stdout.replace("-l '", "-l '--").replace("-l ", "--").replace("--'--", "--")


def test_demo_says_when_no_channel_is_turned_on(tmp_path: Path) -> None:
    running = Running("demo", "--channels", cwd=tmp_path, BOT_HTTP_PORT="0")
    try:
        running.first_line()
        assert "SLACK_BOT_TOKEN or TELEGRAM_BOT_TOKEN" in "".join(running.stderr)
    finally:
        running.stop()


def test_doctor_without_settings_says_where_a_channel_gets_its_token(tmp_path: Path) -> None:
    done = command("doctor", cwd=tmp_path)
    assert done.returncode == 1
    *_, found, fix = done.stdout.splitlines()
    assert found == "warn  channels: No channel is turned on: its token is missing."
    for words in ("SLACK_BOT_TOKEN: uppzy-bot manifest slack", "TELEGRAM_BOT_TOKEN: Write /newbot to @BotFather"):
        assert words in fix
    for token in ("1:a", "no token"):  # one that is wrong is no missing one
        told = command("doctor", cwd=tmp_path, TELEGRAM_BOT_TOKEN=token).stdout
        assert "No channel is turned on" not in told
    identifiers = dict.fromkeys(("UPPZY_API_KEY", "UPPZY_TENANT_ID", "UPPZY_SITE_ID"), "demo")
    usable = command("doctor", cwd=tmp_path, UPPZY_BASE_URL="http://127.0.0.1:9/api/v1", **identifiers)
    assert usable.stdout.count("TELEGRAM_BOT_TOKEN: Write /newbot") == 1
    assert "connection refused" in usable.stdout


def test_version(tmp_path: Path) -> None:
    assert command("--version", cwd=tmp_path).stdout.strip() == "0.1.0"


def test_config_check_lists_three_mistakes_and_no_value(tmp_path: Path) -> None:
    good = {
        "UPPZY_API_KEY": "check-api-key",
        "UPPZY_TENANT_ID": "t",
        "UPPZY_SITE_ID": "s",
        "TELEGRAM_BOT_TOKEN": "123456789:" + "t" * 35,
        "UPPZY_TYPO": "typo-value",
    }
    wrong = {"UPPZY_BASE_URL": "http://check-host", "BOT_HTTP_PORT": "check-port", "BOT_GIVE_UP": "-7.25"}
    done = command("config", "check", "--json", cwd=tmp_path, **good, **wrong)
    assert done.returncode == 1
    lines = json.loads(done.stdout)
    assert {line["name"] for line in lines if line["level"] == "error"} == set(wrong)
    assert "UPPZY_TYPO" in {line["name"] for line in lines if line["level"] == "warning"}
    assert all(set(line) == {"name", "level", "expected"} for line in lines)
    told = command("config", "check", cwd=tmp_path, **good, **wrong)
    assert told.returncode == 1
    assert "3 settings are wrong" in told.stdout
    for text in (done.stdout, done.stderr, told.stdout, told.stderr):
        for value in (*wrong.values(), "check-api-key", "t" * 35, "typo-value"):
            assert value not in text
    fine = command("config", "check", "--json", cwd=tmp_path, **good)
    assert fine.returncode == 0
    assert all(line["level"] == "warning" for line in json.loads(fine.stdout))


def test_config_show_masks_and_says_where_from(tmp_path: Path) -> None:
    (tmp_path / "uppzy-bot.toml").write_text("[sessions]\nidle_hours = 7\n")
    done = command("config", "show", "--json", cwd=tmp_path, UPPZY_API_KEY="show-api-key")
    shown = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert shown["sessions.idle_hours"] == {"name": "sessions.idle_hours", "value": "7", "source": "uppzy-bot.toml"}
    assert shown["UPPZY_API_KEY"]["value"] == "•••"
    told = command("config", "show", cwd=tmp_path, UPPZY_API_KEY="show-api-key")
    assert "idle_hours" in told.stdout
    assert "show-api-key" not in done.stdout + told.stdout


def test_config_route(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("route-api-key")
    (tmp_path / "uppzy-bot.toml").write_text(
        'UPPZY_SITE_ID = "main"\n[[routes]]\nchannel = "telegram"\nconversation = "-100*"\nsite_id = "other"\n'
        'api_key_file = "k"\nmode = "all"\n'
    )
    done = command("config", "route", "telegram", "1", "-1005", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (found["route"], found["site_id"], found["mode"]) == (1, "other", "all")
    assert "route-api-key" not in done.stdout
    other = json.loads(command("config", "route", "slack", "T1", "C1", "--json", cwd=tmp_path).stdout)
    assert (other["route"], other["site_id"], other["mode"]) == (None, "main", "mention")


@pytest.mark.parametrize("arguments", [["run"], ["ask", "x"], ["limits"], ["docs", "list"]])
def test_missing_settings_are_1_and_all_named(tmp_path: Path, arguments: list[str]) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    for name in ("UPPZY_API_KEY", "UPPZY_TENANT_ID", "UPPZY_SITE_ID"):
        assert f"{name}: is required" in done.stderr
    assert ("TELEGRAM_BOT_TOKEN" in done.stderr) == (arguments == ["run"])


def test_check_and_run_agree_about_a_database_that_is_not_served(tmp_path: Path) -> None:
    settings = {
        "UPPZY_API_KEY": "k", "UPPZY_TENANT_ID": "t", "UPPZY_SITE_ID": "s",
        "TELEGRAM_BOT_TOKEN": "123456789:" + "t" * 35, "BOT_DATABASE_URL": "mysql://bot:database-pw@db/bot",
    }  # fmt: skip
    checked = command("config", "check", cwd=tmp_path, **settings)
    ran = command("run", cwd=tmp_path, **settings)
    assert (checked.returncode, ran.returncode) == (1, 1)
    (problem,) = [line for line in checked.stdout.splitlines() if line.startswith("error: ")]
    assert problem.removeprefix("error: ") == ran.stderr.splitlines()[0]
    assert problem.startswith("error: BOT_DATABASE_URL: sqlite:///")
    assert "database-pw" not in checked.stdout + checked.stderr + ran.stdout + ran.stderr


@pytest.mark.parametrize("arguments", [["demo", "--docs", "absent"], ["assistant", "serve", "--docs", "absent"]])
def test_a_folder_that_is_not_there(tmp_path: Path, arguments: list[str]) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "absent" in done.stderr


def test_a_mistake_of_ours_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ValueError("xoxb-1234567890-secret")

    monkeypatch.setattr("bot.cli.make_app", lambda: lambda _: broken())
    done = command("limits", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "please report" in done.stderr
    assert "1234567890" not in done.stderr


def test_output_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m bot --help | head -c 10",
        shell=True, cwd=tmp_path, env=environment({}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""


def test_ctrl_c_ends_a_waiting_command_without_a_traceback(tmp_path: Path) -> None:
    import signal

    running = Running("assistant", "serve", "--port", "0", cwd=tmp_path)
    try:
        assert running.first_line().startswith("http://127.0.0.1:")
        assert running.first_line().endswith("/api/v1")
        assert running.stop(signal.SIGINT) == 0
        assert "Traceback" not in "".join(running.stderr)
    finally:
        running.kill()


def test_python_m_bot(tmp_path: Path) -> None:
    assert uppzy_bot("--version", cwd=tmp_path).stdout.strip() == "0.1.0"
