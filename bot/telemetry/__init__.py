"""What the process says about itself: logs without secrets, and metrics. A leaf of the imports."""
