"""The way in: an event is taken in once, in one transaction, before it is acknowledged.

    router.handle ─▶ acceptance.take:  resolve ─▶ purpose (is it for us?) ─▶ noted ─▶ admitted ─▶ handler ─▶ Accepted
    arrival.py    messages · reactions · commands · lifecycle     access.py

What follows from it (lanes to wake, metrics) happens after the commit, in the router.
"""
