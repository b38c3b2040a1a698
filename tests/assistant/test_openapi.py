"""The description is valid OpenAPI, and the running service keeps to it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bot.assistant.contract import OPERATIONS
from bot.assistant.openapi import describe
from bot.assistant.server import RunningAssistant
from tests.assistant.conftest import Client

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent))

SETTINGS = """
# A field of a form is text on the wire: a number sent as a title is a title, and only the sender knows it was none.
[[operations]]
include-operation-id = "documents_upload"
checks.negative_data_rejection.enabled = false
"""


def test_the_description_is_valid_and_whole() -> None:
    description = describe()
    OpenAPIV31SpecValidator(description).validate()
    described = {operation["operationId"] for path in description["paths"].values() for operation in path.values()}
    assert described == {operation.name for operation in OPERATIONS}


async def test_the_description_is_served_without_a_key(client: Client) -> None:
    assert (await client.get("/openapi.json", key=None)).body == describe()


async def _run(assistant: RunningAssistant, folder: Path, *options: str) -> tuple[int, str]:
    """Let schemathesis speak to the assistant, with ids that exist; its exit code and report."""
    assert SCHEMATHESIS is not None
    description: dict[str, Any] = describe()
    for path in description["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in ("site_id", "tenant_id"):
                    parameter["schema"] = {"enum": ["demo"]}
    (folder / "openapi.json").write_text(json.dumps(description))
    (folder / "schemathesis.toml").write_text(SETTINGS)
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "run", "openapi.json", "--url", assistant.base_url, "-H", "X-API-Key: demo", "--no-color",
        "--seed", "1", *options,  # every check is on unless SETTINGS says otherwise; "--checks" would outrank SETTINGS
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_every_operation_keeps_to_the_description(assistant: RunningAssistant, tmp_path: Path) -> None:
    code, report = await _run(assistant, tmp_path, "--phases", "fuzzing,stateful", "--max-examples", "1")
    assert code == 0, report[-6000:]
    assert f"Tested: {len(OPERATIONS)}" in report
    seen = {entry.endpoint for entry in assistant.requests if entry.status is not None and entry.status < 300}
    # These two need an id that exists in the body or the path; in so short a run chance does not always bring one.
    wanted = {operation.name for operation in OPERATIONS} - {"feedback", "documents_patch"}
    assert wanted <= seen, "each was carried out at least once"


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_every_operation_keeps_to_the_description_in_full(assistant: RunningAssistant, tmp_path: Path) -> None:
    code, report = await _run(assistant, tmp_path, "--max-examples", "200")
    assert code == 0, report[-6000:]
    assert "Server error" not in report
