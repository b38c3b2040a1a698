"""The one HTTP server: webhooks of the channels, health, metrics, status page.

server.py   Server: collects handlers, limits bodies, starts and stops
guard.py    who may see / and /metrics; headers of every response
health.py   /healthz and /readyz
status.py   the status page
rates.py    what happened per minute, lately
"""

from bot.web.health import Health, Word
from bot.web.server import Server
from bot.web.status import Figure, Snapshot, Trouble

__all__ = ["Figure", "Health", "Server", "Snapshot", "Trouble", "Word"]
