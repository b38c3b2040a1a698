"""Documents over the wire: kinds, states, changes, and the watched folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.assistant.server import SAMPLES, RunningAssistant
from tests.assistant.conftest import Client, Start


async def _until(seen: Callable[[str], bool], client: Client, question: str) -> str:
    """Ask until the answer is as wanted."""
    async with asyncio.timeout(30):
        while True:
            answer = str((await client.ask(question)).body["answer"])
            if seen(answer):
                return answer
            await asyncio.sleep(0.05)


async def test_only_active_and_ready_documents_answer(client: Client, assistant: RunningAssistant) -> None:
    uploaded = await client.upload("Ferry.md", b"# Ferry\n\nThe ferry to the island leaves at 6:40.", category="trips")
    assert uploaded.status == 201
    document = uploaded.body
    assert document["id"].startswith("doc_")
    assert (document["title"], document["status"], document["category"]) == ("Ferry", "draft", "trips")
    await assistant.settled()
    assert (await client.documents())["Ferry"]["ready"] is True
    question = "When does the ferry leave for the island?"
    assert "6:40" not in (await client.ask(question)).body["answer"]
    body = {"document_ids": [document["id"], "doc_of_nobody"], "status": "active"}
    assert (await client.patch(f"{client.site}/documents/bulk-status", body)).body == {"updated": 1}
    assert "6:40" in (await client.ask(question)).body["answer"]
    body = {"document_ids": [document["id"], document["id"], "doc_of_nobody"]}
    assert (await client.post(f"{client.site}/documents/bulk-delete", body)).body == {"deleted": 1}
    assert "6:40" not in (await client.ask(question)).body["answer"]
    assert await client.documents() == {}


async def test_documents_are_changed_in_part(client: Client) -> None:
    qa = (
        await client.post(
            f"{client.site}/documents/qa", {"title": "Head", "question": "Who leads the choir?", "answer": "Ada Moor."}
        )
    ).body
    path = f"{client.site}/documents/{qa['id']}"
    changed = await client.patch(path, {"answer": "Bo Lind."})
    assert changed.status == 200
    assert changed.body["title"] == "Head"
    assert "Bo Lind" in (await client.ask("Who leads the choir?")).body["answer"]
    assert (await client.patch(path, {"status": "draft"})).body["status"] == "draft"
    assert "Bo Lind" not in (await client.ask("Who leads the choir?")).body["answer"]
    assert (await client.patch(path, {"content": "x"})).status == 409
    assert (await client.patch(f"{client.site}/documents/doc_x", {"title": "x"})).body == {
        "error": "document not found"
    }
    text = (await client.post(f"{client.site}/documents/text", {"title": "Rules", "content": "Hats are welcome."})).body
    await client.patch(f"{client.site}/documents/{text['id']}", {"title": "House rules", "content": "Hats are banned."})
    answer = (await client.ask("What about hats?")).body["answer"]
    assert "Hats are banned." in answer
    assert "House rules" in answer


async def test_a_file_that_cannot_be_read_is_a_failed_document_with_its_reason(
    client: Client, assistant: RunningAssistant
) -> None:
    await client.upload("broken.pdf", b"%PDF-1.7\nnothing here")
    await client.upload("empty.txt", b"")
    await client.upload("song.mp3", b"\x00\x01\x02")
    await assistant.settled()
    documents = await client.documents()
    assert [documents[name]["ready"] for name in ("broken", "empty", "song")] == [False] * 3
    assert "PDF is damaged" in documents["broken"]["error"]
    assert documents["empty"]["error"] == "the file is empty"
    assert "not a text" in documents["song"]["error"]
    assert (await client.get(f"{client.site}/statistics")).body["documents"]["failed"] == 3


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"title": "no file"}, "file is required"),
        ({"file": b"x", "status": "published"}, "status must be 'draft' or 'active'"),
        ({"file": b"x", "colour": "red"}, "only file, title, category and status are known"),
    ],
)
async def test_a_wrong_upload_is_400(client: Client, form: dict[str, Any], error: str) -> None:
    data = aiohttp.FormData(default_to_multipart=True)
    for name, value in form.items():
        data.add_field(name, value, filename="a.txt" if name == "file" else None)
    reply = await client.call("POST", f"{client.site}/documents", data=data)
    assert (reply.status, reply.body) == (400, {"error": error})


async def test_an_upload_that_is_too_large_is_413(client: Client) -> None:
    reply = await client.upload("large.txt", b"x" * (20 * 1024 * 1024 + 1))
    assert reply.status == 413
    assert await client.documents() == {}


async def test_a_saved_file_is_read_again(begin: Start, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "lights.md").write_text("# Lights\n\nThe lighthouse keeper is Ada.")
    (tmp_path / ".hidden.md").write_text("The lighthouse keeper is a secret.")
    (tmp_path / "outside.md").symlink_to(os.devnull)
    assistant = await begin(docs=tmp_path, watch=True)
    client = Client(http, assistant.base_url)
    assert set(await client.documents()) == {"Lights"}
    question = "Who is the lighthouse keeper?"
    assert "Ada" in (await client.ask(question)).body["answer"]
    (tmp_path / "deep" / "lights.md").write_text("# Lights\n\nSince May the lighthouse keeper is Bodil.")
    answer = await _until(lambda text: "Bodil" in text, client, question)
    assert "Ada" not in answer
    (tmp_path / "synonyms.txt").write_text("lighthouse keeper, wickie")
    await _until(lambda text: "Bodil" in text, client, "Who is the wickie?")
    (tmp_path / "synonyms.txt").unlink()
    await _until(lambda text: "Bodil" not in text, client, "Who is the wickie?")
    (tmp_path / "deep" / "lights.md").unlink()
    await _until(lambda text: "Bodil" not in text, client, question)
    assert await client.documents() == {}


async def test_the_samples_answer(begin: Start, http: aiohttp.ClientSession) -> None:
    assistant = await begin(docs=SAMPLES)
    client = Client(http, assistant.base_url)
    assert {document["ready"] for document in (await client.documents()).values()} == {True}
    for question, fact in (
        ("When does the Harbour shop open on Sundays?", "11:00"),
        ("How long can I send something back?", "30 days"),
        ("What does error E4 mean?", "too hot"),
        ("how much is a basic servise", "59 euros"),
        ("What does an e-bike cost for a week?", "180 euros"),
    ):
        assert fact in (await client.ask(question)).body["answer"], question
    assert "don't know" in (await client.ask("Do you sell skateboards?")).body["answer"]


async def test_a_port_that_is_taken_is_said_and_nothing_is_left(begin: Start, assistant: RunningAssistant) -> None:
    with pytest.raises(OSError, match=r"address already in use|in use"):
        await begin(port=assistant.port)
    await begin()


async def test_a_folder_that_is_missing_is_said(begin: Start, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="does not exist"):
        await begin(docs=tmp_path / "nowhere")
