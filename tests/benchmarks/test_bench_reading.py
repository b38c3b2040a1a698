"""How fast and in what memory a large folder is read, whether it answers meanwhile, and what watching it costs.

The pages are made here, of invented words, as a reference manual has them: navigation, headings, code, tables.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.gate import Gate
from bot.errors import BotError
from tests.benchmarks.test_bench_assistant import _filler, _vocabulary
from tests.cli.process import Running

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
FILES, SIZE = 2700, 36_300
"""Together 98 MB."""
WATCHED = 30.0
MARK = "The blue boat of page {} is called Alma{}."


def _pages(folder: Path) -> int:
    chance = random.Random(5)
    vocabulary = _vocabulary(chance)
    texts = [_filler(chance, vocabulary, 70) for _ in range(4000)]
    links = "".join(f'<li><a href="p{n}.html">{vocabulary[n]}</a></li>' for n in range(60))
    total = 0
    for number in range(FILES):
        parts = [f"<!DOCTYPE html><html><head><title>Page {number}</title></head><body><nav><ul>{links}</ul></nav>"]
        parts.append(f"<h1>Page {number}</h1><p>{MARK.format(number, number)}</p>")
        while (size := sum(map(len, parts))) < SIZE:
            part = len(parts)
            title = " ".join(chance.sample(vocabulary, 3))
            parts.append(f'<h2 id="s{part}">{title}<a class="headerlink" href="#s{part}">¶</a></h2>')
            parts += [f"<p>{chance.choice(texts)}</p>" for _ in range(2)]
            parts.append(f"<pre><span>{chance.choice(vocabulary)}</span>(x)\n    return x</pre>")
            cells = "".join(f"<tr><td>{w}</td><td>{size}</td></tr>" for w in chance.sample(vocabulary, 5))
            parts.append(f"<table><tr><th>name</th><th>value</th></tr>{cells}</table>")
        page = "".join([*parts, "</body></html>"])
        (folder / f"page{number}.html").write_text(page)
        total += len(page.encode())
    return total


def _memory(tree: psutil.Process) -> int:
    total = 0
    for process in (tree, *tree.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it has ended
    return total


async def test_98_megabytes_of_html(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    size = _pages(folder)
    began = time.monotonic()
    running = Running("assistant", "serve", "--docs", str(folder), "--port", "0", "--delay", "0", cwd=tmp_path)
    try:
        url = await asyncio.to_thread(running.first_line)
        client = ApiClient(base_url=url, api_key=SecretStr("demo"), tenant_id="demo", site_id="demo", gate=Gate())
        tree = psutil.Process(running.process.pid)
        peak, failed = 0, 0
        asked: list[float] = []
        serving = time.monotonic() - began
        while True:
            peak = max(peak, _memory(tree))
            start = time.monotonic()
            try:
                await client.chat(f"s{len(asked)}", "What is the blue boat of page 0 called?")
            except BotError:
                failed += 1
            asked.append(time.monotonic() - start)
            if len(asked) % 10 == 0:
                listed = await client.documents()
                if len(listed) == FILES and all(one.ready for one in listed):
                    break
            await asyncio.sleep(0.1)
        took = time.monotonic() - began
        reply = await client.chat("last", "What is the blue boat of page 2699 called?")
        before = tree.cpu_times()
        await asyncio.sleep(WATCHED)
        after = tree.cpu_times()
        share = (after.user + after.system - before.user - before.system) / WATCHED
        await client.aclose()
    finally:
        running.kill()
    print(
        f"\n{FILES:,} HTML files, {size / 1e6:.0f} MB: serving after {serving:.1f} s, read in {took:.1f} s, at most "
        f"{peak / 1e6:.0f} MB; {len(asked)} questions meanwhile, {failed} failed, median "
        f"{statistics.median(asked) * 1000:.0f} ms, worst {max(asked) * 1000:.0f} ms; "
        f"watching takes {share:.2%} of a CPU"
    )
    assert "Alma2699" in (reply.answer or "")
    assert failed == 0
    assert took <= 40
    assert peak <= 250e6
    assert share < 0.01
