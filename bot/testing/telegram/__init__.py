"""A loopback Telegram that refuses what Telegram refuses; `python -m bot.testing.telegram.platform` runs it alone."""
