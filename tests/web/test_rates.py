from __future__ import annotations

from bot.telemetry.metrics import PREFIX, Metrics
from bot.web.rates import Rates, totals


def test_totals_add_up_what_fits() -> None:
    metrics = Metrics()
    for endpoint, status, count in (("chat", "429", 2), ("limits", "429", 3), ("chat", "503", 4), ("chat", "200", 9)):
        metrics.api_requests_total.labels(endpoint=endpoint, status=status).inc(count)
    name = f"{PREFIX}api_requests_total"
    wanted = {"all": {"": name}, "limited": {"": name, "status": "429"}, "server": {"": name, "status": "5*"}}
    assert totals(metrics.registry, wanted) == {"all": 18, "limited": 5, "server": 4}


def test_rates_forget_what_is_old() -> None:
    now, total = [1000.0], [0.0]
    rates = Rates(lambda: {"x": total[0]}, minutes=5, clock=lambda: now[0])
    assert rates.per_minute() is None
    rates.sample()
    assert rates.per_minute() is None
    for _ in range(40):  # ten minutes at 60 a minute
        now[0] += 15
        total[0] += 15
        rates.sample()
    assert rates.per_minute() == {"x": 60}
    for _ in range(20):  # five quiet ones
        now[0] += 15
        rates.sample()
    assert rates.per_minute() == {"x": 0}
    assert len(rates._samples) <= 22
