"""`make proofs`: writes docs/proofs.md from docs/proofs.json."""

from __future__ import annotations

from tests.proofs import record
from tests.proofs.page import page

PAGE = record.ROOT / "docs" / "proofs.md"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(record.read()), encoding="utf-8")


if __name__ == "__main__":
    main()
