"""The demo as a real process: what it serves, what the commands say beside it, and that its logs hold no secret."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Running, command, get, post, wait_for

QUESTION = "How many canaries may nest in the glasshouse at once?"
ANSWER_WORDS = "seventeen canaries"
REASON = "the canary number is of last year"
SECRETS = {
    "UPPZY_API_KEY": "canary-api-key",
    "BOT_SECRET": "canary-hash-secret",
    "BOT_ENCRYPTION_KEY": "canary-encryption-key-1,canary-encryption-key-2",
    "BOT_STATUS_TOKEN": "canary-status-token",
    "SLACK_BOT_TOKEN": "xoxb-canary-slack-token",
    "TELEGRAM_BOT_TOKEN": "123456789:canary-telegram-token-AAAAAAAAAAAAA",
}


@dataclass
class Demo:
    running: Running
    cwd: Path
    url: str

    def command(self, *arguments: str) -> Any:
        """A command beside the running bot, as JSON."""
        done = command(*arguments, "--json", cwd=self.cwd, BOT_DATABASE_URL="sqlite:///data/demo.db")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def snapshot(self) -> dict[str, Any]:
        """What the page shows."""
        with urllib.request.urlopen(f"{self.url}playground/events", timeout=30) as stream:
            found: dict[str, Any] = json.loads(next(line for line in stream if line.startswith(b"data:"))[5:])
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    cwd = tmp_path_factory.mktemp("demo")
    (cwd / "docs").mkdir()
    (cwd / "docs" / "birds.md").write_text(f"# Birds\n\nIn the glasshouse {ANSWER_WORDS} may nest at once.\n")
    (cwd / "uppzy-bot.toml").write_text("this is not TOML, and the demo does not mind")
    running = Running(
        "demo", "--docs", "docs", cwd=cwd, BOT_HTTP_PORT="0", BOT_LOG_LEVEL="debug", BOT_LOG_FORMAT="json",
        UPPZY_BASE_URL="nonsense", BOT_DATABASE_URL="nonsense", BOT_FEEDBACK__SETTLE_SECONDS="0.2",
        **{name: value for name, value in SECRETS.items() if name != "BOT_STATUS_TOKEN"},
    )  # fmt: skip
    try:
        url = running.first_line()
        (cwd / "uppzy-bot.toml").unlink()  # the other commands would mind
        yield Demo(running, cwd, url)
    finally:
        running.kill()


@pytest.fixture(scope="module")
def answered(demo: Demo) -> dict[str, Any]:
    """A question that was asked, answered and rated bad with a reason; the story of its turn."""
    person = demo.snapshot()["people"][0]
    words = {"person": person["id"], "conversation": person["direct"], "text": QUESTION}
    asked = post(f"{demo.url}playground/api/messages", words)["message"]

    def answers() -> list[dict[str, Any]]:
        return [m for m in demo.snapshot()["messages"] if ANSWER_WORDS in json.dumps(m)]

    answer = wait_for(answers)[0]
    click = {"person": person["id"], "message": answer["id"], "button": "bad"}
    post(f"{demo.url}playground/api/clicks", click)
    reason = {"person": person["id"], "message": answer["id"], "text": REASON}

    def invited() -> Any:
        try:
            return post(f"{demo.url}playground/api/reasons", reason)
        except urllib.error.HTTPError as error:  # 409 until the bot has asked why
            error.close()
            return None

    wait_for(invited)
    found = wait_for(lambda: [f for f in demo.command("feedback", "list") if f["outcome"] == "submitted"])
    return {**found[0], "asked": asked, "answer": answer}


def test_it_serves_its_page_health_and_metrics(demo: Demo) -> None:
    assert demo.url.startswith("http://127.0.0.1:")
    assert get(demo.url)[0] == 200
    assert get(f"{demo.url}healthz") == (200, '{"status": "ok"}')
    status, body = get(f"{demo.url}readyz")
    assert (status, set(json.loads(body)["checks"])) == (200, {"database", "api", "playground"})
    assert "uppzy_bot_turns_in_flight" in get(f"{demo.url}metrics")[1]
    assert get(f"{demo.url}metrics", Host="evil.example")[0] == 404


def test_commands_beside_it(demo: Demo, answered: dict[str, Any]) -> None:
    assert set(answered) >= {"reference", "channel", "session_id", "request_id", "rating", "submitted", "outcome"}
    assert (answered["rating"], answered["submitted"], answered["channel"]) == ("bad", "bad", "playground")
    story = demo.command("trace", answered["reference"].lower())
    assert story["request_id"] == answered["request_id"]
    assert demo.command("sessions", "show", answered["session_id"])[0]["reference"] == answered["reference"]
    assert demo.command("dead", "list") == []
    report = demo.command("feedback", "report")
    assert report["channels"]["playground"]["bad"] == 1
    assert report["differs"] == []
    told = command("trace", answered["reference"], cwd=demo.cwd, BOT_DATABASE_URL="sqlite:///data/demo.db")
    assert answered["request_id"] in told.stdout
    unknown = command("trace", "AAAAAAAA", cwd=demo.cwd, BOT_DATABASE_URL="sqlite:///data/demo.db")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert len(unknown.stderr.splitlines()) == 1


def test_its_logs_hold_no_secret_and_no_words_of_anybody(demo: Demo, answered: dict[str, Any]) -> None:
    assert answered["rating"] == "bad"
    assert demo.running.stop() == 0  # the last test of the process: all of its log is there
    logs = "".join(demo.running.stdout + demo.running.stderr)
    assert answered["reference"] in logs
    records = [json.loads(line) for line in demo.running.stderr if line.startswith("{")]
    assert len(records) >= 3
    assert "canar" not in logs.lower()
    for value in SECRETS.values():
        assert value not in logs
