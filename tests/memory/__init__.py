"""Bounded memory: nothing that the process keeps grows with how many people, conversations or messages it has seen."""
