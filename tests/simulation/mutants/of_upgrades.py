"""Deliberate bugs in the migrations, which show when a database with open turns is brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from bot.store import migrations
from tests.simulation.mutants.registry import mutant


@contextmanager
def _step(version: int, old: str, new: str) -> Iterator[None]:
    """Change the step that reaches a version."""
    steps = list(migrations.STEPS)
    step = steps[version - 1]
    assert any(old in statement for statement in step.statements)
    text = ";\n".join(step.statements).replace(old, new)
    steps[version - 1] = replace(step, statements=tuple(text.split(";\n")))
    with patch.object(migrations, "STEPS", tuple(steps)):
        yield


@mutant
def upgrade_forgets_what_was_begun() -> Iterator[None]:
    with _step(7, "result FROM steps", "result FROM steps WHERE done_at IS NOT NULL"):
        yield


@mutant
def upgrade_forgets_the_numbers_of_steps() -> Iterator[None]:
    number = "CAST(substr(name, instr(name, ':') + 1) AS INTEGER)"
    with _step(7, number, "0"), _step(7, "INSERT INTO steps_by_kind", "INSERT OR REPLACE INTO steps_by_kind"):
        yield


@mutant
def upgrade_forgets_receipts() -> Iterator[None]:
    with _step(7, "UPDATE receipts SET place", "DELETE FROM receipts;\nUPDATE receipts SET place"):
        yield


@mutant
def upgrade_ends_what_is_open() -> Iterator[None]:
    with _step(5, "DROP INDEX turns_question", "UPDATE turns SET state='done';\nDROP INDEX turns_question"):
        yield


@mutant
def upgrade_forgets_requests() -> Iterator[None]:
    with _step(3, "ALTER TABLE overtaken", "UPDATE turns SET request_id=NULL;\nALTER TABLE overtaken"):
        yield
