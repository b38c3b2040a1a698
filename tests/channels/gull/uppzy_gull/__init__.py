"""The channel gull: a chat service with an HTTP API, webhook in and calls out."""
