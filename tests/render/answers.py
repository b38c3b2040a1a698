"""The hard answers: our own, and those beside the repository where there are any."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

OWN: Final = Path(__file__).parent / "corpus"
SHARED: Final = Path(__file__).parents[3] / "shared" / "checks" / "markdown_corpus"


def paths() -> list[Path]:
    """Every answer there is; the shared ones are extra and may be absent."""
    return sorted(OWN.glob("*.md")) + sorted(SHARED.glob("*.md"))


def read(path: Path) -> str:
    """The answer as it is, line ends included."""
    return path.read_bytes().decode()


each_answer = pytest.mark.parametrize("path", paths(), ids=lambda path: f"{path.parent.name}/{path.stem}")
