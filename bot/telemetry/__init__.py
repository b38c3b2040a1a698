"""What the process says about itself: logs without secrets, and metrics. A leaf: it imports nothing of the bot but errors."""
