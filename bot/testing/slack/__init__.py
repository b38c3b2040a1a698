"""A loopback Slack that refuses what Slack refuses; `python -m bot.testing.slack.platform` runs it alone."""
