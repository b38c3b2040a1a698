"""The channel pigeon: short messages of plain text, a POST in and a POST out."""
