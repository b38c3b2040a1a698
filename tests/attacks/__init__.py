"""Attacks on the real process, over loopback: what hostile peers send, and what everybody else notices of it."""
