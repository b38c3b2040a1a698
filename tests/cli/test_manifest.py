"""`manifest`: what is printed, what is passed on to the channel's own registration, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from bot.adapter import ChannelSpec, ManifestOptions, Want
from bot.cli import call


class Settings(BaseModel):
    token: SecretStr | None = Field(None, alias="GULL_TOKEN")
    wings: int = Field(2, alias="GULL_WINGS")
    enabled: bool = False


class Registration:
    """Remembers how it was called; its platform shows something else as long as there is a token."""

    options = frozenset({"mode", "url"})

    def __init__(self) -> None:
        self.applied: list[ManifestOptions] = []
        self.shows: list[str] = ["the name differs"]

    def text(self, options: ManifestOptions) -> str:
        return f"mode: {options.mode}\n"

    async def apply(self, settings: BaseModel, options: ManifestOptions) -> list[str]:
        assert isinstance(settings, Settings)
        self.applied.append(options)
        return self.shows

    async def differences(self, settings: BaseModel, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        assert isinstance(settings, Settings)
        return self.shows if settings.token else None


REGISTRATION = Registration()


@pytest.fixture
def registration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registration:
    specs = (
        ChannelSpec(name="crow", settings=Settings, scopes={}, adapter="nowhere:Crow"),
        ChannelSpec(
            name="gull", settings=Settings, scopes={}, adapter="nowhere:G", manifest=f"{__name__}:REGISTRATION"
        ),
        ChannelSpec(
            name="tern", settings=Settings, scopes={}, adapter="nowhere:T", manifest=f"{__name__}:REGISTRATION"
        ),
    )
    monkeypatch.setattr("bot.config.installed", lambda: specs)
    monkeypatch.setattr(f"{__name__}.REGISTRATION", Registration())
    monkeypatch.setenv("GULL_TOKEN", "gull-secret")
    monkeypatch.chdir(tmp_path)
    return REGISTRATION


Capture = pytest.CaptureFixture[str]


def test_the_text_goes_to_stdout_and_the_differences_to_stderr(registration: Registration, capsys: Capture) -> None:
    assert call(["manifest", "gull", "--mode", "http", "--url", "https://x.example"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "mode: http\n"
    assert shown.err.splitlines() == ["the name differs", "Nothing was changed; --apply makes it so."]
    registration.shows = []
    assert call(["manifest", "gull"]) == 0
    assert capsys.readouterr().err == "Gull has all that the bot needs.\n"


def test_nothing_is_said_of_differences_where_they_cannot_be_asked(
    registration: Registration, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GULL_TOKEN")
    assert call(["manifest", "gull"]) == 0
    assert capsys.readouterr() == ("mode: None\n", "")
    assert call(["manifest", "gull", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"channel": "gull", "manifest": "mode: None\n", "differences": None}


def test_wrong_settings_do_not_keep_the_text_back_but_apply(
    registration: Registration, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GULL_WINGS", "many")
    assert call(["manifest", "gull"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "mode: None\n"
    assert "config check" in shown.err
    assert call(["manifest", "gull", "--apply"]) == 1
    assert capsys.readouterr().err.startswith("GULL_WINGS: a whole number\n")
    assert registration.applied == []


def test_apply_passes_the_options_on(registration: Registration, capsys: Capture) -> None:
    assert call(["manifest", "gull", "--apply", "--mode", "socket", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"channel": "gull", "done": ["the name differs"]}
    assert registration.applied == [ManifestOptions(mode="socket")]
    registration.shows = []
    assert call(["manifest", "gull", "--apply"]) == 0
    assert capsys.readouterr().out == "Nothing had to be changed.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gull", "--no-agent"], "The manifest of gull has no --agent; leave it out."),
        (["crow"], "There is no manifest for crow; there is one for gull and tern."),
        (["moon", "--apply"], "There is no manifest for moon; there is one for gull and tern."),
    ],
)
def test_what_is_not_there_is_one_sentence(
    registration: Registration, capsys: Capture, arguments: list[str], words: str
) -> None:
    assert call(["manifest", *arguments]) == 2
    assert capsys.readouterr() == ("", words + "\n")
    assert registration.applied == []
