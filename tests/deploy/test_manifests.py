"""What is deployed, as those tools see it that will read it: linted, rendered, held to schemas and to our promises."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import helm_python
import kubernetes_validate
import pytest
import yaml

from bot.config.model import Config

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "manifests" / "deploy"
CHART = DEPLOY / "chart"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
OLDEST = "1.30"
"""The oldest Kubernetes that knows all that is used."""
KINDS = {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"}

Manifest: TypeAlias = dict[str, Any]


def tool(name: str, *words: str | Path) -> str:
    """Run a program that a Python package brings; it must have nothing to complain of."""
    program = Path(sys.executable).with_name(name)
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def kustomized() -> list[Manifest]:
    return list(yaml.safe_load_all(tool("kubectl", "kustomize", DEPLOY / "kubernetes")))


def charted(**values: Any) -> list[Manifest]:
    with helm_python.Chart.load(CHART) as chart:
        rendered = chart.render(values=values, name="helpdesk", namespace="bots")
    texts = [text for name, text in rendered.items() if name.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


@pytest.fixture(params=["kustomize", "chart"])
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return kustomized() if request.param == "kustomize" else charted()


def of(manifests: list[Manifest], kind: str) -> Manifest:
    return next(one for one in manifests if one["kind"] == kind)


def pod_of(manifests: list[Manifest]) -> Manifest:
    pod: Manifest = of(manifests, "Deployment")["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_knows_every_field(manifests: list[Manifest], version: str) -> None:
    assert {one["kind"] for one in manifests} == KINDS
    for one in manifests:
        kubernetes_validate.validate(one, version, strict=True)


def test_what_belongs_together_finds_each_other(manifests: list[Manifest]) -> None:
    deployment, pod = of(manifests, "Deployment"), pod_of(manifests)
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        of(manifests, "Service")["spec"]["selector"],
        of(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() and selector for selector in selectors)
    assert pod["serviceAccountName"] == of(manifests, "ServiceAccount")["metadata"]["name"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == set(volumes)
    assert volumes["settings"]["configMap"]["name"] == of(manifests, "ConfigMap")["metadata"]["name"]
    assert volumes["secrets"]["secret"]["secretName"] == "uppzy-bot"
    assert of(manifests, "Service")["spec"]["ports"][0]["targetPort"] == pod["containers"][0]["ports"][0]["name"]


def test_a_rolling_update_loses_nobody(manifests: list[Manifest]) -> None:
    spec, pod = of(manifests, "Deployment")["spec"], pod_of(manifests)
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    container = pod["containers"][0]
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > waits + Config.model_fields["drain_seconds"].default
    assert waits > container["readinessProbe"]["periodSeconds"], "traffic must have ended before the bot does"
    wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    assert {probe: container[probe]["httpGet"]["path"] for probe in wanted} == wanted
    assert of(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_a_container_may_do_little(manifests: list[Manifest]) -> None:
    pod = pod_of(manifests)
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_chart_is_linted() -> None:
    told = helm_python.lint(CHART, strict=True)
    assert not told["errors"]
    assert {one["error"] for one in told["messages"]} == {"icon is recommended"}


def test_the_charts_values_do_what_they_say() -> None:
    values = {
        "settings": '[access]\ntelegram = "listed"\n',
        "image": {"repository": "registry.example/bot", "tag": "9"},
        "ingress": {"enabled": True, "host": "bot.example.org", "tlsSecret": "tls"},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "replicas": 5,
        "secret": "mine",
        "tolerations": [{"key": "bots", "operator": "Exists"}],
    }
    made = charted(**values)
    for one in made:
        kubernetes_validate.validate(one, OLDEST, strict=True)
    pod = pod_of(made)
    assert of(made, "ConfigMap")["data"]["uppzy-bot.toml"] == values["settings"]
    assert pod["containers"][0]["image"] == "registry.example/bot:9"
    assert {"name": "HTTPS_PROXY", "value": "http://proxy:3128"} in pod["containers"][0]["env"]
    assert of(made, "Deployment")["spec"]["replicas"] == 5
    assert pod["volumes"][0]["secret"]["secretName"] == "mine"
    assert pod["tolerations"] == values["tolerations"]
    rule = of(made, "Ingress")["spec"]["rules"][0]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/slack", "/telegram"]


@pytest.mark.parametrize("values", [{"replicas": 0}, {"replica": 2}, {"secret": ""}, {"image": {"name": "x"}}])
def test_wrong_values_of_the_chart_are_refused(values: Manifest) -> None:
    with pytest.raises(helm_python.HelmValuesError):
        charted(**values)


def test_the_container_file_is_linted() -> None:
    assert tool("hadolint", "--failure-threshold", "info", DEPLOY / "Containerfile") == ""


def test_the_image_has_no_tools_and_no_root() -> None:
    last = CONTAINERFILE[CONTAINERFILE.rindex("\nFROM ") :]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.M), "a number: Kubernetes sees no root in it"
    assert "HEALTHCHECK" in last
    assert not re.search(r"\b(apt-get|pip3? install|curl|gcc)\b", last)
    assert "pip uninstall" in last


def test_compose_is_valid_and_what_it_says() -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    bot = services["bot"]
    assert bot["deploy"]["replicas"] == 2
    assert bot["read_only"] is True
    assert bot["cap_drop"] == ["ALL"]
    assert bot["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert (DEPLOY / bot["build"]["context"] / bot["build"]["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    assert "ports" not in services["database"]


def test_the_example_names_settings_that_there_are() -> None:
    names = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "bot.env").read_text(encoding="utf-8"), re.M))
    known = json.loads(tool("uppzy-bot", "config", "show", "--json"))
    assert names <= _words(known), names - _words(known)


def _words(value: object) -> set[str]:
    return set(re.findall(r"\b[A-Z][A-Z_]+\b", json.dumps(value)))


@pytest.mark.needs_package("systemd")
def test_the_unit_is_one(tmp_path: Path) -> None:
    unit = tmp_path / "uppzy-bot.service"
    text = (DEPLOY / "uppzy-bot.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/uppzy-bot/bin/uppzy-bot", str(shutil.which("true"))), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    mine = [line for line in done.stderr.splitlines() if "uppzy-bot" in line]
    assert not mine, "\n".join(mine)
    words = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_waits_for_the_bot_to_stop() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "uppzy-bot.service", encoding="utf-8")
    assert int(unit["Service"]["TimeoutStopSec"]) > Config.model_fields["drain_seconds"].default
