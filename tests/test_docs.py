"""README and AGENTS.md say what is there: every command, setting and metric, and no file that does not exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from bot.config import Route, examine, installed
from bot.telemetry.metrics import PREFIX, Metrics

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
AGENTS = (ROOT / "AGENTS.md").read_text(encoding="utf-8")
BESIDE_THE_DESIGN = ("http_requests", "build_info")
"""Metrics beside the stable ones."""


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_readme_names_every_command(name: str) -> None:
    assert re.search(rf"`{name}[ `]", README)


def test_readme_names_every_setting_and_no_other(tmp_path: Path) -> None:
    names = {setting.name for setting in examine(installed(), environ={}, cwd=tmp_path).settings}
    top = {name for name in names if "__" not in name} - {"BOT_ROUTES"}
    rows = re.findall(r"^\| ((?:`[A-Z_]+` ?)+)\|", SETTINGS, re.MULTILINE)
    assert {name for row in rows for name in re.findall("[A-Z_]+", row)} == top


def test_readme_shows_every_key_and_a_file_that_can_be_used(tmp_path: Path) -> None:
    names = {setting.name for setting in examine(installed(), environ={}, cwd=tmp_path).settings}
    keys = {tuple(name.removeprefix("BOT_").lower().split("__")) for name in names if "__" in name}
    example = re.findall(r"```toml\n(.*?)```", SETTINGS, re.DOTALL)[0]
    shown = tomllib.loads(example)
    (route,) = shown.pop("routes")
    hidden = {("sessions", "playground_dm"), ("sessions", "playground_room")}
    assert {(section, key) for section, inner in shown.items() for key in inner} == keys - hidden
    assert set(route) == {field.validation_alias or name for name, field in Route.model_fields.items()}
    (tmp_path / "uppzy-bot.toml").write_text(example, encoding="utf-8")
    (tmp_path / route["api_key_file"]).write_text("the-key", encoding="utf-8")
    assert examine(installed(), environ={}, cwd=tmp_path).errors == ()


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
