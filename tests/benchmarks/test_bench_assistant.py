"""How good and how fast the embedded assistant is: answers, refusals, index time, query time, and what a loop notices.

Run with `make bench`, or alone: `python -m pytest -s -m bench tests/benchmarks/test_bench_assistant.py`.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.assistant.database import AssistantDatabase
from bot.assistant.documents import Documents
from bot.assistant.retrieval.answers import Answers
from bot.assistant.server import AssistantOptions, start
from bot.documents import Parser
from tests.assistant.quality.measure import HERE, SCHEMA, measure, questions
from tests.documents.papers import pdf

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
PASSAGES, PAGES = 5000, 1000


def _vocabulary(chance: random.Random) -> list[str]:
    """Invented words, as many as a few handbooks have."""
    syllables = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "ol")]
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(12_000)]


def _filler(chance: random.Random, vocabulary: list[str], words: int) -> str:
    """Sentences whose words are as unevenly frequent as those of a language."""
    ranks = [min(int(chance.paretovariate(0.9)), len(vocabulary)) - 1 for _ in range(words)]
    text = [vocabulary[rank] for rank in ranks]
    for place in range(0, words, 12):
        text[place] = text[place].capitalize()
        text[max(place - 1, 0)] += "." if place else ""
    return " ".join(text) + "."


@asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[tuple[Documents, Answers, AssistantDatabase]]:
    database, parser = AssistantDatabase(folder / "bench.db", SCHEMA.read_text()), Parser()
    answers = Answers(database)
    documents = Documents(database, parser, answers.changed)
    yield documents, answers, database
    await documents.close()
    await parser.close()
    await database.close()
    answers.close()


async def test_quality() -> None:
    for half in ("tune", "test"):
        measured = await measure(half)
        print(
            f"\n{half} half: top-1 {measured.right}/{measured.asked} = {measured.top1:.1%}, refused "
            f"{measured.refused}/{measured.unanswerable} = {measured.honest:.1%}"
        )
    assert measured.top1 >= 0.75
    assert measured.honest >= 0.85


async def test_query_time_on_5000_passages(tmp_path: Path) -> None:
    chance = random.Random(7)
    vocabulary = _vocabulary(chance)
    async with _engine(tmp_path) as (documents, answers, database):
        # The questions' own documents in the midst of others, all on one site.
        began = time.perf_counter()
        for site in questions():
            for file in sorted((HERE / site).iterdir()):
                await documents.put_from_folder("one", f"{site}/{file.name}", file.read_bytes())
        await documents.settled()
        own = time.perf_counter() - began
        (small,) = await database.read(lambda c: c.execute("SELECT count(*) FROM passages").fetchone())
        text = "\n\n".join(
            f"## {_filler(chance, vocabulary, 3)}\n\n{_filler(chance, vocabulary, 70)}" for _ in range(PASSAGES - small)
        )
        began = time.perf_counter()
        await documents.put_from_folder("one", "other.md", text.encode())
        await documents.settled()
        seconds = time.perf_counter() - began
        (count,) = await database.read(lambda c: c.execute("SELECT count(*) FROM passages").fetchone())
        asked = [question["q"] for site in questions().values() for question in site]
        times = []
        for turn in range(3):
            for question in asked:
                began = time.perf_counter()
                await answers.answer("one", f"s{turn}", question, None)
                times.append(1000 * (time.perf_counter() - began))
        cuts = statistics.quantiles(times, n=20)
        print(
            f"\n{small} passages of {sum(map(len, questions().values()))} questions' documents indexed in {own:.2f} s; "
            f"{count - small} more in {seconds:.2f} s ({(count - small) / seconds:.0f}/s)"
            f"\nquery on {count} passages: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms, worst {max(times):.1f} ms"
        )
        assert count >= PASSAGES
        assert cuts[9] <= 20


async def test_a_thousand_pages_of_pdf_block_no_question(tmp_path: Path) -> None:
    chance = random.Random(3)
    vocabulary = _vocabulary(chance)
    pages = [[_filler(chance, vocabulary, 12) for _ in range(38)] for _ in range(PAGES)]
    async with _engine(tmp_path) as (documents, answers, database):
        await documents.put_from_folder("one", "small.md", b"# Ferry\n\nThe ferry leaves at 6:40.")
        await documents.settled()
        large = await asyncio.to_thread(pdf, pages)
        began = time.perf_counter()
        await documents.put_from_folder("one", "large.pdf", large)
        reading = asyncio.ensure_future(documents.settled())
        waits, lags = [], []
        while not reading.done():
            asked = time.perf_counter()
            found = await answers.answer("one", "s", "When does the ferry leave?", None)
            assert "6:40" in found.text
            waits.append(1000 * (time.perf_counter() - asked))
            slept = time.perf_counter()
            await asyncio.sleep(0.01)
            lags.append(1000 * (time.perf_counter() - slept) - 10)
        seconds = time.perf_counter() - began
        (count,) = await database.read(lambda c: c.execute("SELECT count(*) FROM passages").fetchone())
        print(
            f"\n{PAGES} pages of PDF ({len(large) / 1e6:.1f} MB, {count} passages) in {seconds:.1f} s; meanwhile "
            f"{len(waits)} questions, p50 {statistics.median(waits):.1f} ms, worst {max(waits):.0f} ms; "
            f"the loop was late by {statistics.median(lags):.1f} ms (p50), {max(lags):.0f} ms at worst"
        )
        assert count >= PAGES


async def test_submits_and_polls_per_second(tmp_path: Path) -> None:
    assistant = await start(AssistantOptions(port=0, delay=0.2, data=tmp_path / "a.db"))
    assistant.script(contains="", answer="An answer.")
    url, headers = f"{assistant.base_url}/m2m/sites/demo/chat", {"X-API-Key": "demo"}
    times: list[float] = []
    try:
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=50)) as session:

            async def turn(number: int) -> None:
                began = time.perf_counter()
                body = {"session_id": f"s{number % 1000}", "message": "A question?"}
                async with session.post(f"{url}/async", json=body) as reply:
                    request_id = (await reply.json())["request_id"]
                times.append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(0.25)
                while True:
                    async with session.get(f"{url}/requests/{request_id}") as reply:
                        if (await reply.json())["status"] == "completed":
                            return
                    await asyncio.sleep(0.05)

            began = time.perf_counter()
            await asyncio.gather(*(turn(number) for number in range(2000)))
            seconds = time.perf_counter() - began
    finally:
        await assistant.close()
    print(f"\n2000 turns of submit and poll at once, client in the same process: {2000 / seconds:.0f} turns/s")
