"""Tests of the API client, against loopback servers."""
