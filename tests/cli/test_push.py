"""`docs push` as a process of its own, killed and pushed again, against an API that fails in every way it may."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import docx
import pytest

from bot.assistant.faults import Fault
from bot.assistant.server import AssistantOptions, RunningAssistant, start
from tests.cli.process import Running, command
from tests.documents.papers import pdf

EACH = 5
KINDS = 12
ALL = EACH * KINDS


@pytest.fixture
async def assistant() -> AsyncIterator[RunningAssistant]:
    running = await start(AssistantOptions(port=0, delay=0))
    yield running
    await running.close()


class Pushing:
    """Runs commands in a folder against the assistant."""

    def __init__(self, assistant: RunningAssistant, cwd: Path) -> None:
        self.cwd = cwd
        self.settings = {
            "UPPZY_BASE_URL": assistant.base_url,
            "UPPZY_API_KEY": "demo",
            "UPPZY_TENANT_ID": "demo",
            "UPPZY_SITE_ID": "demo",
        }

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(command, "docs", *arguments, cwd=self.cwd, **self.settings)
        return done.returncode, done.stdout, done.stderr

    async def json(self, *arguments: str) -> Any:
        code, told, errors = await self(*arguments, "--json")
        assert (code, errors) == (0, ""), told
        return json.loads(told)

    def begin(self, *arguments: str) -> Running:
        return Running("docs", *arguments, cwd=self.cwd, **self.settings)


@pytest.fixture
def pushing(assistant: RunningAssistant, tmp_path: Path) -> Pushing:
    return Pushing(assistant, tmp_path)


def write_documents(folder: Path) -> None:
    """Sixty files of twelve kinds, one document each; names that repeat in folders, titles that repeat in kinds."""
    for number in range(EACH):
        here = folder / f"part {number}"
        here.mkdir(parents=True)
        fact = f"The gate of lot {number} opens at {number + 6} o'clock."
        plain = f"Größe und Öffnung: Tor {number} öffnet um {number + 6} Uhr."
        (here / "gate.md").write_text(f"# Gate\n\n{fact}\n")
        (here / "fence.markdown").write_text(f"# Fence {number}\n\n{fact} The fence is green.\n")
        (here / "notes.txt").write_text(f"NOTES\n\n{fact}\n")
        (here / "tor.txt").write_bytes(plain.encode("latin-1"))
        (here / "breit.txt").write_bytes(plain.encode("utf-16"))
        (here / "page.html").write_text(f"<title>Page {number}</title><h2>Gate</h2><p>{fact}")
        head = '<meta charset="iso-8859-1"><title>Größe</title>'
        (here / "alt.htm").write_bytes(f"<html>{head}<p>{plain}".encode("latin-1"))
        (here / "faq.csv").write_text(f"question,answer\nWhen opens lot {number}?,At {number + 6}.\n")
        (here / "faq.tsv").write_text(f"Frage\tAntwort\nWann öffnet Tor {number}?\tUm {number + 6}.\n")
        (here / "prices.csv").write_text(f"name,price,unit\nlot {number},{number},day\n")
        (here / "plan.pdf").write_bytes(pdf([[fact]]))
        paper, out = docx.Document(), io.BytesIO()
        paper.add_heading("Rules", level=1)
        paper.add_paragraph(fact)
        paper.save(out)
        (here / "rules.docx").write_bytes(out.getvalue())


async def documents(assistant: RunningAssistant) -> list[dict[str, Any]]:
    return await assistant.documents.listed("demo")


async def test_sixty_files_killed_at_twenty_are_sixty_and_then_fifty_nine(
    assistant: RunningAssistant, pushing: Pushing
) -> None:
    assistant.faults.add(Fault("status", status=500), every=10)
    assistant.faults.add(Fault("rate_limited", retry_after="0.05"), every=3)
    assistant.faults.add(Fault("drop_after"), every=5)
    folder = pushing.cwd / "papers"
    write_documents(folder)

    running = pushing.begin("push", "papers", "--active")
    while len(await documents(assistant)) < 20:
        assert running.process.poll() is None, "".join(running.stderr)
        await asyncio.sleep(0.01)
    running.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(running.stop)
    assert 20 <= len(await documents(assistant)) < ALL

    plan = await pushing.json("push", "papers", "--dry-run")
    planned = Counter(entry["result"] for entry in plan)
    assert planned.total() == ALL
    assert planned["create"] > 0
    assert planned["unchanged"] > 10
    results = await pushing.json("push", "papers", "--active")
    assert len(results) == ALL
    assert {(entry["status"], entry["ready"]) for entry in results} == {("active", True)}
    stored = await documents(assistant)
    assert (len(stored), len({entry["id"] for entry in results})) == (ALL, ALL)
    assert {entry["id"] for entry in stored} == {entry["id"] for entry in results}
    assert {entry["result"] for entry in await pushing.json("push", "papers", "--prune")} == {"unchanged"}

    (folder / "part 1" / "gate.md").write_text("# Gate\n\nIt is shut.\n")
    (folder / "part 2" / "plan.pdf").unlink()
    plan = await pushing.json("push", "papers", "--prune", "--dry-run")
    assert Counter(e["result"] for e in plan) == {"unchanged": ALL - 2, "replace": 1, "delete": 1}
    assert len(await documents(assistant)) == ALL
    results = await pushing.json("push", "papers", "--prune")  # without --active: what was in use stays in use
    assert Counter(e["result"] for e in results) == {"unchanged": ALL - 2, "replaced": 1, "deleted": 1}
    stored = await documents(assistant)
    assert [entry["status"] for entry in stored] == ["active"] * (ALL - 1)
    assert {e["id"] for e in stored} == {e["id"] for e in results if e["result"] != "deleted"}
    assert all(rule.hits > 5 for rule in assistant.faults.rules)


@pytest.mark.parametrize("skip", [0, 1])
async def test_a_kill_between_create_and_record_makes_no_second_document(
    assistant: RunningAssistant, pushing: Pushing, skip: int
) -> None:
    """The create is carried out, and its answer hangs: the process dies without it."""
    for number in (1, 2):
        (pushing.cwd / f"{number}").mkdir()
        (pushing.cwd / f"{number}" / "same.md").write_text(f"# Same\n\nText {number}.\n")
    await assistant.documents.add_text("demo", _text("Same", "Somebody else's."), None)
    assistant.faults.add(Fault("status", status=504, after=True, seconds=30), endpoint="documents_text", skip=skip)
    running = pushing.begin("push", "1", "2")
    log = pushing.cwd / "data" / "documents.json"
    while not (log.exists() and log.read_text().count('"pending"') == 1 and log.read_text().count('"id"') == skip):
        await asyncio.sleep(0.01)
    running.process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(running.stop)
    assistant.faults.clear()
    # What the API was at work on when the process died is there now.
    made = await assistant.documents.add_text("demo", _text("Same", f"Text {skip + 1}."), None)
    results = await pushing.json("push", "1", "2")
    assert len(await documents(assistant)) == 3
    assert made["id"] in {entry["id"] for entry in results}


def _text(title: str, content: str) -> Any:
    from bot.assistant.models import TextBody

    return TextBody(title=title, content=content, category="general")


async def test_only_what_is_surely_gone_is_pruned(assistant: RunningAssistant, pushing: Pushing) -> None:
    folder = pushing.cwd / "papers"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.md").write_text(f"# Paper {number}\n\nText.\n")
    (folder / "faq.csv").write_text("question,answer\nWho?,We.\nWhere?,Here.\n")
    (pushing.cwd / "other.md").write_text("# Other\n\nText.\n")
    await pushing.json("push", "papers", "other.md")
    (pushing.cwd / "other.md").unlink()  # not under the path that is pruned
    (folder / "0.md").write_bytes(b"\x00\x01")  # there, but not to be read
    (folder / "faq.csv").write_text("question,answer\nWho?,We.\n")
    code, told, _ = await pushing("push", "papers", "--prune", "--json")
    assert code == 1
    assert Counter(e["result"] for e in json.loads(told)) == {"unchanged": 6, "failed": 1, "deleted": 1}
    assert len(await documents(assistant)) == 8
    for number in range(1, 6):
        (folder / f"{number}.md").unlink()
    code, told, errors = await pushing("push", "papers", "--prune")
    assert (code, told, "5 of 7 documents would be deleted" in errors) == (1, "", True)
    code, told, errors = await pushing("push", "papers", "--prune", "--dry-run", "--json")
    assert ([e["result"] for e in json.loads(told)].count("delete"), "--yes" in errors) == (5, True)
    assert len(await documents(assistant)) == 8
    await pushing("push", "papers", "--prune", "--yes")
    assert {entry["title"] for entry in await documents(assistant)} == {"Paper 0", "Who?", "Other"}
    code, _, errors = await pushing("push", "gone", "--prune")
    assert (code, "gone cannot be read" in errors) == (1, True)


async def test_files_beyond_the_limit_of_a_folder_are_not_gone(
    assistant: RunningAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.cli.push import Log
    from bot.cli.sources import find

    for name in "abc":
        (tmp_path / f"{name}.md").write_text("# Text\n\nText.\n")
    log = Log(tmp_path / "data" / "log.json", "url", "site")
    log.known |= {str(tmp_path / f"{name}.md"): {"id": name, "digest": ""} for name in "abcd"}
    monkeypatch.setattr("bot.assistant.listing.FILES", 2)
    found = await find([tmp_path], [])
    assert len(found.sources) == 2
    assert log.gone([tmp_path], found) == ([str(tmp_path / "d.md")], 4)
    log.close()


async def test_two_pushes_at_once(pushing: Pushing) -> None:
    from bot.cli.push import Log

    (pushing.cwd / "a.md").write_text("# A\n\nText.\n")
    log = Log(pushing.cwd / "data" / "documents.json", "url", "site")
    code, told, errors = await pushing("push", "a.md")
    assert (code, told, "Another docs push" in errors) == (1, "", True)
    log.close()
    await pushing.json("push", "a.md")


async def test_what_a_folder_may_hold_is_named_and_what_the_api_cannot_read_too(
    assistant: RunningAssistant, pushing: Pushing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.documents import ParseError

    folder = pushing.cwd / "papers"
    folder.mkdir()
    os.mkfifo(folder / "pipe.md")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "keys.html").write_text("<title>Keys</title>\n<p>Use it:\n<pre>AKIAABCDEFGHIJKLMNOP</pre>")
    (folder / "twice.csv").write_text("question,answer\nWho?,We.\nWho?,They.\n")
    (folder / "plan.pdf").write_bytes(pdf([["A plan."]]))

    async def parse(*_: object) -> None:
        raise ParseError("this API reads no PDF")

    monkeypatch.setattr(assistant.documents._parser, "parse", parse)
    code, told, _ = await pushing("push", "papers", "--json")
    results = {entry["title"]: entry for entry in json.loads(told)}
    assert code == 1
    assert {title: (entry["result"], entry["error"]) for title, entry in results.items()} == {
        "pipe.md": ("failed", "it is a named pipe, not a file"),
        "loop.md": ("failed", "the link leads in a circle"),
        "keys.html": ("failed", "line 3 looks like an AWS key; take it out, or let the file through with --allow"),
        "Who?": ("created", None),
        "row 3": ("failed", "row 3 asks the same as row 2"),
        "plan": ("unreadable", "this API reads no PDF"),
    }
    assert (results["plan"]["status"], results["plan"]["ready"]) == ("draft", False)
    code, told, _ = await pushing("push", "papers/plan.pdf")
    assert code == 1
    assert [word in told for word in ("unreadable", "draft", "this API reads no PDF")] == [True] * 3
