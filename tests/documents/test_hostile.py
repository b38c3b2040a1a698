"""A folder of damaged and hostile documents: no hang, no crash, each named with its reason, SIGTERM obeyed at once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from bot.assistant.server import AssistantOptions, start
from bot.cli.assistant import run_until
from bot.cli.sources import find
from tests.cli.process import Running
from tests.documents.hostile import write_hostile
from tests.documents.papers import pdf

GOOD = ("zz good.md", "zz good.pdf")


def _folder(path: Path, count: int, size: int) -> Path:
    folder = path / "papers"
    folder.mkdir()
    write_hostile(folder, count, seed=count, size=size)
    (folder / GOOD[0]).write_text("# Boats\n\nThe blue boat is called Alma.")
    (folder / GOOD[1]).write_bytes(pdf([["The red boat is called Berta."]]))
    (folder / os.fsdecode(b"zz \xff bytes.txt")).write_text("The green boat is called Cilla.")
    return folder


async def _all_named(folder: Path, count: int) -> float:
    """Check that each file was read or is named; the seconds it took."""
    began = time.monotonic()
    assistant = await start(AssistantOptions(docs=folder, port=0, delay=0))
    try:
        await assistant.settled()
        report = await assistant.first_look()
    finally:
        await assistant.close()
    assert (report.files, report.waiting) == (count + 3, 0)
    assert report.read + len(report.unread) == report.files
    assert all(reason and "\n" not in reason for _, reason in report.unread)
    unread = dict(report.unread)
    assert not unread.keys() & set(GOOD)
    said = "\n".join(sorted(set(unread.values())))
    for words in (
        "named pipe",
        "socket",
        "leads nowhere",
        "in a circle",
        "larger than",
        "password",
        "empty",
        "damaged",
    ):
        assert words in said, said
    return time.monotonic() - began


async def test_hostile_documents_are_named(tmp_path: Path) -> None:
    await _all_named(_folder(tmp_path, 68, 100_000), 68)


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_four_hundred_hostile_documents_are_named(tmp_path: Path) -> None:
    print(f"{await _all_named(_folder(tmp_path, 400, 50_000_000), 400):.0f} s")


async def test_push_names_them_too(tmp_path: Path) -> None:
    folder = _folder(tmp_path, 34, 10_000)
    found = await find([folder], [])
    files = {source.file for source in found.sources.values()}
    assert len(files) == 34 + 3
    assert all(source.problem or source.digest for source in found.sources.values())


def _stopped(folder: Path, cwd: Path, wait: float) -> float:
    """Start a service on the folder, tell it to stop after a while; the seconds it took to end."""
    running = Running("assistant", "serve", "--docs", str(folder), "--port", "0", cwd=cwd)
    try:
        time.sleep(wait)
        began = time.monotonic()
        code = running.stop()
        took = time.monotonic() - began
    finally:
        running.kill()
    assert code in (0, -15), "".join(running.stderr)  # -15: it had not begun yet
    return took


class _ReadsForEver:
    """A service whose folder is never read whole."""

    base_url = "http://localhost"

    async def first_look(self) -> None:
        await asyncio.Event().wait()


async def test_whoever_stops_it_does_not_wait_for_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    stopped = asyncio.Event()
    stopped.set()
    await run_until(stopped, _ReadsForEver())
    assert capsys.readouterr().out == "", "it had begun to serve first"


def test_a_signal_ends_it_while_it_reads(tmp_path: Path) -> None:
    """How soon is measured in the full form."""
    _stopped(_folder(tmp_path, 34, 1_000_000), tmp_path, 2.5)


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_a_signal_ends_it_within_two_seconds_at_any_moment(tmp_path: Path) -> None:
    folder = _folder(tmp_path, 100, 50_000_000)
    chance = random.Random(1)
    took = [_stopped(folder, tmp_path, chance.uniform(0.2, 8)) for _ in range(20)]
    print(f"at most {max(took):.2f} s")
    assert max(took) <= 2
