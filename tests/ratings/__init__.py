"""Tests of what people think of answers."""
