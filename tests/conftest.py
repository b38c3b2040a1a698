"""Rules for every test: no network but loopback, Debian packages named, long proofs and timings only when asked for."""

from __future__ import annotations

import glob
import ipaddress
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.proofs import record

pytest.register_assert_rewrite("bot.testing")

ON_DEMAND: Final = {"prove": "BOT_PROVE", "bench": "BOT_BENCH"}

BINARIES: Final = {
    "chromium": "chromium",
    "libc6-dev": "/usr/include/stdio.h",
    "pgbouncer": "/usr/sbin/pgbouncer",
    "postgresql": "/usr/lib/postgresql/*/bin/initdb",
    "prometheus": "promtool",
    "systemd": "systemd-analyze",
}
"""Debian package → a binary it brings, by name on the path or as a glob. Others: the package's own name."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out proofs and timings unless -m or the environment (BOT_PROVE=1, BOT_BENCH=1) asks for them."""
    if config.getoption("markexpr"):
        return
    left_out = [marker for marker, variable in ON_DEMAND.items() if os.environ.get(variable) != "1"]
    chosen = [item for item in items if not any(item.get_closest_marker(marker) for marker in left_out)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose Debian package is missing, with the line to run; with CI=true that is a failure."""
    missing = [
        str(package)
        for marker in item.iter_markers("needs_package")
        for package in marker.args
        if not has_package(str(package))
    ]
    if missing:
        line = f"needs a Debian package; run: apt-get install {' '.join(missing)}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(line, pytrace=False)
        pytest.skip(line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded as dicts of numbers, together by name: a proof shows what it counted.

    With BOT_RECORD=1 those of `tests.proofs.record.OF_TESTS` are added to docs/proofs.json too.
    """
    if hasattr(terminalreporter.config, "workerinput"):
        return  # of several processes each comes here, and one has all reports
    figures: dict[str, list[Mapping[str, float]]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, counts in report.user_properties:
            if isinstance(counts, dict):
                figures.setdefault(name, []).append(counts)
    for name, all_counts in figures.items():
        sums = record.together(all_counts)
        terminalreporter.write_line(f"{name}: " + " · ".join(f"{what} {number:g}" for what, number in sums.items()))
        proof, _, kind = name.partition(": ")
        if proof in record.OF_TESTS and os.environ.get("BOT_RECORD") == "1":
            record.add(proof, **({"kind": kind} if kind else {}), **sums)


def has_package(package: str) -> bool:
    """Tell whether the binary that stands for the Debian package is installed."""
    binary = BINARIES.get(package, package)
    return bool(glob.glob(binary)) if "/" in binary else shutil.which(binary) is not None


refused: list[str] = []
"""Attempts to reach something that is not this machine, since the test began."""


def _is_loopback(host: object) -> bool:
    if host is None or host in ("", b"", "localhost", b"localhost") or host == socket.gethostname():
        return True
    text = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def _refuse_network(event: str, args: tuple[object, ...]) -> None:
    """Let only loopback pass. A name under .invalid fails as DNS would and is no offence: tests ask for it."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            refused.append(f"{event} {address}")
            raise ConnectionRefusedError(f"tests reach loopback only, not {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_loopback(args[0]):
        name = args[0].decode() if isinstance(args[0], bytes) else str(args[0])
        if _numeric(name):
            return
        if not name.rstrip(".").endswith(".invalid"):
            refused.append(f"{event} {name}")
        raise socket.gaierror(socket.EAI_NONAME, f"tests reach loopback only, not {name}")


def _numeric(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail a test that tried to reach another machine, even if the code under test swallowed the refusal."""
    refused.clear()
    yield
    assert not refused, f"the network was used: {refused}"
