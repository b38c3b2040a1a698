"""The tests; a package, so that fakes and the conformance suite can be imported by name."""
