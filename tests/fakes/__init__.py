"""Doubles, one per seam: the core's host, a conforming adapter, the loopback platforms."""
