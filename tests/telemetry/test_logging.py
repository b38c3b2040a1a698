from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from bot.telemetry.logging import add_secrets, configure, context, get_logger, redacted

KNOWN = "the-key-of-the-api"


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What is logged, with everything put back afterwards."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    before = (root.level, root.handlers[:])
    yield io.StringIO()
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
    logging.captureWarnings(False)
    structlog.reset_defaults()


def start(output: io.StringIO, style: Literal["console", "json"] = "json", **more: Any) -> None:
    configure(style=style, stream=output, secrets=[KNOWN], **more)


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_is_json_with_its_logger_level_and_time(output: io.StringIO) -> None:
    start(output)
    get_logger("bot.turns").info("submitted", attempt=1)
    (line,) = lines(output)
    assert (line["event"], line["attempt"], line["level"], line["logger"]) == ("submitted", 1, "info", "bot.turns")
    assert line["timestamp"].endswith("Z")


async def test_the_reference_is_in_every_line_of_its_turn_and_in_no_other(output: io.StringIO) -> None:
    start(output)
    log, both = get_logger("bot.turns"), asyncio.Barrier(2)

    async def inner() -> None:
        await asyncio.sleep(0)
        logging.getLogger("slack_sdk").warning("from an SDK's own task")

    async def turn(reference: str) -> None:
        with context(reference=reference):
            await both.wait()
            log.info("one")
            await asyncio.create_task(inner())

    await asyncio.gather(turn("AAAA"), turn("BBBB"))
    log.info("outside")
    found = lines(output)
    assert sorted(line["reference"] for line in found if line["event"] == "one") == ["AAAA", "BBBB"]
    assert sorted(line["reference"] for line in found if line["logger"] == "slack_sdk") == ["AAAA", "BBBB"]
    assert "reference" not in found[-1]


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_in_values_tracebacks_or_the_loggers_of_libraries(
    output: io.StringIO, style: Literal["console", "json"]
) -> None:
    start(output, style)
    add_secrets("a-token-from-the-vault")
    log = get_logger("x")
    log.info(f"with {KNOWN}", headers={"X-API-Key": KNOWN}, body=f"{KNOWN}".encode(), more=[KNOWN, ("t", KNOWN)])
    logging.getLogger("telegram").error("POST https://api.telegram.org/bot%s/getMe", "123456789:" + "x" * 35)
    logging.getLogger("lib").error("token %s", "a-token-from-the-vault", extra={"auth": f"Bearer {KNOWN}"})
    try:
        raise ValueError(f"refused xoxb-1234567-abcdef and {KNOWN}") from KeyError(KNOWN)
    except ValueError:
        log.exception("it failed")
        logging.getLogger("lib").exception("it failed here too")
    text = output.getvalue()
    assert text.count("Traceback") >= 2
    assert text.count("[redacted]") >= 10
    for secret in (KNOWN, "a-token-from-the-vault", "x" * 35, "xoxb"):
        assert secret not in text
    assert redacted(f"a {KNOWN}") == "a [redacted]"


def test_libraries_that_log_addresses_and_bodies_are_quiet(output: io.StringIO) -> None:
    start(output, level="debug")
    for name in ("httpx", "httpcore.connection", "slack_sdk.web", "telegram.ext", "slack_bolt.App"):
        logging.getLogger(name).info("address and body")
    assert output.getvalue() == ""
    get_logger("x").debug("ours")
    assert lines(output)[0]["event"] == "ours"


def test_the_level_counts_for_all(output: io.StringIO) -> None:
    start(output, level="warning")
    get_logger("x").info("no")
    logging.getLogger("y").info("no")
    assert output.getvalue() == ""


def test_a_second_configure_replaces_the_first_and_forgets_no_secret(output: io.StringIO) -> None:
    log = get_logger("x")
    start(output)
    configure(style="json", stream=output)
    log.info(KNOWN)
    logging.getLogger("y").info("once")
    assert [line["event"] for line in lines(output)] == ["[redacted]", "once"]


def test_odd_values_lose_no_line(output: io.StringIO) -> None:
    start(output)
    get_logger("x").info("odd", big=2**80, surrogate="\ud800", thing=object(), error=ValueError(KNOWN))
    (line,) = lines(output)
    assert line["big"] == 2**80
    assert KNOWN not in output.getvalue()


def test_warnings_go_to_the_log(output: io.StringIO) -> None:
    start(output)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old {KNOWN}", stacklevel=1)
    assert lines(output)[0]["logger"] == "py.warnings"
    assert KNOWN not in output.getvalue()


def test_logs_go_to_standard_error() -> None:
    code = (
        "import logging\n"
        "from bot.telemetry.logging import configure, get_logger\n"
        "configure(style='json')\n"
        "get_logger('a').info('one'); logging.getLogger('b').warning('two')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["one", "two"]
