from __future__ import annotations

import subprocess

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from bot.telemetry.metrics import Metrics

from prometheus_client import generate_latest  # isort: skip

DESIGN = """
api_requests_total{endpoint,status} api_request_seconds{endpoint} api_retries_total{endpoint,reason}
api_limit_used_ratio{limit} turns_total{channel,outcome} turn_seconds{channel}
turn_overhead_seconds{channel,step} async_completion_seconds polls_per_answer turns_in_flight
events_total{channel,kind,outcome} deliveries_total{channel,outcome} feedback_total{channel,rating,outcome} dead_letters
joined_total{channel,kind} deliveries_plain_total{channel,reason} context_total{channel,kind,outcome} context_chars
refused_deliveries_total{channel,reason} oldest_open_turn_seconds ready_to_posted_seconds{channel} lanes_waiting{reason}
check_ok{check}
"""
GAUGES = ("oldest_open_turn_seconds",)
"""A gauge, whatever its name: it is one value at a time, not many to be counted."""


@pytest.mark.parametrize("entry", DESIGN.split())
def test_a_metric_of_the_design_is_there_with_its_labels(entry: str) -> None:
    name, _, labels = entry.rstrip("}").partition("{")
    metric = getattr(Metrics(), name)
    assert metric._name.removesuffix("_total") == "uppzy_bot_" + name.removesuffix("_total")
    assert metric._labelnames == tuple(labels.split(",")) if labels else metric._labelnames == ()
    kind: type[Counter | Gauge | Histogram] = Gauge
    if name.endswith("_total"):
        kind = Counter
    elif (name.endswith("_seconds") and name not in GAUGES) or name in ("polls_per_answer", "context_chars"):
        kind = Histogram
    assert type(metric) is kind


def test_two_instances_count_apart_and_the_exposition_is_read_back() -> None:
    one, other = Metrics(process=True), Metrics()
    one.turns_total.labels(channel="slack", outcome="answered").inc(3)
    one.polls_per_answer.observe(2)
    families = {f.name: f for f in text_string_to_metric_families(generate_latest(one.registry).decode())}
    assert [s.value for s in families["uppzy_bot_turns"].samples] == [3]
    assert "process_resident_memory_bytes" in families
    assert not [name for name in families if name.endswith("_created")]
    assert not [s for f in other.registry.collect() for s in f.samples if s.name == "uppzy_bot_turns_total"]


@pytest.mark.needs_package("prometheus")
def test_prometheus_itself_finds_nothing_to_mend() -> None:
    metrics = Metrics(process=True)
    metrics.turns_total.labels(channel="slack", outcome="answered").inc()
    metrics.api_request_seconds.labels(endpoint="chat_async").observe(0.1)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(metrics.registry), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
