"""`run` as a real process with every channel on and everything around it failing, at the most talkative level."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.process import Running, get, uppzy_bot, wait_for

SECRETS = {
    "UPPZY_API_KEY": "leak-api-key-0001",
    "SLACK_BOT_TOKEN": "xoxb-leak-0002-abcdefabcdef",
    "SLACK_SIGNING_SECRET": "leak-signing-0003",
    "SLACK_CLIENT_SECRET": "leak-client-0004",
    "TELEGRAM_BOT_TOKEN": "123456789:LEAK0005-" + "x" * 26,
    "BOT_SECRET": "leak-hash-0006",
    "BOT_ENCRYPTION_KEY": "leak-encryption-0007,leak-encryption-0008",
    "BOT_STATUS_TOKEN": "leak-status-0009",
}
WORDS = "leaked-words-of-a-person"


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with an error that repeats what it was sent, secrets included."""

    seen: set[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        type(self).seen.add(self.path.strip("/").split("/")[0][:5])
        echo = f"{WORDS} {self.path} {self.headers} ".encode() + body
        self.send_response(500)
        self.send_header("Content-Length", str(len(echo)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(echo)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, set[str]]]:
    handler = type("Handler", (Refusing,), {"seen": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler.seen  # type: ignore[attr-defined]  # made above
    server.shutdown()
    server.server_close()
    thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_no_log_line_holds_a_secret_or_words(tmp_path: Path, refusing: tuple[str, set[str]]) -> None:
    address, seen = refusing
    settings = {
        **SECRETS, "UPPZY_TENANT_ID": "t", "UPPZY_SITE_ID": "s", "UPPZY_BASE_URL": f"{address}/uppzy",
        "SLACK_API_URL": f"{address}/slack/", "SLACK_CLIENT_ID": "1.2", "TELEGRAM_API_URL": address,
        "BOT_HTTP_PORT": str(free_port()), "BOT_LOG_LEVEL": "debug", "BOT_LOG_FORMAT": "json",
    }  # fmt: skip
    page = f"http://127.0.0.1:{settings['BOT_HTTP_PORT']}"
    running = Running("run", cwd=tmp_path, **settings)
    try:
        wait_for(lambda: running.process.poll() is not None or len(seen) >= 2)
        assert running.process.poll() is None, "".join(running.stderr)
        for credentials in (f"Bearer {SECRETS['BOT_STATUS_TOKEN']}", "Bearer leak-wrong-token"):
            get(f"{page}/metrics", Authorization=credentials)
        password = base64.b64encode(f"u:{SECRETS['BOT_STATUS_TOKEN']}".encode()).decode()
        assert get(f"{page}/", Authorization=f"Basic {password}")[0] == 200
        get(f"{page}/slack/events?token={WORDS}")
        assert wait_for(lambda: get(f"{page}/readyz"))[0] == 200  # accepting goes on while everything else fails
        assert running.stop() == 0
    finally:
        running.kill()
    logs = "".join(running.stdout + running.stderr)
    assert len(running.stderr) >= 3, logs
    kept = [secret for value in SECRETS.values() for secret in value.split(",") if secret in logs]
    assert not kept
    assert "leak" not in logs.lower(), logs
    assert password not in logs


def test_a_start_that_fails_says_why_without_a_value(tmp_path: Path) -> None:
    done = uppzy_bot("run", cwd=tmp_path, **{**SECRETS, "BOT_HTTP_PORT": "leak-port", "UPPZY_BASE_URL": "http://leak"})
    assert done.returncode == 1
    assert "BOT_HTTP_PORT" in done.stderr
    assert "leak" not in (done.stdout + done.stderr).lower()
