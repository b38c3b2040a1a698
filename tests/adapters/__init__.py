"""The adapters' tests; `conformance` is the contract every one of them passes."""
