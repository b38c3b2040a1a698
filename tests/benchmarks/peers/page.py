"""`python -m tests.benchmarks.peers.page FOLDER …`: writes the figures of such runs into docs/peers.md, and the plot.

Each folder is one that `python -m tests.benchmarks.peers --out FOLDER` has written; together they are one report.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.peers.contestants import LEFT_OUT, OURS, ROOT
from tests.benchmarks.peers.report import BIAS, Rounds, plot, ratios, summary

PAGE: Final = ROOT / "docs/peers.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
TITLES: Final = {
    "paced": "20 turns a second, answers after 1 to 15 s",
    "saturated": "as fast as it goes, 300 turns always open, answers after 0.2 s",
    "waiting": "1,000 questions wait",
    "killed": "100 questions, kill -9 in their midst, started again after a second",
    "repeated": "40 questions, each delivered twice",
    "order": "15 conversations, three questions each, one right after the other",
}
COMPARED: Final = ("cpu_ms_per_turn", "ready_to_seen_mean_ms", "turns_per_second")
WORDS: Final = {
    "told_to_seen": "answer told to seen",
    "ready_to_seen": "answer ready to seen",
    "event_to_submit": "event to submit",
    "cpu_ms_per_turn": "CPU a turn, ms",
    "rss_mb": "memory, MB",
    "idle_mb": "memory idle, MB",
    "kb_per_waiting": "a waiting question, KB",
    "cpu_percent": "CPU while they wait, %",
}
Results = dict[str, dict[str, Rounds]]


def together(folders: list[Path]) -> tuple[Results, dict[str, Any]]:
    """Merge what several runs have found; the machine is that of the first."""
    results: Results = {}
    found = [json.loads((folder / "figures.json").read_text()) for folder in folders]
    for one in found:
        for where, runs in one["results"].items():
            for run, rounds in runs.items():
                mine = results.setdefault(where, {})
                mine[run] = [*mine.get(run, ()), *rounds]
    return results, found[0]["machine"]


def figures(results: Mapping[str, Mapping[str, Rounds]], machine: Mapping[str, Any]) -> str:
    """Write the tables."""
    parts = [
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, Python {machine['python']}, Node"
        f" {machine['node']}. Medians with the least and the most of all rounds; ratios of the rounds' pairs."
    ]
    for where, runs in results.items():
        for run, rounds in runs.items():
            rows = summary(rounds)
            names = list(dict.fromkeys(name for one in rows.values() for name in one))
            lines = [
                f"### {where.capitalize()}: {TITLES[run]}",
                "",
                f"Rounds: {sum(OURS in one for one in rounds)}.",
                "",
            ]
            lines += ["| | " + " | ".join(rows) + " |", "|---|" + "--:|" * len(rows)]
            for name in names:
                cells = (_cell(one.get(name)) for one in rows.values())
                lines.append(f"| {_in_words(name)} | " + " | ".join(cells) + " |")
            for name in COMPARED:
                told = [
                    f"{other} {middle:.2f} ({least:.2f} to {most:.2f})"
                    for other, (middle, least, most) in ratios(rounds, name).items()
                ]
                if told:
                    lines += ["", f"{_in_words(name)}, {OURS} ÷ others: " + " · ".join(told)]
            parts.append("\n".join(lines))
    parts.append("### Our bias\n\n" + "\n".join(f"- {one}" for one in BIAS))
    parts.append("### Who is not measured\n\n" + "\n".join(f"- {one}" for one in LEFT_OUT))
    return "\n\n".join(parts)


def _in_words(name: str) -> str:
    for begin, words in WORDS.items():
        if name.startswith(begin):
            rest = name.removeprefix(begin).removesuffix("_ms").replace("_", " ").strip()
            return f"{words}, {rest}, ms" if rest else words
    return name.removesuffix("_ms").replace("_", " ") + (", ms" if name.endswith("_ms") else "")


def _cell(value: tuple[float, float, float] | None) -> str:
    if value is None:
        return ""
    middle, least, most = (f"{one:,.0f}" if one >= 100 or one == int(one) else f"{one:.1f}" for one in value)
    return middle if least == most else f"{middle} ({least} to {most})"


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers.page", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    results, machine = together(parser.parse_args().folders)
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{figures(results, machine)}\n\n{END}{tail}", encoding="utf-8")
    PAGE.with_name("peers.svg").write_text(plot(results), encoding="utf-8")


if __name__ == "__main__":
    main()
