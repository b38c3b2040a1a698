"""Tests of the house: what is shared by those of several folders."""

from pathlib import Path

PAYLOADS = Path(__file__).parent / "payloads"
"""Recorded payloads, a folder a channel; see `bot.testing.payload_files`."""
