"""Deliberate bugs, each of which a run must find: they prove that the judges can see."""

from tests.simulation.mutants import of_joined, of_lasting_faults, of_order_and_time, of_several, of_steps, of_upgrades
from tests.simulation.mutants.registry import MUTANTS

__all__ = ["MUTANTS", "of_joined", "of_lasting_faults", "of_order_and_time", "of_several", "of_steps", "of_upgrades"]
