"""The report: every figure's median and spread, the ratios of interleaved pairs, the machine, our bias, and a plot."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.benchmarks.peers.contestants import CONTESTANTS, LEFT_OUT, OURS, Contestant

Rounds: TypeAlias = Sequence[Mapping[str, Mapping[str, float]]]
"""Of each round: contestant's name → its figures."""

BIAS: Final = (
    "We wrote the programs of the others, as short as their documentation shows it; their authors would do better.",
    "They ask the API every second (every 0.25 s when saturated), we when our schedule says so.",
    "They store nothing; we store every step before it is taken, with one fsync for each commit.",
    "Ours shows signs of work and takes them away, which costs calls that the others do not make.",
    "Load, platforms and API run on the same machine, and take CPU from whoever is measured.",
)
PLOTTED: Final = (("paced", "cpu_ms_per_turn"), ("saturated", "cpu_ms_per_turn"), ("paced", "ready_to_seen_mean_ms"))


def machine() -> dict[str, Any]:
    """Describe what it was measured on."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), "unknown")  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "cpu": cpu, "cores": os.cpu_count(), "memory_gb": round(memory, 1), "system": platform.platform(),
        "python": platform.python_version(), "node": node, "load_average": os.getloadavg(),
    }  # fmt: skip


def summary(rounds: Rounds) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return median, least and most of each figure of each contestant."""
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name in dict.fromkeys(name for one in rounds for name in one):
        runs = [one[name] for one in rounds if name in one]
        values = {
            figure: [run[figure] for run in runs if figure in run]
            for figure in dict.fromkeys(f for r in runs for f in r)
        }
        found[name] = {figure: (statistics.median(v), min(v), max(v)) for figure, v in values.items()}
    return found


def ratios(rounds: Rounds, figure: str) -> dict[str, tuple[float, float, float]]:
    """Return ours ÷ theirs, by round: median, least and most."""
    found = {}
    for name in dict.fromkeys(name for one in rounds for name in one if name != OURS):
        pairs = [
            one[OURS][figure] / one[name][figure]
            for one in rounds
            if one.get(OURS, {}).get(figure) and one.get(name, {}).get(figure)
        ]
        if pairs:
            found[name] = (statistics.median(pairs), min(pairs), max(pairs))
    return found


def text(results: Mapping[str, Mapping[str, Rounds]]) -> str:
    """Write the report; `results`: platform → run → rounds."""
    lines = [f"machine: {machine()}", *(f"bias: {one}" for one in BIAS), *(f"left out: {one}" for one in LEFT_OUT)]
    for where, runs in results.items():
        for run, rounds in runs.items():
            lines.append(f"\n{where}, {run}, {len(rounds)} rounds: median (least - most)")
            for name, figures in summary(rounds).items():
                shown = " · ".join(f"{f} {m:,.2f} ({a:,.2f}-{b:,.2f})" for f, (m, a, b) in figures.items())
                lines.append(f"  {name}: {shown}")
            for figure in ("cpu_ms_per_turn", "ready_to_seen_mean_ms", "turns_per_second"):
                for name, (middle, least, most) in ratios(rounds, figure).items():
                    lines.append(f"  {figure}, ours ÷ {name}: {middle:.2f} ({least:.2f}-{most:.2f})")
    return "\n".join(lines)


def plot(results: Mapping[str, Mapping[str, Rounds]]) -> str:
    """Draw bars with their spread, as SVG."""
    parts, y = [], 24
    for where, runs in results.items():
        for run, figure in PLOTTED:
            found = {n: f[figure] for n, f in summary(runs.get(run, ())).items() if figure in f}
            if not found:
                continue
            parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(f"{where}, {run}: {figure}")}</text>')
            most = max(high for _, _, high in found.values()) or 1.0
            for name, (middle, least, high) in found.items():
                y += 22
                width, left, right = (320 * value / most for value in (middle, least, high))
                colour = "#2563eb" if name == OURS else "#94a3b8"
                parts.append(
                    f'<text x="8" y="{y}">{escape(name)}</text>'
                    f'<rect x="230" y="{y - 11}" width="{width:.1f}" height="13" fill="{colour}"/>'
                    f'<path d="M{230 + left:.1f} {y - 4}H{230 + right:.1f}" stroke="#111"/>'
                    f'<text x="{238 + right:.1f}" y="{y}">{middle:,.1f}</text>'
                )
            y += 36
    style = '<style>text{font:12px sans-serif}</style><rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{y}">{style}{"".join(parts)}</svg>\n'


def versions(chosen: Sequence[Contestant] = CONTESTANTS) -> dict[str, str]:
    """Return what each contestant was made of."""
    return {f"{one.platform}: {one.name}": one.versions() for one in chosen}
