"""Channels are found by entry points, ours and other people's; a wrong one is a sentence that names its package."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bot.adapter import ChannelSpec
from bot.config.channels import GROUP, installed, load_object, specs_of
from bot.errors import Misconfigured
from tests.cli.process import environment

GULL = """
    from pydantic import BaseModel, Field, SecretStr
    from bot.adapter import ChannelSpec

    class Settings(BaseModel):
        token: SecretStr | None = Field(None, alias="GULL_TOKEN")

        @property
        def enabled(self):
            return self.token is not None

    CHANNEL = ChannelSpec(
        name="gull", settings=Settings, token="GULL_TOKEN", scopes={"nest": ("user",)}, adapter="gull_bot:Gull"
    )
    OTHER = object()
"""


def package(folder: Path, name: str, entries: dict[str, str], **modules: str) -> None:
    """Put an installed package into a folder: what pip leaves behind, and its modules."""
    (folder / f"{name}-1.0.dist-info").mkdir(parents=True)
    (folder / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{entry} = {value}" for entry, value in entries.items())]
    (folder / f"{name}-1.0.dist-info" / "entry_points.txt").write_text("\n".join(lines))
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(textwrap.dedent(text))


def found(folder: Path) -> tuple[ChannelSpec, ...]:
    packages = importlib.metadata.distributions(path=[str(folder)])
    return specs_of(entry for one in packages for entry in one.entry_points if entry.group == GROUP)


def run(folder: Path, *arguments: str, **settings: str) -> CompletedProcess[str]:
    """Run a command with the folder's packages installed."""
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder, env={**environment(settings), "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_ours_are_found_in_the_order_of_their_names() -> None:
    names = [spec.name for spec in installed()]
    assert names == sorted(names)
    assert {"playground", "slack", "telegram"} <= set(names)
    assert installed() is installed()


def test_a_package_of_somebody_else_is_one_channel_more(tmp_path: Path) -> None:
    package(tmp_path, "gull_bot", {"gull": "gull_channel:CHANNEL"}, gull_channel=GULL)
    done = run(tmp_path, "config", "show", "--json", GULL_TOKEN="gull-secret")
    assert (done.returncode, done.stderr) == (0, "")
    shown = {setting["name"]: setting for setting in json.loads(done.stdout)}
    assert shown["GULL_TOKEN"] == {"name": "GULL_TOKEN", "value": "•••", "source": "environment"}
    assert shown["BOT_SESSIONS__GULL_NEST"]["value"] == "user"
    assert "SLACK_BOT_TOKEN" in shown
    check = run(tmp_path, "config", "check")
    assert "GULL_TOKEN or SLACK_BOT_TOKEN or TELEGRAM_BOT_TOKEN: the token of at least one channel" in check.stdout


def test_two_packages_with_one_channel_are_one_sentence_with_both_names(tmp_path: Path) -> None:
    package(tmp_path, "gull_bot", {"slack": "gull_channel:CHANNEL"}, gull_channel=GULL)
    done = run(tmp_path, "config", "check")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "gull_bot" in done.stderr
    assert "uppzy-bot" in done.stderr
    assert "both bring a channel named slack; uninstall one of them." in done.stderr


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"gull": "absent_module:CHANNEL"}, ["gull", "gull_bot", "ModuleNotFoundError", "uninstall"]),
        ({"gull": "gull_channel:ABSENT"}, ["gull", "gull_bot", "AttributeError", "uninstall"]),
        ({"gull": "gull_broken:CHANNEL"}, ["gull", "gull_bot", "ZeroDivisionError", "uninstall"]),
        ({"gull": "gull_channel:OTHER"}, ["gull_channel:OTHER", "gull_bot", "uninstall"]),
        ({"crow": "gull_channel:CHANNEL"}, ["crow", "gull_bot", "uninstall"]),
        ({}, ["No channel is installed", "install it again"]),
    ],
)
def test_a_channel_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: dict[str, str], words: list[str]
) -> None:
    package(tmp_path, "gull_bot", entries, gull_channel=GULL, gull_broken="1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Misconfigured) as error:
        found(tmp_path)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


def test_what_a_spec_names_is_imported_when_it_is_used() -> None:
    assert load_object("bot.adapter:ChannelSpec") is ChannelSpec
    for path in ("bot.absent:Thing", "bot.adapter:Absent", "bot.adapter"):
        with pytest.raises(Misconfigured, match=r"cannot be loaded .* install"):
            load_object(path)


def test_finding_them_loads_no_sdk() -> None:
    code = (
        "import sys\nfrom bot.config.channels import installed\nassert installed()\n"
        "assert not {'slack_sdk', 'slack_bolt', 'telegram', 'bot.app'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
