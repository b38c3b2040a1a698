"""The core of uppzy-bot: it knows no channel."""

__version__ = "0.1.0"
