"""`python -m tests.benchmarks.peers [--rounds 7] [--only TEXT …] [--runs paced,…] [--out FOLDER] [--quick]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.peers.contestants import CONTESTANTS, LEFT_OUT, ROOT, Contestant
from tests.benchmarks.peers.report import BIAS, machine, plot, text, versions
from tests.benchmarks.peers.runs import RUNS, Size

ONCE = ("waiting", "killed", "repeated", "order")
"""Runs whose figures hardly differ, or are counts: once is enough."""
QUICK = Size(warm=4.0, seconds=5.0, saturated=300, open_at_once=100, waiting=200)


def order(chosen: list[Contestant], number: int) -> list[Contestant]:
    """Let everybody be first and last as often, so that a machine that drifts drifts for all."""
    return chosen if number % 2 == 0 else chosen[::-1]


def wanted(one: Contestant, words: Sequence[str]) -> bool:
    """Whether a contestant is among those that were named."""
    return not words or any(word.lower() in f"{one.platform} {one.name}".lower() for word in words)


async def measure(options: argparse.Namespace, chosen: list[Contestant]) -> tuple[dict, dict]:  # type: ignore[type-arg]
    """Run everything; return the figures by platform and run, and the raw samples."""
    size = QUICK if options.quick else Size()
    results: dict[str, dict[str, list[dict[str, dict[str, float]]]]] = {}
    samples: dict[str, list[object]] = {}
    for run in options.runs.split(","):
        for number in range(1 if run in ONCE else options.rounds):
            for platform in dict.fromkeys(one.platform for one in chosen):
                figures: dict[str, dict[str, float]] = {}
                results.setdefault(platform, {}).setdefault(run, []).append(figures)
                for one in order([one for one in chosen if one.platform == platform], number):
                    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
                        found = await RUNS[run](one, Path(folder), size)
                    figures[one.name] = found.figures
                    samples.setdefault(f"{platform} {run} {one.name}", []).append(found.samples)
                    print(f"{platform} {run} {number + 1}: {one.name}: {found.figures}", file=sys.stderr, flush=True)
    return results, samples


def main() -> None:
    """Install, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers")
    parser.add_argument("--rounds", type=int, default=7, help="of paced and saturated runs, interleaved")
    parser.add_argument("--only", nargs="*", default=[], help="those with one of these words in platform and name")
    parser.add_argument("--runs", default=",".join(RUNS), help="which runs, with commas between")
    parser.add_argument("--out", type=Path, default=ROOT / ".artifacts/peers", help="where raw samples and the plot go")
    parser.add_argument("--quick", action="store_true", help="so little that the figures say nothing")
    options = parser.parse_args()
    chosen = [one for one in CONTESTANTS if wanted(one, options.only)]
    if any(one.program.endswith(".mjs") for one in chosen) and not shutil.which("npm"):
        print("Chat SDK is left out: there is no npm here.", file=sys.stderr)
        chosen = [one for one in chosen if not one.program.endswith(".mjs")]
    for one in chosen:
        one.install()
    results, samples = asyncio.run(measure(options, chosen))
    options.out.mkdir(parents=True, exist_ok=True)
    about = {"machine": machine(), "bias": BIAS, "left_out": LEFT_OUT, "versions": versions(chosen)}
    (options.out / "figures.json").write_text(json.dumps({**about, "results": results}, indent=1))
    (options.out / "samples.json").write_text(json.dumps(samples))
    (options.out / "plot.svg").write_text(plot(results))
    print(text(results))
    print(f"\nFigures, raw samples and the plot are in {options.out}.")


if __name__ == "__main__":
    main()
