"""What a newcomer sees first: one banner, no log, a second demo, a taken port, other documents."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bot import demo
from bot.errors import Misconfigured
from bot.store.lock import sole_engine
from tests.cli.process import Running, uppzy_bot, wait_for


def test_one_banner_and_no_log(tmp_path: Path) -> None:
    running = Running("demo", cwd=tmp_path, BOT_HTTP_PORT="0")
    try:
        address = running.first_line()
        wait_for(lambda: any("read" in line for line in running.stderr))
        second = uppzy_bot("demo", cwd=tmp_path, BOT_HTTP_PORT="0")
    finally:
        assert running.stop() == 0
    assert running.stdout == [f"{address}\n"]
    lines = [line.strip() for line in running.stderr]
    assert lines[0] == f"Open {address} in a browser. Ctrl-C stops it."
    assert lines[1].endswith("files read.")
    assert len(lines) == 2, lines
    assert (second.returncode, second.stdout) == (1, "")
    (line,) = second.stderr.splitlines()
    assert line.startswith("Another demo runs in this folder already")


def test_a_taken_port_names_one_that_is_free(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = uppzy_bot("demo", cwd=tmp_path, BOT_HTTP_PORT=str(port))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"Port {port}" in line
    free = int(line.partition("BOT_HTTP_PORT=")[2].partition(",")[0])
    assert port < free <= port + 20


def test_other_documents_open_without_the_old_conversation_which_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = tmp_path / "one", tmp_path / "other"
    demo._make_ready(one)
    for name in ("demo.db", "demo.db-wal", "playground.db", "demo-assistant.db"):
        (demo.DATA / name).write_text("about one")
    demo._make_ready(one)
    assert (demo.DATA / "playground.db").read_text() == "about one", "the same folder goes on"
    demo._make_ready(other)
    assert not [path for path in demo.DATA.glob("*.db*") if not path.name.endswith(".lock")]
    (demo.DATA / "playground.db").write_text("about the other")
    demo._make_ready(one)
    assert (demo.DATA / "playground.db").read_text() == "about one"
    assert (demo.DATA / "demo.db-wal").read_text() == "about one"
    demo._make_ready(other)
    assert (demo.DATA / "playground.db").read_text() == "about the other"
    with sole_engine(demo.DATA / "demo.db"), pytest.raises(Misconfigured, match="Another demo"):
        demo._make_ready(one)
    assert (demo.DATA / "playground.db").read_text() == "about the other", "nothing is moved under a running one"
