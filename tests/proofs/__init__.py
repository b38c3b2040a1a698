"""What was proved, as figures of runs that were really made. `python -m tests.proofs` writes docs/proofs.md of them."""
