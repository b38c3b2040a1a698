"""README and AGENTS.md say what is there: every command, setting and metric, and no file that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from bot.config import examine, installed
from bot.telemetry.metrics import PREFIX, Metrics

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
AGENTS = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
BESIDE_THE_DESIGN = ("http_requests", "build_info")
"""Metrics beside the stable ones."""


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_readme_names_every_command(name: str) -> None:
    assert re.search(rf"`{name}[ `]", README)


def test_readme_names_every_setting(tmp_path: Path) -> None:
    names = {setting.name for setting in examine(installed(), environ={}, cwd=tmp_path).settings}
    sections = {name for name in names if "__" in name}
    keys = {name.partition("__")[2].lower() for name in sections}
    top = {name for name in names - sections if name.removeprefix("BOT_") not in ("ROUTES", "SLACK", "TELEGRAM")}
    hidden = {"playground_dm", "playground_room", "channel", "account", "conversation"}
    assert {name for name in top if name not in README} == set()
    assert {key for key in keys - hidden if not re.search(rf"\b{key}\b", README)} == set()


def test_readme_names_every_metric() -> None:
    names = {metric.name.removeprefix(PREFIX) for metric in Metrics().registry.collect()}
    assert {name for name in names if name not in README and name not in BESIDE_THE_DESIGN} == set()


def test_what_agents_md_names_exists() -> None:
    named = set(re.findall(r"`((?:bot|tests|adapters|docs|manifests)/[\w/.]+)`", AGENTS))
    assert {path for path in named if "/X/" not in path and not (ROOT / path).exists()} == set()
    listed = re.findall(r"^  (\w+\.py)|\s{4,}(\w+\.py)   ", AGENTS.partition("### A message")[0], re.MULTILINE)
    assert {name for pair in listed for name in pair if name and not (ROOT / "bot" / name).exists()} == set()
    for package in re.findall(r"\b(\w+)/ ", AGENTS.partition("```")[2].partition("adapters/")[0]):
        assert (ROOT / "bot" / package).is_dir() or package == "bot", package
