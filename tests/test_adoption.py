"""What others take the project by: the wheel with its list of contents, the locks, the workflow, llms.txt."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "build.lock", "tests/requirements.lock", "docs/requirements.lock")


def pinned(lock: str) -> dict[str, set[str]]:
    """The versions of each package in a lock; more than one where it depends on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as `make build` does."""
    place = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(place)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = place.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_lists_what_it_runs_with(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if ".dist-info/sboms/" in name]
    text = wheel.read(name).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert "/tmp" not in text
    listed = re.findall(r'"purl": "pkg:pypi/([^@]+)@([^"]+)"', text)
    versions = {name: {version for other, version in listed if other == name} for name, _ in listed}
    assert versions.pop("uppzy-bot") == {PROJECT["project"]["version"]}
    assert versions == pinned("requirements.lock")
    needed = {Requirement(one).name.replace(".", "-").lower() for one in PROJECT["project"]["dependencies"]}
    assert needed <= versions.keys()


def test_the_wheel_holds_what_the_bot_needs_and_no_more(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {name.split("/")[0] for name in names} == {"bot", "adapters", "uppzy_bot-0.1.0.dist-info"}
    for part in ("bot/texts/en.ftl", "bot/store/migrations/", "adapters/playground/static/", "bot/assistant/samples"):
        assert any(name.startswith(part) for name in names), part
    said = Parser().parsestr(wheel.read("uppzy_bot-0.1.0.dist-info/METADATA").decode())
    assert said["Requires-Python"] == ">=3.11"
    assert said.get_all("Project-URL")


def test_a_package_has_one_version_in_all_locks() -> None:
    for lock in LOCKS[1:]:
        for name, versions in pinned(lock).items():
            assert versions == pinned("requirements.lock").get(name, versions), (lock, name)


def test_what_builds_is_not_what_runs_and_an_image_is_given_all_that_builds() -> None:
    """`manifests/deploy/build.sh` takes away all of build.lock again."""
    assert not pinned("build.lock").keys() & pinned("requirements.lock").keys()
    copied = re.findall(r"^COPY (.+) \./$", (ROOT / "manifests/deploy/Containerfile").read_text("utf-8"), re.MULTILINE)
    assert {"pyproject.toml", "hatch_build.py", "requirements.lock", "build.lock"} <= set(copied[0].split())


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_what_is_declared_is_what_the_workflow_tries() -> None:
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["run"]
    assert job["strategy"]["matrix"]["python"] == declared == ["3.11", "3.12", "3.13"]
    assert job["steps"][-1]["run"] == ".ci/run"


def test_pre_commit_runs_what_lint_runs() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [hook["entry"] for hook in repo["hooks"]] == ["make lint"]


def test_what_llms_txt_links_exists() -> None:
    """The form of llmstxt.org: a title, a summary, lists of links."""
    lines = (ROOT / "llms.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("> ")
    links = [link for line in lines for link in re.findall(r"\]\(([^)]+)\)", line)]
    assert len(links) >= 10
    assert [link for link in links if not (ROOT / link).exists()] == []
