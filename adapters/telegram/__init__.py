"""Telegram: Bot API over long polling or a webhook, on python-telegram-bot's client without its updater."""
