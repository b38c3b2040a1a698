"""Each rule fires and is over (tests.yaml beside the rules); none fires in a healthy day that a bot has lived."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.telemetry.metrics import PREFIX, Metrics

FOLDER = Path(__file__).parents[2] / "manifests" / "monitoring"
DAY = Path(__file__).with_name("healthy_day.json")
RULES = yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]

pytestmark = pytest.mark.needs_package("prometheus")


def promtool(*tests: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", "test", "rules", *map(str, tests)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tests[0].parent,
    )


def test_each_fires_and_each_is_over() -> None:
    files = [FOLDER / "tests.yaml", FOLDER / "tests-of-weeks.yaml"]
    done = promtool(*files)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = [case for file in files for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]
    expected: dict[str, set[bool]] = {}
    for case in tested:
        for look in case["alert_rule_test"]:
            expected.setdefault(look["alertname"], set()).add(bool(look.get("exp_alerts")))
    assert expected == {rule["alert"]: {True, False} for rule in RULES}


def test_a_rule_that_never_fires_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "monitoring")
    rules = tmp_path / "monitoring" / "rules.yaml"
    rules.write_text(rules.read_text().replace("uppzy_bot_dead_letters) > 0", "uppzy_bot_dead_letters) > 99"))
    assert promtool(tmp_path / "monitoring" / "tests.yaml").returncode != 0


def test_none_fires_in_a_healthy_day(tmp_path: Path) -> None:
    series = json.loads(DAY.read_text())
    assert len(series) > 20
    hours = range(1, 24)
    looks = [
        {"eval_time": f"{hour}h", "alertname": rule["alert"], "exp_alerts": []} for hour in hours for rule in RULES
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": looks,
    }
    shutil.copy(FOLDER / "rules.yaml", tmp_path)
    tests = tmp_path / "day.yaml"
    tests.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))
    done = promtool(tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_and_dashboard_name_metrics_that_there_are() -> None:
    known = {metric.name for metric in Metrics().registry.collect()}
    text = (FOLDER / "rules.yaml").read_text() + (FOLDER / "dashboard.json").read_text()
    named = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in re.findall(rf"\b{PREFIX}\w+", text)}
    assert named <= known, named - known
