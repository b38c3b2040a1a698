"""Channels of other people: two packages, and a test that they serve an installed core."""
