"""The whole core in a world where everything goes wrong, by seed. `python -m tests.simulation SEED` replays one."""
