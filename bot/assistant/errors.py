"""An error as the API words it."""

from __future__ import annotations


class ApiError(Exception):
    """Answers a request with `status` and `{"error": text}`."""

    def __init__(self, status: int, error: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.headers = headers or {}
