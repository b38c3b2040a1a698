"""What lies in a folder and is no document: never opened, never waited for, always named."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from pathlib import Path

import aiohttp
import pytest

from bot.assistant import listing as module
from bot.assistant.folder import SHARE, Folder
from bot.assistant.listing import Listing, listing, load
from tests.assistant.conftest import Client, Start
from tests.documents.papers import pdf


def _messy(folder: Path) -> None:
    os.mkfifo(folder / "a.txt")
    (folder / "b.md").write_text("# Boats\n\nThe blue boat is called Alma.")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket is short
        try:
            server.bind("c.html")
        finally:
            os.chdir(here)
    (folder / "d.csv").symlink_to(folder / "nowhere")
    (folder / "e.txt").symlink_to(folder / "e.txt")
    with (folder / "f.pdf").open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    (folder / "g.docx").mkdir()
    (folder / "h.pdf").write_bytes(pdf([[]]))
    (folder / "i.txt").write_bytes(b"")
    (folder / "j.mp4").write_bytes(b"x")
    (folder / "null.md").symlink_to("/dev/null")


async def test_what_is_no_file_is_named_and_the_rest_is_read(
    begin: Start, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    _messy(tmp_path)
    assistant = await begin(docs=tmp_path)
    await assistant.settled()
    report = await assistant.first_look()
    assert dict(report.unread) == {
        "a.txt": "it is a named pipe, not a file",
        "c.html": "it is a socket, not a file",
        "d.csv": "the link leads nowhere",
        "e.txt": report.unread[3][1],
        "f.pdf": "the file is larger than 20 MB",
        "h.pdf": "no text was found in the file; a scanned PDF needs text recognition first",
        "i.txt": "the file is empty",
    }
    assert report.notes == ("Files of kinds that are not read: .mp4 1.",)
    assert report.summary() == "1 of 8 files read, 7 not."
    assert report.lines()[0] == "a.txt: it is a named pipe, not a file"
    client = Client(http, assistant.base_url)
    assert "Alma" in (await client.ask("What is the blue boat called?")).body["answer"]
    documents = await client.documents()
    assert documents["A"]["error"] == "it is a named pipe, not a file"


async def test_a_file_that_can_be_opened_later_is_read_then(begin: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    assistant = await begin(docs=tmp_path)
    assert (await assistant.report()).unread
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").write_text("Now words.")
    await assistant.settled()
    report = await assistant.report()
    assert (report.files, report.read, report.unread) == (1, 1, ())
    (tmp_path / "a.txt").unlink()
    await assistant.settled()
    assert (await assistant.report()).summary() == "There is no document in the folder."


def test_a_pipe_that_takes_a_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(OSError, match="named pipe"):
        load(tmp_path / "a.txt")


async def test_a_file_that_may_not_be_read_is_named(
    begin: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.md").write_text("x")

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bot.assistant.folder.load", refused)
    assistant = await begin(docs=tmp_path)
    assert (await assistant.report()).unread == (("secret.md", "it cannot be opened (Permission denied)"),)


def test_what_is_over_the_limit_is_said_once_with_where_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILES", 3)
    for name in "abcde":
        (tmp_path / f"{name}.md").write_text("x")
    found = listing(tmp_path)
    assert (list(found.files), found.left_out) == (["a.md", "b.md", "c.md"], 2)
    assert found.notes == ("2 further files are left out, from d.md on: at most 3 are read.",)
    monkeypatch.setattr(module, "ENTRIES", 3)
    assert "more than 3 entries" in listing(tmp_path).notes[-1]


def test_a_look_ends_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    stop = threading.Event()
    stop.set()
    assert listing(tmp_path, stop).files == {}


async def test_the_longer_a_look_takes_the_rarer_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise asyncio.CancelledError

    async def scan(_: Folder) -> float:
        return 0.05

    folder = Folder(tmp_path, "s", None, lambda _: None)  # type: ignore[arg-type]
    monkeypatch.setattr(Folder, "scan", scan)
    monkeypatch.setattr("bot.assistant.folder.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await folder._watch(0.7)
    assert waited == [0.7, 0.05 / SHARE, 0.05 / SHARE]
    assert SHARE < 0.01


async def test_closing_does_not_wait_for_what_is_being_read(begin: Start, tmp_path: Path) -> None:
    for n in range(300):
        (tmp_path / f"{n}.txt").write_text("A line of words about boats.\n\n" * 2000)
    assistant = await begin(docs=tmp_path, patience=0)
    before = time.monotonic()
    await assistant.close()
    assert time.monotonic() - before < 20, "and far less on an idle machine"
    assert (Listing().notes, Listing().files) == ((), {})
