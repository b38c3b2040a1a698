"""README and AGENTS.md say what is there: every command, setting and metric, and no file that does not exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.cli import COMMANDS
from bot.config import Route, examine, installed
from bot.telemetry.metrics import Metrics

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
AGENTS = (ROOT / "AGENTS.md").read_text(encoding="utf-8")


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
    channels = {spec.name: spec for spec in installed() if spec.further is not None}
    further = {name: shown.pop(name)[0] for name in channels}
    for name, spec in channels.items():
        assert spec.further is not None
        assert further[name].keys() == spec.further.model_fields.keys()
    hidden = {("sessions", "playground_dm"), ("sessions", "playground_room")}
    assert {(section, key) for section, inner in shown.items() for key in inner} == keys - hidden
    assert set(route) == {field.validation_alias or name for name, field in Route.model_fields.items()}
    (tmp_path / "uppzy-bot.toml").write_text(example, encoding="utf-8")
    (tmp_path / route["api_key_file"]).write_text("the-key", encoding="utf-8")
    (tmp_path / shown["languages"]["folder"]).mkdir()
    for name, text in (
        ("bot_token_file", "xoxb-1-token"),
        ("app_token_file", "xapp-1-token"),
        ("signing_secret_file", "secret"),
        ("client_secret_file", "secret"),
    ):
        (tmp_path / further["slack"][name]).write_text(text)
    (tmp_path / further["telegram"]["token_file"]).write_text("4343:token")
    (tmp_path / further["telegram"]["webhook_secret_file"]).write_text("secret")
    assert examine(installed(), environ={}, cwd=tmp_path).errors == ()


def test_readme_describes_every_metric_with_its_labels() -> None:
    """Its table is what `Metrics` says of itself, word for word."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, –]+) \| (.+) \|$", README, re.MULTILINE)
    made = {name: metric for name, metric in vars(Metrics()).items() if hasattr(metric, "_labelnames")}
    described = {
        name: (metric._type, ", ".join(metric._labelnames) or "–", metric._documentation)
        for name, metric in made.items()
    }
    assert {name: tuple(rest) for name, *rest in rows} == described


def test_what_agents_md_names_exists() -> None:
    named = set(re.findall(r"`((?:bot|tests|adapters|docs|manifests)/[\w/.]+)`", AGENTS))
    assert {path for path in named if "/X/" not in path and not (ROOT / path).exists()} == set()
    listed = re.findall(r"^  (\w+\.py)|\s{4,}(\w+\.py)   ", AGENTS.partition("### A message")[0], re.MULTILINE)
    assert {name for pair in listed for name in pair if name and not (ROOT / "bot" / name).exists()} == set()
    for package in re.findall(r"\b(\w+)/ ", AGENTS.partition("```")[2].partition("adapters/")[0]):
        assert (ROOT / "bot" / package).is_dir() or package == "bot", package
