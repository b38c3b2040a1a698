"""The bot's registration at gull: where it hears, and what of."""

from __future__ import annotations

import json
from typing import Final

from pydantic import BaseModel

from bot.adapter import ManifestOptions, Want
from bot.errors import Misconfigured
from uppzy_gull.client import GullClient
from uppzy_gull.config import GullSettings
from uppzy_gull.ids import WEBHOOK_PATH

EVENTS: Final = ["message.*", "reaction.*", "button.clicked", "command.given", "bot.removed"]


class GullManifest:
    """Text, registration and comparison; gull knows one address, so `url` is the one option."""

    options: frozenset[str] = frozenset({"url"})

    def text(self, options: ManifestOptions) -> str:
        """Write it as JSON."""
        url = (options.url or "https://bot.example.org").rstrip("/")
        return json.dumps({"webhook": url + WEBHOOK_PATH, "events": EVENTS}, indent=2) + "\n"

    async def apply(self, settings: BaseModel, options: ManifestOptions) -> list[str]:
        """Register it."""
        if options.url is None:
            raise Misconfigured("Gull must know where the bot is; give its public address with --url.")
        if not isinstance(settings, GullSettings) or not settings.enabled:
            raise Misconfigured("GULL_TOKEN is not set; set it.")
        client, wanted = GullClient(settings), json.loads(self.text(options))
        if await client.call("GET", "app") == wanted:
            return []
        await client.call("PUT", "app", body=wanted)
        return ["The webhook and its events were set."]

    async def differences(self, settings: BaseModel, wants: frozenset[Want] = frozenset()) -> list[str] | None:
        """Compare the events; the address is not among the settings. None without a token to ask with."""
        if not isinstance(settings, GullSettings) or not settings.enabled:
            return None
        shown = await GullClient(settings).call("GET", "app")
        return [] if shown.get("events") == EVENTS else ["Gull tells of other events."]


MANIFEST: Final = GullManifest()
