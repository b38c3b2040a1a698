"""For authors of a channel: the conformance suite, strict loopback platforms, and the reader of payload files.

Needs the extra `testing`. `tests/` of this project and packages that bring a channel of their own use it alike.
"""
