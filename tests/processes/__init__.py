"""Several real processes of the bot on one PostgreSQL."""
