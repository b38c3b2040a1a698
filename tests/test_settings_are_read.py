"""A setting exists only when something reads it: code outside its own declaration asks for each, as an attribute."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Final

import pytest
from pydantic import BaseModel

from bot.adapter import ChannelSpec
from bot.config import Config, Route, installed
from bot.config.model import Part

ROOT: Final = Path(__file__).parents[1]
CALLED: Final = {"feedback": {"rules"}, "routes": {"route", "chosen", "named", "new"}}
"""What sections are called where they are handed on, beside `config`, `settings` and their own name."""
PATTERNS: Final = {"channel", "account", "conversation"}
"""Keys of a route that `route_for` reads, which stands with the settings."""


@functools.cache
def attributes(folder: str, without: str) -> frozenset[tuple[str, str]]:
    """List what is read in a folder, as (the last word before the dot, the attribute)."""
    read = set()
    for path in (ROOT / folder).rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith((without, "bot/testing/")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                    holder = ast.unparse(node.value).split(".")[-1]
                    read.add((holder.removesuffix("()").lstrip("_"), node.attr))
    return frozenset(read)


def unread(model: type[BaseModel], holders: set[str], folder: str, without: str) -> set[str]:
    read = attributes(folder, without)
    return {field for field in model.model_fields if not any((holder, field) in read for holder in holders)}


def test_every_setting_is_read() -> None:
    defaults = {name: field.default for name, field in Config.model_fields.items()}
    sections: dict[str, type[BaseModel]]
    sections = {name: type(default) for name, default in defaults.items() if isinstance(default, Part)}
    assert len(sections) == 10
    assert unread(Config, {"config", "settings"}, "bot", "bot/config/") - set(sections) == set()
    sections["routes"] = Route  # sections are read through their keys
    for name, section in sections.items():
        holders = {"config", "settings", name, *CALLED.get(name, ())}
        assert unread(section, holders, "bot", "bot/config/") <= (PATTERNS if name == "routes" else set()), name


@pytest.mark.parametrize("spec", installed(), ids=lambda spec: spec.name)
def test_every_setting_of_a_channel_is_read_by_its_adapter(spec: ChannelSpec) -> None:
    folder = f"adapters/{spec.name}"
    assert unread(spec.settings, {"settings"}, folder, f"{folder}/config.py") - {"enabled"} == set()


def test_this_test_finds_what_nobody_reads() -> None:
    class Letter(BaseModel):
        flavour: str
        colour: str

    assert unread(Letter, {"config", "settings", "letter"}, "bot", "bot/config/") == {"flavour", "colour"}
