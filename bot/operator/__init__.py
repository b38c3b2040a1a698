"""What the operator is shown and told: readings of the house, what is wrong in words, alerts, limits, the digest.

watch.py       every few seconds: what is the matter; the metrics that nobody else sets; the last hour for the page
conditions.py  a reading → what is wrong, in sentences (pure)        alerts.py    what is told of it, and when (pure)
limits.py      how much of the plan is used                          digest.py    the weekly letter (pure)
messenger.py   tells it in the operator's conversation
"""
